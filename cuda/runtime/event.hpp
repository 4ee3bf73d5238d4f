// SPDX-License-Identifier: Apache-2.0
// Events: marks in a stream that can be waited for and timed.
#pragma once

#include "cuda/runtime/cuda_api.hpp"
#include "cuda/runtime/stream.hpp"

namespace furrow::cuda {

enum class EventKind {
  kCompletion,  ///< waiting puts the thread to sleep; no time is kept
  kTiming,      ///< keeps the time at which the device passed it
};

/// Owns an event. Move-only, thread-compatible.
class Event {
 public:
  /// Belongs to `device`, which becomes the current one of this thread. Throws CudaError.
  Event(int device, EventKind kind);
  Event(Event&& other) noexcept;
  Event& operator=(Event&& other) noexcept;
  ~Event();
  [[nodiscard]] cudaEvent_t get() const noexcept { return event_; }

  /// Marks what is enqueued on `stream` so far. Throws CudaError.
  void record(StreamView stream);
  /// Whether the device has passed the mark; true when nothing was recorded. Throws CudaError, also
  /// for failures of the work before the mark.
  [[nodiscard]] bool is_reached() const;
  /// Waits until the device has passed the mark; throws like is_reached, and DeviceHangs when the
  /// thread has run out of patience (patience.hpp).
  void synchronize() const;

 private:
  cudaEvent_t event_ = nullptr;
};

/// Milliseconds on the device between two timing events that were reached. Throws CudaError.
[[nodiscard]] float milliseconds_between(const Event& start, const Event& end);

}  // namespace furrow::cuda
