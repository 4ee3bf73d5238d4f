// SPDX-License-Identifier: Apache-2.0
#include <utility>

#include <unistd.h>

#include "cuda/runtime/check.hpp"
#include "cuda/runtime/pinned_buffer.hpp"

namespace furrow::cuda {
namespace {

std::size_t free_host_bytes() {
  const long pages = sysconf(_SC_AVPHYS_PAGES);
  const long page_size = sysconf(_SC_PAGESIZE);
  return pages < 0 || page_size < 0
             ? 0
             : static_cast<std::size_t>(pages) * static_cast<std::size_t>(page_size);
}

}  // namespace

PinnedMemory::PinnedMemory(std::size_t n_bytes) : n_bytes_(n_bytes) {
  if (n_bytes == 0) {
    return;
  }
  const cudaError_t status = cudaHostAlloc(&data_, n_bytes, cudaHostAllocPortable);
  if (status == cudaErrorMemoryAllocation) {
    static_cast<void>(cudaGetLastError());
    throw CudaOutOfMemory("cudaHostAlloc", std::source_location::current(), "pinned host memory",
                          n_bytes, free_host_bytes());
  }
  check(status, "cudaHostAlloc");
}

PinnedMemory::PinnedMemory(PinnedMemory&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), n_bytes_(std::exchange(other.n_bytes_, 0)) {}

PinnedMemory& PinnedMemory::operator=(PinnedMemory&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(n_bytes_, other.n_bytes_);
  return *this;
}

PinnedMemory::~PinnedMemory() {
  if (data_ != nullptr) {
    log_unless_success(cudaFreeHost(data_), "cudaFreeHost");
  }
}

}  // namespace furrow::cuda
