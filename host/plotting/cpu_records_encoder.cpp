// SPDX-License-Identifier: Apache-2.0
#include "host/plotting/cpu_records_encoder.hpp"

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "host/base/counted.hpp"
#include "host/base/threads.hpp"
#include "host/primitives/sector_id.hpp"

namespace furrow {

/// A worker for the length of one record. Who waits longest gets the next one that is idle, so that
/// no call keeps the workers from another.
class CpuRecordsEncoder::Turn {
 public:
  /// Waits; has no worker when a stop was requested or the job has no record left to claim.
  Turn(CpuRecordsEncoder& encoder, const EncodingJob& job, const std::stop_token& stop)
      : encoder_(encoder) {
    const Lock lock(encoder_.mutex_);
    const std::uint64_t turn = encoder_.next_turn_++;
    encoder_.waiting_.push_back(turn);
    const auto has_come = [this, turn]() FURROW_REQUIRES(encoder_.mutex_) {
      return !encoder_.idle_.empty() && encoder_.waiting_.front() == turn;
    };
    encoder_.changed_.wait(encoder_.mutex_, stop, [&]() FURROW_REQUIRES(encoder_.mutex_) {
      return has_come() || !job.has_unclaimed();
    });
    if (has_come() && !stop.stop_requested()) {
      worker_ = std::move(encoder_.idle_.back());
      encoder_.idle_.pop_back();
    }
    std::erase(encoder_.waiting_, turn);
    encoder_.changed_.notify_all();
  }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;
  ~Turn() {
    if (worker_ != nullptr) {
      const Lock lock(encoder_.mutex_);
      encoder_.idle_.push_back(std::move(worker_));  // there is room: it came from there
      encoder_.changed_.notify_all();
    }
  }

  /// Null without a worker.
  [[nodiscard]] RecordEncoding* worker() const { return worker_.get(); }

 private:
  CpuRecordsEncoder& encoder_;
  std::unique_ptr<RecordEncoding> worker_;
};

CpuRecordsEncoder::CpuRecordsEncoder(Options options) : options_(std::move(options)) {
  if (options_.threads == 0) {
    throw InvalidArgument("CPU encoder: needs at least 1 thread, actual 0");
  }
  for (unsigned i = 0; i < options_.threads; ++i) {
    idle_.push_back(std::make_unique<RecordEncoding>(options_.k, options_.mode));
  }
}

EncodeOutcome CpuRecordsEncoder::encode(EncodingJob& job, std::stop_token stop) {
  std::atomic<bool> cancelled = false;
  run_workers(
      std::min<std::size_t>(options_.threads, job.size()), "fw-encode", stop,
      [&](std::size_t, const std::stop_token& end) {
        while (true) {
          const Turn turn(*this, job, end);
          if (end.stop_requested()) {
            cancelled = true;
            return;
          }
          if (turn.worker() == nullptr) {
            return;
          }
          Claim claim(job, 1);
          if (claim.empty()) {
            return;
          }
          tell_waiting();
          const PieceOffset offset = claim.pending().front();
          if (turn.worker()->encode(job.network(), derive_evaluation_seed(job.sector_id(), offset),
                                    offset, job.record(offset), job.found_proofs(offset), [&] {
                                      return !end.stop_requested() && job.may_go_on();
                                    }) == EncodeOutcome::kCancelled) {
            cancelled = true;
            return;
          }
          claim.done(offset);
        }
      });
  // One that was stopped when another did the last record has left nothing out.
  return cancelled && !job.all_done() ? EncodeOutcome::kCancelled : EncodeOutcome::kComplete;
}

/// Who waits for a worker may do so for nothing: the last record may be claimed.
void CpuRecordsEncoder::tell_waiting() {
  const Lock lock(mutex_);
  changed_.notify_all();
}

std::string CpuRecordsEncoder::name() const {
  return std::string("cpu (") + simd_target_name(options_.mode) + ", " +
         counted(options_.threads, "thread") + ")";
}

}  // namespace furrow
