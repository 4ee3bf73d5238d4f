// SPDX-License-Identifier: Apache-2.0
// Signs of bytes spread over 16 or 32 bits each: one PRMT instruction in its sign mode, which no CUDA
// function offers (__byte_perm ignores the mode bit).
#pragma once

#include "cuda/simt.cuh"

namespace furrow::cuda {

/// All bits of the result are the sign of byte kByte of `value`.
template <unsigned kByte>
__device__ inline std::uint32_t byte_sign(std::uint32_t value) {
  static_assert(kByte < 4);
#if defined(__CUDA_ARCH__)
  constexpr std::uint32_t kSelectors = 0x8888 + 0x1111 * kByte;
  std::uint32_t sign;
  asm("prmt.b32 %0, %1, 0, %2;" : "=r"(sign) : "r"(value), "n"(kSelectors));
  return sign;
#else
  return 0U - ((value >> (8 * kByte + 7)) & 1U);
#endif
}

/// Bits 0-15 of the result are the sign of byte 2 * kHalf of `value`, bits 16-31 that of byte
/// 2 * kHalf + 1.
template <unsigned kHalf>
__device__ inline std::uint32_t byte_signs(std::uint32_t value) {
  static_assert(kHalf < 2);
#if defined(__CUDA_ARCH__)
  constexpr std::uint32_t kSelectors = kHalf == 0 ? 0x9988 : 0xBBAA;
  std::uint32_t signs;
  asm("prmt.b32 %0, %1, 0, %2;" : "=r"(signs) : "r"(value), "n"(kSelectors));
  return signs;
#else
  const std::uint32_t bytes = value >> (16 * kHalf);
  return ((bytes >> 7) & 1U) * 0xFFFFU | ((bytes >> 15) & 1U) * 0xFFFF0000U;
#endif
}

}  // namespace furrow::cuda
