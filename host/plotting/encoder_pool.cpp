#include "host/plotting/encoder_pool.hpp"

#include <algorithm>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>

#include "host/plotting/verified_encoder.hpp"

namespace furrow {

/// One call of encode: what its threads share. Thread-safe.
class EncoderPool::Run {
 public:
  Run(EncoderPool& pool, EncodingJob& job, const std::stop_token& stop)
      : pool_(pool),
        forward_(stop, [this] { end_.request_stop(); }),
        job_(job.watched({.may_claim = [this] { return may_claim(); },
                          .on_done = [this](PieceOffset) { on_done(); }})) {}

  /// The part of one encoder. False when it is to be retired.
  bool work(RecordsEncoder& encoder) {
    try {
      // Waiting, and not leaving when all is claimed: another one may be lost and give back.
      while (job_.wait_for_unclaimed(end_.get_token())) {
        encoder.encode(job_, end_.get_token());
      }
    } catch (const DeviceLost& error) {
      warn(encoder.name() + " is lost and used no more: " + error.reason());
      return false;
    } catch (const WrongEncoding& error) {
      fail();
      warn(encoder.name() + " is quarantined: " + error.what());
      return false;
    } catch (...) {
      fail();
    }
    return true;
  }

  void rethrow_failure() {
    if (failure_ != nullptr) {
      std::rethrow_exception(failure_);
    }
  }

 private:
  bool may_claim() {
    return pool_.options_.gate == nullptr || pool_.options_.gate->wait(end_.get_token());
  }
  void on_done() {
    if (pool_.options_.on_record_done) {
      pool_.options_.on_record_done();
    }
  }
  void warn(const std::string& line) {
    const std::lock_guard lock(mutex_);
    pool_.warn(line);
  }
  /// Keeps the current exception, unless there was one before, and ends the work of all.
  void fail() {
    {
      const std::lock_guard lock(mutex_);
      if (failure_ == nullptr) {
        failure_ = std::current_exception();
      }
    }
    end_.request_stop();
  }

  EncoderPool& pool_;
  std::stop_source end_;
  std::stop_callback<std::function<void()>> forward_;
  EncodingJob job_;
  std::mutex mutex_;
  std::exception_ptr failure_;
};

EncoderPool::EncoderPool(Options options) : options_(std::move(options)) {
  if (options_.encoders.empty() && !options_.make_fallback) {
    throw InvalidArgument("encoder pool: needs an encoder or a fallback, has neither");
  }
}

EncodeOutcome EncoderPool::encode(EncodingJob& job, std::stop_token stop) {
  std::vector<std::unique_ptr<RecordsEncoder>>& encoders = options_.encoders;
  Run run(*this, job, stop);
  {
    std::vector<std::jthread> threads;
    threads.reserve(encoders.size());
    for (std::unique_ptr<RecordsEncoder>& encoder : encoders) {
      threads.emplace_back([&run, &encoder] {
        if (!run.work(*encoder)) {
          encoder.reset();  // on its own thread, while the others go on
        }
      });
    }
  }
  std::erase(encoders, nullptr);
  run.rethrow_failure();

  if (encoders.empty() && !stop.stop_requested() && !job.all_done()) {
    if (fallback_ == nullptr) {
      if (!options_.make_fallback) {
        throw DeviceLost("encoder pool", "no encoder is left");
      }
      fallback_ = options_.make_fallback();
      warn("no device is left; " + fallback_->name() + " encodes from here on");
    }
    if (!run.work(*fallback_)) {
      throw DeviceLost(fallback_->name(), "there is nothing left to fall back to");
    }
    run.rethrow_failure();
  }
  return job.all_done() ? EncodeOutcome::kComplete : EncodeOutcome::kCancelled;
}

bool EncoderPool::assemble_sector(const SectorContents& contents, std::span<std::uint8_t> sector) {
  return std::any_of(options_.encoders.begin(), options_.encoders.end(),
                     [&](const std::unique_ptr<RecordsEncoder>& encoder) {
                       return encoder->assemble_sector(contents, sector);
                     });
}

void EncoderPool::warn(const std::string& line) {
  if (options_.on_warning) {
    options_.on_warning(line);
  }
}

std::string EncoderPool::name() const {
  std::string result;
  for (const std::unique_ptr<RecordsEncoder>& encoder : options_.encoders) {
    result += (result.empty() ? "" : " + ") + encoder->name();
  }
  return !result.empty() ? result : fallback_ != nullptr ? fallback_->name() : "none left";
}

}  // namespace furrow
