// SPDX-License-Identifier: Apache-2.0
// A matrix of 32 x 32 bits held by a warp, one row in each lane, turned round.
#pragma once

#include <cstdint>

#include "cuda/arch/logic.cuh"
#include "cuda/simt.cuh"

namespace furrow::cuda {

/// Transposes a matrix of 32 x 32 bits held by a warp: bit c of lane r becomes bit r of lane c.
__device__ inline std::uint32_t transpose_bits(std::uint32_t bits,
                                               std::uint32_t lane = threadIdx.x % 32) {
  const auto partner = [&](std::uint32_t distance) {
    return __shfl_xor_sync(0xFFFFFFFFU, bits, static_cast<int>(distance));
  };
  // Halves and bytes change places in one instruction.
  bits = __byte_perm(bits, partner(16), (lane & 16U) != 0 ? 0x3276 : 0x5410);
  bits = __byte_perm(bits, partner(8), (lane & 8U) != 0 ? 0x3715 : 0x6240);
  constexpr std::uint32_t kLowHalves[3] = {0x55555555, 0x33333333, 0x0F0F0F0F};
#pragma unroll
  for (int step = 2; step >= 0; --step) {
    const std::uint32_t distance = 1U << step;
    const bool is_upper = (lane & distance) != 0;
    const std::uint32_t kept = is_upper ? ~kLowHalves[step] : kLowHalves[step];
    const std::uint32_t other = partner(distance);
    const std::uint32_t moved = __funnelshift_l(other, other, is_upper ? 0U - distance : distance);
    bits = select_bits(kept, bits, moved);
  }
  return bits;
}

}  // namespace furrow::cuda
