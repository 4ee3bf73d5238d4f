// SPDX-License-Identifier: Apache-2.0
// Streams: queues of device work that runs in order.
#pragma once

#include "cuda/runtime/cuda_api.hpp"

namespace furrow::cuda {

/// A stream that somebody else owns, and the device it is on. Copyable, thread-safe.
class StreamView {
 public:
  StreamView(cudaStream_t stream, int device) : stream_(stream), device_(device) {}
  [[nodiscard]] cudaStream_t get() const noexcept { return stream_; }
  [[nodiscard]] int device() const noexcept { return device_; }
  /// Waits for everything enqueued so far. Throws CudaError, and DeviceHangs when the thread has run
  /// out of patience (patience.hpp).
  void synchronize() const;
  /// The same for destructors and the like: a failure is logged.
  void synchronize_quietly() const noexcept;

 private:
  cudaStream_t stream_;
  int device_;
};

/// Owns a stream that does not wait for the default stream. Move-only.
class Stream {
 public:
  /// Makes `device` the current one of this thread. Throws CudaError.
  explicit Stream(int device);
  Stream(Stream&& other) noexcept;
  Stream& operator=(Stream&& other) noexcept;
  ~Stream();
  [[nodiscard]] StreamView view() const noexcept { return {stream_, device_}; }
  // NOLINTNEXTLINE(google-explicit-constructor): a view is what is wanted of an owner
  operator StreamView() const noexcept { return view(); }

 private:
  cudaStream_t stream_ = nullptr;
  int device_;
};

}  // namespace furrow::cuda
