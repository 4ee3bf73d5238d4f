// SPDX-License-Identifier: Apache-2.0
// A seam of the fake CUDA runtime for who keeps a time of its own for what devices do.
#pragma once

#include <atomic>
#include <cstddef>

#include "simt/cuda_api.hpp"

namespace furrow::simt {

/// Told of each call, by the thread that makes it, before the runtime does anything about it and with none of its
/// locks held: so it may keep the caller for as long as a device would.
class DeviceTimer {
 public:
  virtual ~DeviceTimer() = default;
  virtual void on_copy(cudaStream_t stream, std::size_t n_bytes, cudaMemcpyKind kind) = 0;
  virtual void on_launch(cudaStream_t stream, dim3 grid) = 0;
  virtual void on_record(cudaStream_t stream, cudaEvent_t event) = 0;
  /// The caller waits for the event, or asks whether it is reached.
  virtual void on_wait(cudaEvent_t event) = 0;

  /// Null when there is none, as at first. Whoever sets one takes it away again.
  static std::atomic<DeviceTimer*>& current() {
    static std::atomic<DeviceTimer*> timer = nullptr;
    return timer;
  }
};

/// Calls `tell` with the timer, if there is one.
template <class Tell>
void tell_timer(const Tell& tell) {
  if (DeviceTimer* const timer = DeviceTimer::current()) {
    tell(*timer);
  }
}

}  // namespace furrow::simt
