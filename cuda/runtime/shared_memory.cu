// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "cuda/runtime/check.hpp"
#include "cuda/runtime/shared_memory.hpp"

namespace furrow::cuda {
namespace {

std::size_t attribute(cudaDeviceAttr which, int device) {
  int value = 0;
  check(cudaDeviceGetAttribute(&value, which, device), "cudaDeviceGetAttribute");
  return static_cast<std::size_t>(value);
}

}  // namespace

void prefer_shared_memory(StreamView stream, const void* kernel, const BlocksPerSm& blocks) {
  const int device = stream.device();
  use_device(device);
  const std::size_t n_blocks = std::min<std::size_t>(
      blocks.most, attribute(cudaDevAttrMaxThreadsPerMultiProcessor, device) / blocks.threads);
  const std::size_t n_bytes =
      n_blocks * (blocks.n_shared + attribute(cudaDevAttrReservedSharedMemoryPerBlock, device));
  const std::size_t n_there = attribute(cudaDevAttrMaxSharedMemoryPerMultiprocessor, device);
  const std::size_t percent = std::min<std::size_t>((100 * n_bytes + n_there - 1) / n_there, 100);
  check(cudaFuncSetAttribute(kernel, cudaFuncAttributePreferredSharedMemoryCarveout,
                             static_cast<int>(percent)),
        "cudaFuncSetAttribute");
}

}  // namespace furrow::cuda
