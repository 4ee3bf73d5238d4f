// SPDX-License-Identifier: Apache-2.0
#include <utility>

#include "cuda/runtime/check.hpp"
#include "cuda/runtime/log.hpp"
#include "cuda/runtime/patience.hpp"
#include "cuda/runtime/stream.hpp"

namespace furrow::cuda {

namespace {

bool is_idle(cudaStream_t stream) {
  const cudaError_t status = cudaStreamQuery(stream);
  if (status == cudaErrorNotReady) {
    static_cast<void>(cudaGetLastError());  // an answer, not a failure
    return false;
  }
  check(status, "cudaStreamQuery");
  return true;
}

}  // namespace

void StreamView::synchronize() const {
  if (Patience* const patience = Patience::current()) {
    patience->wait_until([this] { return is_idle(stream_); }, "cudaStreamQuery");
    return;
  }
  check(cudaStreamSynchronize(stream_), "cudaStreamSynchronize");
}

void StreamView::synchronize_quietly() const noexcept {
  try {
    synchronize();
  } catch (const CudaError& error) {
    log_unless_success(error.status(), "waiting for a stream");
  } catch (...) {
    log(CudaLogLevel::kWarning, "waiting for a stream failed, and so did describing it");
  }
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
