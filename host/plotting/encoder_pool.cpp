#include "host/plotting/encoder_pool.hpp"

#include <algorithm>
#include <atomic>
#include <exception>
#include <utility>

#include "host/plotting/verified_encoder.hpp"

namespace furrow {

/// One call of encode. What has no comment is guarded by the mutex of the pool.
class EncoderPool::Run {
 public:
  Run(EncoderPool& pool, EncodingJob& job, const std::stop_token& stop)
      : pool_(pool),
        forward_(stop, [this] { end_.request_stop(); }),
        job_(job.watched({.may_go_on = [this] { return may_go_on(); }})) {}

  /// Whether there is something for one more encoder.
  [[nodiscard]] bool wants_encoders() const {
    return !end_.stop_requested() && job_.has_unclaimed();
  }
  [[nodiscard]] bool is_over() const { return end_.stop_requested() || job_.all_done(); }
  [[nodiscard]] std::stop_token end() const { return end_.get_token(); }
  [[nodiscard]] EncodingJob job_for(std::function<void(PieceOffset)> on_done) {
    return job_.watched({.on_done = std::move(on_done)});
  }

  /// Keeps the error, unless there was one before, and ends the work of all.
  void fail(std::exception_ptr error) {
    if (failure_ == nullptr) {
      failure_ = std::move(error);
    }
    end_.request_stop();
  }
  void rethrow_failure() const {
    if (failure_ != nullptr) {
      std::rethrow_exception(failure_);
    }
  }

  std::size_t n_workers = 0;

 private:
  bool may_go_on() const {
    return pool_.options_.gate == nullptr || pool_.options_.gate->wait(end_.get_token());
  }

  EncoderPool& pool_;
  std::stop_source end_;
  std::stop_callback<std::function<void()>> forward_;
  EncodingJob job_;
  std::exception_ptr failure_;
};

/// One call of assemble_sector.
struct EncoderPool::Assembly {
  const SectorContents& contents;
  std::span<std::uint8_t> sector;
  bool is_over = false;
  bool is_assembled = false;
};

/// An encoder, and the thread that it works on, which alone uses the encoder but for its transfer
/// time. The rest, and which encoder it is, is guarded by the mutex of the pool.
struct EncoderPool::Member {
  explicit Member(std::unique_ptr<RecordsEncoder> own)
      : encoder(std::move(own)),
        name(encoder != nullptr ? encoder->name() : ""),
        is_dormant(encoder == nullptr),
        can_assemble(encoder != nullptr && encoder->can_assemble_sectors()) {}

  [[nodiscard]] std::chrono::duration<double> transfer_time() const {
    return encoder != nullptr ? encoder->transfer_time() : last_transfer_time;
  }

  std::unique_ptr<RecordsEncoder> encoder;
  std::chrono::duration<double> last_transfer_time{};  // of the encoder when it was retired
  std::string name;
  bool is_dormant;  // the fallback, until it is needed and made
  bool can_assemble;
  EncoderStatus::State state = EncoderStatus::State::kIdle;
  std::atomic<std::uint64_t> records_done = 0;
  std::jthread thread;
};

EncoderPool::EncoderPool(Options options) : options_(std::move(options)) {
  if (options_.encoders.empty() && !options_.make_fallback) {
    throw InvalidArgument("encoder pool: needs an encoder or a fallback, has neither");
  }
  for (std::unique_ptr<RecordsEncoder>& encoder : options_.encoders) {
    members_.push_back(std::make_unique<Member>(std::move(encoder)));
  }
  options_.encoders.clear();
  if (options_.make_fallback) {
    members_.push_back(std::make_unique<Member>(nullptr));
  }
  for (const std::unique_ptr<Member>& member : members_) {
    member->thread = std::jthread([this, &member = *member] { serve(member); });
  }
}

EncoderPool::~EncoderPool() {
  const std::lock_guard lock(mutex_);
  is_closing_ = true;
  changed_.notify_all();
}

EncodeOutcome EncoderPool::encode(EncodingJob& job, std::stop_token stop) {
  Run run(*this, job, stop);
  {
    std::unique_lock lock(mutex_);
    runs_.push_back(&run);
    changed_.notify_all();
    // A stop request ends the first wait; encoders that are inside still have to come out.
    changed_.wait(lock, run.end(), [&] { return run.is_over() || nobody_is_left_; });
    changed_.wait(lock, [&] { return run.n_workers == 0; });
    std::erase(runs_, &run);
  }
  run.rethrow_failure();
  if (job.all_done()) {
    return EncodeOutcome::kComplete;
  }
  if (!stop.stop_requested()) {
    throw DeviceLost("encoder pool", "no encoder is left");
  }
  return EncodeOutcome::kCancelled;
}

bool EncoderPool::assemble_sector(const SectorContents& contents, std::span<std::uint8_t> sector) {
  Assembly assembly{contents, sector};
  std::unique_lock lock(mutex_);
  assemblies_.push_back(&assembly);
  changed_.notify_all();
  const auto somebody_can = [this] {
    return std::any_of(members_.begin(), members_.end(),
                       [](const auto& member) { return member->can_assemble; });
  };
  changed_.wait(lock, [&] {
    const bool is_waiting =
        std::find(assemblies_.begin(), assemblies_.end(), &assembly) != assemblies_.end();
    return assembly.is_over || (is_waiting && !somebody_can());
  });
  std::erase(assemblies_, &assembly);
  return assembly.is_assembled;
}

/// The life of an encoder.
void EncoderPool::serve(Member& member) {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [&] { return is_closing_ || is_wanted(member); });
    if (is_closing_ || !make_ready(member, lock)) {
      return;
    }
    member.state = EncoderStatus::State::kWorking;
    if (member.can_assemble && !assemblies_.empty()) {
      Assembly& assembly = *assemblies_.front();
      assemblies_.erase(assemblies_.begin());
      lock.unlock();
      const bool is_assembled = member.encoder->assemble_sector(assembly.contents, assembly.sector);
      const bool can_still = member.encoder->can_assemble_sectors();
      lock.lock();
      member.can_assemble = can_still;
      assembly.is_assembled = is_assembled;
      assembly.is_over = true;
    } else if (Run* const run = run_to_join()) {
      ++run->n_workers;
      lock.unlock();
      std::exception_ptr failure;
      std::string loss;  // why the encoder is to be retired
      try {
        EncodingJob job = run->job_for([&](PieceOffset) {
          ++member.records_done;
          if (options_.on_record_done) {
            options_.on_record_done();
          }
        });
        member.encoder->encode(job, run->end());
      } catch (const DeviceLost& error) {
        loss = " is lost and used no more: " + error.reason();
      } catch (const WrongEncoding& error) {
        loss = std::string(" is quarantined: ") + error.what();
        failure = std::current_exception();
      } catch (...) {
        failure = std::current_exception();
      }
      if (!loss.empty()) {
        warn(member.encoder->name() + loss);
      }
      lock.lock();
      if (failure != nullptr) {
        run->fail(std::move(failure));
      }
      if (!loss.empty()) {
        retire(member, lock);
      }
      --run->n_workers;
    }
    changed_.notify_all();
    if (member.state == EncoderStatus::State::kLost) {
      return;
    }
    member.state = EncoderStatus::State::kIdle;
  }
}

/// Makes the fallback, if that is what `member` is, and there is no other encoder any more. False
/// when it cannot be had.
bool EncoderPool::make_ready(Member& member, std::unique_lock<std::mutex>& lock) {
  if (!member.is_dormant) {
    return true;
  }
  lock.unlock();
  std::unique_ptr<RecordsEncoder> fallback;
  std::exception_ptr failure;
  try {
    fallback = options_.make_fallback();
    warn("no device is left; " + fallback->name() + " encodes from here on");
  } catch (...) {
    failure = std::current_exception();
  }
  lock.lock();
  if (failure != nullptr) {
    for (Run* const run : runs_) {
      run->fail(failure);
    }
    retire(member, lock);
    changed_.notify_all();
    return false;
  }
  member.is_dormant = false;
  member.name = fallback->name();
  member.can_assemble = fallback->can_assemble_sectors();
  member.encoder = std::move(fallback);
  return true;
}

void EncoderPool::retire(Member& member, std::unique_lock<std::mutex>& lock) {
  member.state = EncoderStatus::State::kLost;
  member.can_assemble = false;
  nobody_is_left_ = n_alive() == 0;
  member.last_transfer_time = member.transfer_time();
  std::unique_ptr<RecordsEncoder> encoder = std::move(member.encoder);
  // Letting a device go may take a while, and the others need not wait for it.
  lock.unlock();
  encoder.reset();
  lock.lock();
}

/// Whether there is something to do for this encoder.
bool EncoderPool::is_wanted(const Member& member) const {
  if (member.can_assemble && !assemblies_.empty()) {
    return true;
  }
  return run_to_join() != nullptr && (!member.is_dormant || n_alive() == 1);
}

/// The run with the fewest encoders that has records for one more, the oldest of equals.
EncoderPool::Run* EncoderPool::run_to_join() const {
  Run* best = nullptr;
  for (Run* const run : runs_) {
    if (run->wants_encoders() && (best == nullptr || run->n_workers < best->n_workers)) {
      best = run;
    }
  }
  return best;
}

/// Encoders that are not lost; a fallback that was not needed yet is one.
std::size_t EncoderPool::n_alive() const {
  return static_cast<std::size_t>(std::count_if(
      members_.begin(), members_.end(),
      [](const auto& member) { return member->state != EncoderStatus::State::kLost; }));
}

void EncoderPool::warn(const std::string& line) {
  const std::lock_guard lock(warning_mutex_);
  if (options_.on_warning) {
    options_.on_warning(line);
  }
}

bool EncoderPool::can_assemble_sectors() const {
  const std::lock_guard lock(mutex_);
  return std::any_of(members_.begin(), members_.end(),
                     [](const auto& member) { return member->can_assemble; });
}

std::vector<EncoderStatus> EncoderPool::encoders() const {
  const std::lock_guard lock(mutex_);
  std::vector<EncoderStatus> result;
  for (const std::unique_ptr<Member>& member : members_) {
    if (!member->is_dormant) {
      result.push_back(
          {member->name, member->state, member->records_done, member->transfer_time()});
    }
  }
  return result;
}

std::chrono::duration<double> EncoderPool::transfer_time() const {
  const std::lock_guard lock(mutex_);
  std::chrono::duration<double> result{};
  for (const std::unique_ptr<Member>& member : members_) {
    result += member->transfer_time();
  }
  return result;
}

std::size_t EncoderPool::size() const {
  const std::vector<EncoderStatus> all = encoders();
  const auto alive = std::count_if(all.begin(), all.end(), [](const EncoderStatus& encoder) {
    return encoder.state != EncoderStatus::State::kLost;
  });
  return std::max<std::size_t>(1, static_cast<std::size_t>(alive));
}

std::string EncoderPool::name() const {
  std::string result;
  for (const EncoderStatus& encoder : encoders()) {
    if (encoder.state != EncoderStatus::State::kLost) {
      result += (result.empty() ? "" : " + ") + encoder.name;
    }
  }
  return result.empty() ? "none left" : result;
}

}  // namespace furrow
