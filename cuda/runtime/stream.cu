// SPDX-License-Identifier: Apache-2.0
#include <utility>

#include "cuda/runtime/check.hpp"
#include "cuda/runtime/stream.hpp"

namespace furrow::cuda {

void StreamView::synchronize() const {
  check(cudaStreamSynchronize(stream_), "cudaStreamSynchronize");
}

Stream::Stream(int device) : device_(device) {
  use_device(device);
  check(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "cudaStreamCreateWithFlags");
}

Stream::Stream(Stream&& other) noexcept
    : stream_(std::exchange(other.stream_, nullptr)), device_(other.device_) {}

Stream& Stream::operator=(Stream&& other) noexcept {
  std::swap(stream_, other.stream_);
  std::swap(device_, other.device_);
  return *this;
}

Stream::~Stream() {
  if (stream_ != nullptr) {
    log_unless_success(cudaStreamDestroy(stream_), "cudaStreamDestroy");
  }
}

}  // namespace furrow::cuda
