// SPDX-License-Identifier: Apache-2.0
// RecordsEncoder on CPU threads.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "furrow/records_encoder.hpp"

#include "host/base/mutex.hpp"
#include "host/base/simd_mode.hpp"
#include "host/plotting/record_encoding.hpp"

namespace furrow {

/// Encodes records on a fixed number of workers, each with tables of its own (proof_table_bytes)
/// that are kept between calls. A worker takes the next free record until none is left. A stop or a
/// pause takes effect inside a record, within a few milliseconds; a record that is stopped is as it
/// was. One of the threads is the one that calls; with fewer than wanted, down to that one, it goes on
/// more slowly.
///
/// Calls at the same time share the workers, who go from one call to the next in turn, record by
/// record.
class CpuRecordsEncoder final : public RecordsEncoder {
 public:
  static constexpr std::size_t kCallsAtOnce = 64;

  struct Options {
    /// Workers; 0 is refused.
    unsigned threads = 1;
    SimdMode mode = SimdMode::kBest;
    unsigned k = kPosK;
  };

  /// Throws InvalidArgument for no threads or an unsupported K.
  explicit CpuRecordsEncoder(Options options);

  EncodeOutcome encode(EncodingJob& job, std::stop_token stop) override;
  [[nodiscard]] std::size_t calls_at_once() const override { return kCallsAtOnce; }
  [[nodiscard]] std::string name() const override;

 private:
  class Turn;

  void tell_waiting();

  Options options_;
  Mutex mutex_;
  ConditionVariable changed_;
  std::vector<std::unique_ptr<RecordEncoding>> idle_ FURROW_GUARDED_BY(mutex_);
  std::deque<std::uint64_t> waiting_ FURROW_GUARDED_BY(mutex_);  // turns, in their order
  std::uint64_t next_turn_ FURROW_GUARDED_BY(mutex_) = 0;
};

}  // namespace furrow
