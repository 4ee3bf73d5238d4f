// SPDX-License-Identifier: Apache-2.0
// Exclusive prefix sums by one warp over a short array in shared memory.
//
// A scan by a whole block costs each of its warps some 40 instructions, however few the values are.
// For a few hundred values one warp that adds up several in each lane executes a sixth of that, and
// the other warps wait for it at the barrier that the block needs anyway.
#pragma once

#include <cstdint>

#include "cuda/simt.cuh"

namespace furrow::cuda {

/// The sum of `value` of the lanes before `lane`, the caller's. All lanes of a warp call it.
__device__ inline std::uint32_t warp_exclusive_sum(std::uint32_t lane, std::uint32_t value) {
  std::uint32_t sum = value;
#pragma unroll
  for (std::uint32_t distance = 1; distance < 32; distance *= 2) {
    const std::uint32_t other = __shfl_up_sync(0xFFFFFFFFU, sum, distance);
    sum += lane >= distance ? other : 0;
  }
  return sum - value;
}

/// The sum of `value` of all lanes. All lanes of a warp call it.
__device__ inline std::uint32_t warp_sum(std::uint32_t value) {
#pragma unroll
  for (int distance = 16; distance > 0; distance /= 2) {
    value += __shfl_xor_sync(0xFFFFFFFFU, value, distance);
  }
  return value;
}

}  // namespace furrow::cuda
