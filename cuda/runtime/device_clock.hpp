// SPDX-License-Identifier: Apache-2.0
// One clock for what a host thread does and for what a device does.
#pragma once

#include <chrono>

#include "cuda/runtime/event.hpp"
#include "cuda/runtime/stream.hpp"

namespace furrow::cuda {

/// Seconds since it was made, by the clock of the host and by events of the device. The two agree
/// to some microseconds, which is how long an idle device takes to see what was enqueued; they
/// drift apart by as much in a second, so a clock is not meant to be kept. Thread-compatible.
class DeviceClock {
 public:
  /// Starts at 0. Pre: nothing is under way on `stream`, which is waited for. Throws CudaError.
  explicit DeviceClock(StreamView stream);

  [[nodiscard]] double now() const;
  /// When the device passed the mark. Pre: a timing event, which was recorded since the clock was
  /// made, and reached. Throws CudaError.
  [[nodiscard]] double at(const Event& event) const;

 private:
  Event start_;
  std::chrono::steady_clock::time_point host_start_;
};

}  // namespace furrow::cuda
