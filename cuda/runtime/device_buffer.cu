// SPDX-License-Identifier: Apache-2.0
#include "cuda/runtime/check.hpp"
#include "cuda/runtime/device_buffer.hpp"

namespace furrow::cuda {
namespace {

bool has_memory_pools(int device) {
  int supported = 0;
  check(cudaDeviceGetAttribute(&supported, cudaDevAttrMemoryPoolsSupported, device),
        "cudaDeviceGetAttribute");
  return supported != 0;
}

/// What the current device has left; 0 when it does not say.
std::size_t free_bytes_if_known() {
  std::size_t free_bytes = 0;
  std::size_t total_bytes = 0;
  if (cudaMemGetInfo(&free_bytes, &total_bytes) != cudaSuccess) {
    static_cast<void>(cudaGetLastError());
    return 0;
  }
  return free_bytes;
}

}  // namespace

DeviceMemory::DeviceMemory(StreamView stream, std::size_t n_bytes)
    : stream_(stream), n_bytes_(n_bytes) {
  if (n_bytes == 0) {
    return;
  }
  use_device(stream.device());
  is_pooled_ = has_memory_pools(stream.device());
  const char* const call = is_pooled_ ? "cudaMallocAsync" : "cudaMalloc";
  const cudaError_t status =
      is_pooled_ ? cudaMallocAsync(&d_data_, n_bytes, stream.get()) : cudaMalloc(&d_data_, n_bytes);
  if (status == cudaErrorMemoryAllocation) {
    static_cast<void>(cudaGetLastError());
    throw CudaOutOfMemory(call, std::source_location::current(),
                          "memory of " + device_text(stream.device()), n_bytes,
                          free_bytes_if_known());
  }
  check(status, call);
}

DeviceMemory::DeviceMemory(DeviceMemory&& other) noexcept
    : stream_(other.stream_),
      d_data_(std::exchange(other.d_data_, nullptr)),
      n_bytes_(std::exchange(other.n_bytes_, 0)),
      is_pooled_(other.is_pooled_) {}

DeviceMemory& DeviceMemory::operator=(DeviceMemory&& other) noexcept {
  std::swap(stream_, other.stream_);
  std::swap(d_data_, other.d_data_);
  std::swap(n_bytes_, other.n_bytes_);
  std::swap(is_pooled_, other.is_pooled_);
  return *this;
}

DeviceMemory::~DeviceMemory() {
  if (d_data_ == nullptr) {
    return;
  }
  if (is_pooled_) {
    log_unless_success(cudaFreeAsync(d_data_, stream_.get()), "cudaFreeAsync");
  } else {
    log_unless_success(cudaFree(d_data_), "cudaFree");
  }
}

}  // namespace furrow::cuda
