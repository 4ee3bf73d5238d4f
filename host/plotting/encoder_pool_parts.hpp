// SPDX-License-Identifier: Apache-2.0
// What an EncoderPool keeps of its encoders and of the calls that they work on.
#pragma once

#include <algorithm>
#include <atomic>
#include <exception>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "host/plotting/encoder_pool.hpp"

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
  [[nodiscard]] bool has_unclaimed() const { return job_.has_unclaimed(); }
  [[nodiscard]] bool is_over() const { return end_.stop_requested() || job_.all_done(); }
  [[nodiscard]] const SectorId& sector_id() const { return job_.sector_id(); }
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
  /// An encoder could not encode a record. All are as they were or done, so others may go on.
  void refuse(const Member& member, std::exception_ptr error) {
    refusers_.push_back(&member);
    last_refusal_ = std::move(error);
  }
  [[nodiscard]] bool was_refused_by(const Member& member) const {
    return std::find(refusers_.begin(), refusers_.end(), &member) != refusers_.end();
  }
  [[nodiscard]] bool has_worker(const Member& member) const {
    return std::find(workers.begin(), workers.end(), &member) != workers.end();
  }
  void rethrow_failure() const {
    if (failure_ != nullptr) {
      std::rethrow_exception(failure_);
    }
  }
  void rethrow_refusal() const {
    if (last_refusal_ != nullptr) {
      std::rethrow_exception(last_refusal_);
    }
  }

  std::vector<const Member*> workers = {};
  /// An encoder came out after a stop request without having completed. What it has done may be
  /// unverified, so the records do not count even if others do the last of them.
  bool was_cut_short = false;

 private:
  bool may_go_on() const {
    return pool_.options_.gate == nullptr || pool_.options_.gate->wait(end_.get_token());
  }

  EncoderPool& pool_;
  std::stop_source end_;
  std::stop_callback<std::function<void()>> forward_;
  EncodingJob job_;
  std::exception_ptr failure_;
  std::exception_ptr last_refusal_;
  std::vector<const Member*> refusers_;
};

/// What came of one call of an encoder's encode.
struct EncoderPool::Attempt {
  EncodeOutcome outcome = EncodeOutcome::kCancelled;
  bool has_done_records = false;
  std::exception_ptr failure;     // of the sector with this encoder
  bool may_others_go_on = false;  // after the failure: records are as they were, or done
  std::string loss;               // why the encoder is to be retired; empty when it is not
};

/// An encoder, and the threads that it works on: one for each call that it takes at the same time, as
/// far as they were needed so far. What is here, and which encoder it is, is guarded by the mutex of
/// the pool.
struct EncoderPool::Member {
  explicit Member(std::unique_ptr<RecordsEncoder> own)
      : encoder(std::move(own)),
        name(encoder != nullptr ? encoder->name() : ""),
        is_dormant(encoder == nullptr) {}

  [[nodiscard]] bool has_failed_with(const SectorId& sector_id) const {
    return std::find(failed_sectors.begin(), failed_sectors.end(), sector_id) !=
           failed_sectors.end();
  }
  /// Whether these are too many. A sector counts once, however often it is tried.
  bool count_failure(const SectorId& sector_id) {
    if (!has_failed_with(sector_id)) {
      failed_sectors.push_back(sector_id);
      ++failures_in_a_row;
    }
    return failures_in_a_row >= kMostFailures;
  }

  [[nodiscard]] std::chrono::duration<double> transfer_time() const {
    return encoder != nullptr ? encoder->transfer_time() : last_transfer_time;
  }

  [[nodiscard]] EncoderStatus::State state() const {
    return is_lost         ? EncoderStatus::State::kLost
           : n_working > 0 ? EncoderStatus::State::kWorking
                           : EncoderStatus::State::kIdle;
  }
  /// Whether it takes as many calls as there are, and has fewer threads.
  [[nodiscard]] bool has_room_for_thread(std::size_t n_calls) const {
    return encoder != nullptr && threads.size() < std::min(n_calls, encoder->calls_at_once());
  }

  /// Null: not made yet, or lost. Shared by the threads that are in it: the last one out destroys it.
  std::shared_ptr<RecordsEncoder> encoder;
  std::chrono::duration<double> last_transfer_time{};  // of the encoder when it was retired
  std::string name;
  bool is_dormant;  // the fallback, until it is needed and made
  bool is_lost = false;
  std::size_t n_working = 0;
  std::vector<SectorId> failed_sectors;
  unsigned failures_in_a_row = 0;
  std::atomic<std::uint64_t> records_done = 0;
  std::vector<std::jthread> threads;  // grows only
};

}  // namespace furrow
