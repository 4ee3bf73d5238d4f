// SPDX-License-Identifier: Apache-2.0
#include "host/plotting/encoder_pool.hpp"

#include <algorithm>
#include <atomic>
#include <exception>
#include <memory>
#include <utility>

#include "host/base/foreign_error.hpp"
#include "host/base/mutex.hpp"
#include "host/base/threads.hpp"
#include "host/plotting/driver_call.hpp"
#include "host/plotting/encoder_pool_parts.hpp"
#include "host/plotting/verified_encoder.hpp"

namespace furrow {
namespace {

/// After a device that hangs the process must not wait for the driver in the end.
void note_if_silent(const std::exception_ptr& failure) {
  try {
    std::rethrow_exception(failure);
  } catch (const DeviceSilent&) {
    note_silent_driver();
  } catch (...) {
    // whoever caught it first says so
  }
}

}  // namespace

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
  start_members();
}

/// An encoder without a thread is as good as lost, and the others go on.
void EncoderPool::start_members() {
  std::exception_ptr failure;
  for (const std::unique_ptr<Member>& member : members_) {
    try {
      const Lock lock(mutex_);
      start_thread_of(*member);
    } catch (const std::exception& error) {
      failure = std::current_exception();
      {
        const Lock lock(mutex_);
        retire(*member);
      }
      warn((member->is_dormant ? "the encoder to fall back to" : member->name) +
           " is not used: " + error.what());
    }
  }
  const Lock lock(mutex_);
  if (nobody_is_left_) {  // so no thread waits for an end either
    std::rethrow_exception(failure);
  }
}

void EncoderPool::start_thread_of(Member& member) {
  member.threads.reserve(member.threads.size() + 1);  // so that a thread that was started is kept
  member.threads.push_back(start_thread("fw-encoder", [this, &member] { serve(member); }));
}

/// Encoders that take several calls get a thread for each that there is now.
void EncoderPool::add_threads() {
  for (const std::unique_ptr<Member>& member : members_) {
    if (member->has_room_for_thread(runs_.size())) {
      try {
        start_thread_of(*member);
      } catch (const std::exception&) {
        return;  // calls take turns then
      }
    }
  }
}

EncoderPool::~EncoderPool() {
  const Lock lock(mutex_);
  is_closing_ = true;
  changed_.notify_all();
}

EncodeOutcome EncoderPool::encode(EncodingJob& job, std::stop_token stop) {
  Run run(*this, job, stop);
  {
    const Lock lock(mutex_);
    runs_.push_back(&run);
    add_threads();
    changed_.notify_all();
    // A stop request ends the first wait; encoders that are inside still have to come out.
    changed_.wait(mutex_, run.end(),
                  [&]() FURROW_REQUIRES(mutex_) { return run.is_over() || !can_be_finished(run); });
    changed_.wait(mutex_, [&] { return run.workers.empty(); });
    std::erase(runs_, &run);
  }
  run.rethrow_failure();
  if (job.all_done() && !run.was_cut_short) {
    return EncodeOutcome::kComplete;
  }
  if (stop.stop_requested()) {
    return EncodeOutcome::kCancelled;
  }
  run.rethrow_refusal();
  const Lock lock(mutex_);
  if (nobody_is_left_) {
    throw DeviceLost("encoder pool", "no encoder is left; " + last_loss_);
  }
  throw EncoderError("encoder pool: records were neither encoded nor given back");
}

/// The life of a thread of an encoder.
void EncoderPool::serve(Member& member) {
  const Lock lock(mutex_);
  while (true) {
    changed_.wait(mutex_,
                  [&]() FURROW_REQUIRES(mutex_) { return is_closing_ || is_wanted(member); });
    if (is_closing_ || !make_ready(member)) {
      return;
    }
    ++member.n_working;
    if (Run* const run = run_to_join(member)) {
      work_on(*run, member);
    }
    --member.n_working;
    changed_.notify_all();
    if (member.is_lost) {
      return;
    }
  }
}

/// Encodes records of `run` until none is left to claim or the encoder fails.
void EncoderPool::work_on(Run& run, Member& member) {
  run.workers.push_back(&member);
  Attempt attempt;
  {
    std::shared_ptr<RecordsEncoder> encoder = member.encoder;
    const Unlocked unlocked(mutex_);
    attempt = encode_some(run, member, *encoder);
    encoder.reset();  // without the mutex, because letting a device go may take a while
  }
  take_note(attempt, run, member);
  if (!attempt.loss.empty() && !member.is_lost) {
    last_loss_ = member.name + " " + attempt.loss;
    {
      const Unlocked unlocked(mutex_);
      warn(member.name + " " + attempt.loss);
    }
    retire(member);
  }
  std::erase(run.workers, &member);
}

EncoderPool::Attempt EncoderPool::encode_some(Run& run, Member& member, RecordsEncoder& encoder) {
  Attempt result;
  std::atomic<bool> has_done_records = false;
  bool is_wrong = false;
  try {
    EncodingJob job = run.job_for([&](PieceOffset) {
      has_done_records = true;
      ++member.records_done;
      options_.on_record_done();
    });
    result.outcome =
        with_typed_errors("encoder " + member.name, [&] { return encoder.encode(job, run.end()); });
  } catch (const DeviceLost& error) {
    note_if_silent(std::current_exception());
    result.loss = "is lost and used no more: " + error.reason();
  } catch (const WrongEncoding& error) {
    is_wrong = true;
    result.loss = std::string("is quarantined: ") + error.what();
    result.failure = std::current_exception();
  } catch (const EncoderError&) {
    result.may_others_go_on = true;
    result.failure = std::current_exception();
  } catch (const UnencodableRecord&) {
    result.may_others_go_on = true;
    result.failure = std::current_exception();
  } catch (...) {
    result.failure = std::current_exception();
  }
  result.has_done_records = has_done_records;
  if (result.failure != nullptr && !is_wrong) {
    warn(member.name + " could not encode a sector: " + message_of(result.failure));
  }
  return result;
}

/// What an attempt means for the sector, and for the encoder.
void EncoderPool::take_note(Attempt& attempt, Run& run, Member& member) {
  run.was_cut_short |= attempt.outcome == EncodeOutcome::kCancelled && run.end().stop_requested();
  if (attempt.failure == nullptr) {
    if (attempt.has_done_records) {
      member.failures_in_a_row = 0;
    }
    return;
  }
  if (attempt.loss.empty() && member.count_failure(run.sector_id())) {
    attempt.loss = "has failed with " + std::to_string(kMostFailures) +
                   " sectors one after another and is used no more: " + message_of(attempt.failure);
  }
  if (attempt.may_others_go_on) {
    run.refuse(member, attempt.failure);
  } else {
    run.fail(attempt.failure);
  }
}

/// Makes the fallback, if that is what `member` is, and there is no other encoder any more. False
/// when it cannot be had.
bool EncoderPool::make_ready(Member& member) {
  if (!member.is_dormant) {
    return true;
  }
  std::unique_ptr<RecordsEncoder> fallback;
  std::exception_ptr failure;
  {
    const Unlocked unlocked(mutex_);
    try {
      fallback = with_typed_errors("the fallback encoder", options_.make_fallback);
      warn("no device is left; " + fallback->name() + " encodes from here on");
    } catch (...) {
      failure = std::current_exception();
    }
  }
  if (failure != nullptr) {
    last_loss_ = "the fallback cannot be had: " + message_of(failure);
    for (Run* const run : runs_) {
      run->fail(failure);
    }
    retire(member);
    changed_.notify_all();
    return false;
  }
  member.is_dormant = false;
  member.name = fallback->name();
  member.encoder = std::move(fallback);
  return true;
}

void EncoderPool::retire(Member& member) {
  member.is_lost = true;
  nobody_is_left_ = n_alive() == 0;
  member.last_transfer_time = member.transfer_time();
  std::shared_ptr<RecordsEncoder> encoder = std::move(member.encoder);
  // Letting a device go may take a while, and the others need not wait for it.
  const Unlocked unlocked(mutex_);
  encoder.reset();
}

/// Whether there is something to do for this encoder.
bool EncoderPool::is_wanted(const Member& member) const {
  return can_work(member) && run_to_join(member) != nullptr;
}

/// The fallback has its turn when the others are gone.
bool EncoderPool::can_work(const Member& member) const {
  return !member.is_lost && (!member.is_dormant || n_alive() == 1);
}

/// Not twice, and a sector that this encoder has failed with before is left to those that have not.
bool EncoderPool::may_join(const Member& member, const Run& run) const {
  return !run.was_refused_by(member) && !run.has_worker(member) &&
         (!member.has_failed_with(run.sector_id()) ||
          std::none_of(members_.begin(), members_.end(),
                       [&](const auto& other) FURROW_REQUIRES(mutex_) {
                         return can_work(*other) && !run.was_refused_by(*other) &&
                                !other->has_failed_with(run.sector_id());
                       }));
}

/// Whether the records that are left will be done by somebody.
bool EncoderPool::can_be_finished(const Run& run) const {
  return !run.workers.empty() ||
         (run.has_unclaimed() && std::any_of(members_.begin(), members_.end(),
                                             [&](const auto& member) FURROW_REQUIRES(mutex_) {
                                               return can_work(*member) &&
                                                      !run.was_refused_by(*member);
                                             }));
}

/// The run with the fewest encoders that has records for one more, the oldest of equals.
EncoderPool::Run* EncoderPool::run_to_join(const Member& member) const {
  Run* best = nullptr;
  for (Run* const run : runs_) {
    if (run->wants_encoders() && may_join(member, *run) &&
        (best == nullptr || run->workers.size() < best->workers.size())) {
      best = run;
    }
  }
  return best;
}

/// Encoders that are not lost; a fallback that was not needed yet is one.
std::size_t EncoderPool::n_alive() const {
  return static_cast<std::size_t>(std::count_if(
      members_.begin(), members_.end(), [](const auto& member) { return !member->is_lost; }));
}

void EncoderPool::warn(const std::string& line) {
  const Lock lock(warning_mutex_);
  if (options_.on_warning) {
    options_.on_warning(line);
  }
}

bool EncoderPool::has_encoders() const {
  const Lock lock(mutex_);
  return !nobody_is_left_;
}

std::vector<EncoderStatus> EncoderPool::encoders() const {
  const Lock lock(mutex_);
  std::vector<EncoderStatus> result;
  for (const std::unique_ptr<Member>& member : members_) {
    if (!member->is_dormant) {
      result.push_back(
          {member->name, member->state(), member->records_done, member->transfer_time()});
    }
  }
  return result;
}

std::chrono::duration<double> EncoderPool::transfer_time() const {
  const Lock lock(mutex_);
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
