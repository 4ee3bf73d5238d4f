// SPDX-License-Identifier: Apache-2.0
// Makes the tables of a batch of records ready to be filled: counters 0, targets empty.
// Grid: x strides over the words, y = record.
#pragma once

#include "cuda/kernels/proof_tables.cuh"

namespace furrow::cuda {

struct ClearTablesShape {
  static constexpr unsigned kThreads = 256;
  static constexpr unsigned kBlocks = 64;
};

template <unsigned K>
__global__ void __launch_bounds__(ClearTablesShape::kThreads)
    clear_tables(ProofTablesBatch<K> batch) {
  THREADS_AT_MOST(ClearTablesShape::kThreads);
  using Tables = ProofTablesRef<K>;
  const Tables tables = batch.record(blockIdx.y);
  const std::uint32_t first = blockIdx.x * blockDim.x + threadIdx.x;
  const std::uint32_t stride = gridDim.x * blockDim.x;
  for (std::size_t i = first; i < Tables::kZeroWords; i += stride) {
    tables.bucket_sizes(1)[i] = 0;
  }
  for (std::size_t i = first; i < Tables::kNumTargets; i += stride) {
    tables.targets()[i] = kNoTarget;
  }
}

}  // namespace furrow::cuda
