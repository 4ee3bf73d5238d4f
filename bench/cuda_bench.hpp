// SPDX-License-Identifier: Apache-2.0
// What the benchmarks of the CUDA engine share: limits of the card, times from events.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include "cuda/runtime/event.hpp"
#include "cuda/runtime/stream.hpp"

namespace furrow::cuda {

/// What the card can do at most, at its highest clocks.
struct CardLimits {
  std::string name;
  std::uint64_t free_bytes = 0;
  double bytes_per_second = 0;  ///< of device memory
};

/// Of device 0.
const CardLimits& card_limits();

/// Times a part of what is enqueued on a stream with two events.
class PartTimer {
 public:
  PartTimer() : start_(0, EventKind::kTiming), end_(0, EventKind::kTiming) {}
  /// Runs `enqueue` between the marks.
  void around(StreamView stream, const std::function<void()>& enqueue);
  /// Seconds between the marks; waits for the second one.
  [[nodiscard]] double seconds() const;

 private:
  Event start_;
  Event end_;
};

/// Seconds that the device takes for what `enqueue` puts on `stream`, nothing else running.
double seconds_on_device(StreamView stream, const std::function<void()>& enqueue);

/// What a benchmark reports beside its time; all for one iteration, 0 means not known. How near the
/// pipes are to their limits takes counted instructions: side_by_side.py has them of bench/model.py.
struct Work {
  double records = 0;
  double bytes = 0;        ///< of device memory that must be read or written
  double transferred = 0;  ///< bytes over the bus
};

/// Adds `ms_per_record`, `GiB_per_s` and the share of what memory gives.
void report(benchmark::State& state, const Work& work, double total_seconds);

/// Registers the benchmarks of single kernels, and of records, sectors and transfers.
void register_kernel_benchmarks();
void register_pipeline_benchmarks();

/// Encodes records for so long: an idle card runs at a fraction of its clocks.
void warm_up(std::chrono::duration<double> time);

/// Pseudo-random bytes, the same in each run.
std::vector<std::uint8_t> made_up_bytes(std::size_t n_bytes, std::uint64_t seed);

/// Largest power of two up to `most` of things that take `n_bytes` each and fit in 80 % of the free
/// device memory; at least 1.
std::int64_t fitting(std::int64_t most, std::uint64_t n_bytes);

}  // namespace furrow::cuda
