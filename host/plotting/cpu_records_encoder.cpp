// SPDX-License-Identifier: Apache-2.0
#include "host/plotting/cpu_records_encoder.hpp"

#include <algorithm>
#include <atomic>
#include <utility>

#include "host/base/counted.hpp"
#include "host/base/threads.hpp"
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
  run_workers(std::min(workers_.size(), job.size()), "fw-encode", stop,
              [&](std::size_t worker, const std::stop_token& end) {
                RecordEncoding& encoding = *workers_[worker];
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
              });
  // One that was stopped when another did the last record has left nothing out.
  return cancelled && !job.all_done() ? EncodeOutcome::kCancelled : EncodeOutcome::kComplete;
}

std::string CpuRecordsEncoder::name() const {
  return std::string("cpu (") + simd_target_name(options_.mode) + ", " +
         counted(options_.threads, "thread") + ")";
}

}  // namespace furrow
