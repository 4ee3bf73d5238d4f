// SPDX-License-Identifier: Apache-2.0
// Functions of three bits, one instruction each. Where two of them share a part, the compiler
// computes that part once and needs more instructions for all of it. And the place of a bit, without
// the compiler's care for words that have none.
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

/// The bits of `a` where `mask` has one, otherwise those of `b`.
__device__ inline std::uint32_t select_bits(std::uint32_t mask, std::uint32_t a, std::uint32_t b) {
#if defined(__CUDA_ARCH__)
  return lookup_bits<0xCA>(mask, a, b);
#else
  return (a & mask) | (b & ~mask);
#endif
}

/// (a & b) | c.
__device__ inline std::uint32_t select_or(std::uint32_t a, std::uint32_t b, std::uint32_t c) {
#if defined(__CUDA_ARCH__)
  return lookup_bits<0xEA>(a, b, c);
#else
  return (a & b) | c;
#endif
}

/// a & ~b.
__device__ inline std::uint32_t clear_bits(std::uint32_t a, std::uint32_t b) {
#if defined(__CUDA_ARCH__)
  return lookup_bits<0x30>(a, b, 0);
#else
  return a & ~b;
#endif
}

/// The bits that are equal in b and c, but for those of `a`.
__device__ inline std::uint32_t equal_where_not(std::uint32_t a, std::uint32_t b, std::uint32_t c) {
#if defined(__CUDA_ARCH__)
  return lookup_bits<0x09>(a, b, c);
#else
  return ~(a | (b ^ c));
#endif
}

/// Place of the highest bit of `value`, which is not 0.
__device__ inline std::uint32_t highest_bit(std::uint32_t value) {
#if defined(__CUDA_ARCH__)
  std::uint32_t bit;
  asm("bfind.u32 %0, %1;" : "=r"(bit) : "r"(value));
  return bit;
#else
  return 31U - static_cast<std::uint32_t>(__clz(static_cast<int>(value)));
#endif
}

}  // namespace furrow::cuda
