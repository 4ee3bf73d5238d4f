#include "host/plotting/cpu_records_encoder.hpp"

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>

#include "host/primitives/sector_id.hpp"

namespace furrow {

CpuRecordsEncoder::CpuRecordsEncoder(Options options) : options_(std::move(options)) {
  if (options_.threads == 0) {
    throw InvalidArgument("CPU encoder: needs at least 1 thread, actual 0");
  }
  for (unsigned i = 0; i < options_.threads; ++i) {
    workers_.push_back(std::make_unique<RecordEncoding>(options_.k, options_.mode));
  }
}

EncodeOutcome CpuRecordsEncoder::encode(EncodingJob& job, std::stop_token stop) {
  std::atomic<bool> cancelled = false;
  std::mutex failure_mutex;
  std::exception_ptr failure;
  // Ends the other workers when one fails, or when the caller wants to stop.
  std::stop_source end;
  const std::stop_callback forward(stop, [&] { end.request_stop(); });

  const auto work = [&](RecordEncoding& encoding) {
    try {
      while (true) {
        if (end.stop_requested()) {
          cancelled = true;
          return;
        }
        Claim claim(job, 1);
        if (claim.empty()) {
          return;
        }
        const PieceOffset offset = claim.pending().front();
        if (encoding.encode(derive_evaluation_seed(job.sector_id(), offset), offset,
                            job.record(offset), job.found_proofs(offset), [&] {
                              return !end.stop_requested() && job.may_go_on();
                            }) == EncodeOutcome::kCancelled) {
          cancelled = true;
          return;
        }
        claim.done(offset);
      }
    } catch (...) {
      const std::lock_guard lock(failure_mutex);
      if (failure == nullptr) {
        failure = std::current_exception();
      }
      end.request_stop();
    }
  };

  {
    std::vector<std::jthread> threads;
    const std::size_t n = std::min(workers_.size(), job.size());
    for (std::size_t i = 0; i < n; ++i) {
      threads.emplace_back([&work, &encoding = *workers_[i]] { work(encoding); });
    }
  }
  if (failure != nullptr) {
    std::rethrow_exception(failure);
  }
  return cancelled ? EncodeOutcome::kCancelled : EncodeOutcome::kComplete;
}

std::string CpuRecordsEncoder::name() const {
  return std::string("cpu (") + simd_target_name(options_.mode) + ", " +
         std::to_string(options_.threads) + " threads)";
}

}  // namespace furrow
