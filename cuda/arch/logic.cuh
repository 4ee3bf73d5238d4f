// SPDX-License-Identifier: Apache-2.0
// Functions of three bits, one instruction each. Where two of them share a part, the compiler
// computes that part once and needs more instructions for all of it.
#pragma once

#include <cstdint>

#include "cuda/simt.cuh"

namespace furrow::cuda {

#if defined(__CUDA_ARCH__)
/// `kTable` has the results for 000, 001 and so on, from the lowest bit on.
template <unsigned kTable>
__device__ inline std::uint32_t lookup_bits(std::uint32_t a, std::uint32_t b, std::uint32_t c) {
  std::uint32_t result;
  asm("lop3.b32 %0, %1, %2, %3, %4;" : "=r"(result) : "r"(a), "r"(b), "r"(c), "n"(kTable));
  return result;
}
#endif

__device__ inline std::uint32_t majority(std::uint32_t a, std::uint32_t b, std::uint32_t c) {
#if defined(__CUDA_ARCH__)
  return lookup_bits<0xE8>(a, b, c);
#else
  return (a & b) | ((a | b) & c);
#endif
}

__device__ inline std::uint32_t parity(std::uint32_t a, std::uint32_t b, std::uint32_t c) {
#if defined(__CUDA_ARCH__)
  return lookup_bits<0x96>(a, b, c);
#else
  return a ^ b ^ c;
#endif
}

}  // namespace furrow::cuda
