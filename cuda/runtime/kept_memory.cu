// SPDX-License-Identifier: Apache-2.0
#include <limits>

#include "cuda/runtime/cuda_api.hpp"
#include "cuda/runtime/kept_memory.hpp"

namespace furrow::cuda {
namespace {

/// Null when the device has none, or does not say. A failure is not reported: one that matters
/// comes again with the next call.
cudaMemPool_t pool_of(int device) noexcept {
  int supported = 0;
  cudaMemPool_t pool = nullptr;
  if (cudaDeviceGetAttribute(&supported, cudaDevAttrMemoryPoolsSupported, device) != cudaSuccess ||
      supported == 0 || cudaDeviceGetDefaultMemPool(&pool, device) != cudaSuccess) {
    static_cast<void>(cudaGetLastError());
    return nullptr;
  }
  return pool;
}

void set_threshold(int device, std::uint64_t n_bytes) noexcept {
  if (const cudaMemPool_t pool = pool_of(device);
      pool != nullptr &&
      cudaMemPoolSetAttribute(pool, cudaMemPoolAttrReleaseThreshold, &n_bytes) != cudaSuccess) {
    static_cast<void>(cudaGetLastError());
  }
}

std::uint64_t figure(cudaMemPool_t pool, cudaMemPoolAttr which) noexcept {
  std::uint64_t n_bytes = 0;
  if (cudaMemPoolGetAttribute(pool, which, &n_bytes) != cudaSuccess) {
    static_cast<void>(cudaGetLastError());
    return 0;
  }
  return n_bytes;
}

}  // namespace

KeptMemory::KeptMemory(int device) noexcept : device_(device) {
  set_threshold(device, std::numeric_limits<std::uint64_t>::max());
}

KeptMemory::~KeptMemory() {
  set_threshold(device_, 0);
  trim();
}

void KeptMemory::trim() const noexcept {
  if (const cudaMemPool_t pool = pool_of(device_);
      pool != nullptr && cudaMemPoolTrimTo(pool, 0) != cudaSuccess) {
    static_cast<void>(cudaGetLastError());
  }
}

std::uint64_t KeptMemory::idle_bytes() const noexcept {
  const cudaMemPool_t pool = pool_of(device_);
  if (pool == nullptr) {
    return 0;
  }
  const std::uint64_t reserved = figure(pool, cudaMemPoolAttrReservedMemCurrent);
  const std::uint64_t used = figure(pool, cudaMemPoolAttrUsedMemCurrent);
  return reserved > used ? reserved - used : 0;
}

}  // namespace furrow::cuda
