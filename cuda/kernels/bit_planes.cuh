// SPDX-License-Identifier: Apache-2.0
// 32 numbers modulo 127 at a time: seven words, bit i of number n is bit n of word i.
//
// 127 = 2^7 - 1, so a carry out of bit 6 is a carry into bit 0, and to double a number is to turn
// its bits by one: no instruction at all. Zero has two forms, 0 and 127.
#pragma once

#include <cstdint>

#include "cuda/arch/logic.cuh"

namespace furrow::cuda {

inline constexpr unsigned kPlanes = 7;

struct BitPlanes {
  std::uint32_t words[kPlanes];
};

/// 2^times * x.
__device__ inline BitPlanes double_times(const BitPlanes& x, unsigned times) {
  BitPlanes result;
#pragma unroll
  for (unsigned i = 0; i < kPlanes; ++i) {
    result.words[(i + times) % kPlanes] = x.words[i];
  }
  return result;
}

/// a + b. A sum of which one number is not 0 is never 0 (but 127).
__device__ inline BitPlanes add(const BitPlanes& a, const BitPlanes& b) {
  std::uint32_t carry = 0;
#pragma unroll
  for (unsigned i = 0; i < kPlanes; ++i) {
    carry = majority(a.words[i], b.words[i], carry);
  }
  BitPlanes sum;
#pragma unroll
  for (unsigned i = 0; i < kPlanes; ++i) {
    sum.words[i] = parity(a.words[i], b.words[i], carry);
    carry = majority(a.words[i], b.words[i], carry);
  }
  return sum;
}

/// The bits where a + b and c are congruent, for a and c from 1 to 127, but for those of `left_out`.
///
/// Without an adder: if the sum is c, the carry out of a bit follows from that bit of a, b and c
/// alone, and the carries are right exactly if a ^ b ^ c is the carry in at every bit.
__device__ inline std::uint32_t find_sums(const BitPlanes& a, const BitPlanes& b,
                                          const BitPlanes& c, std::uint32_t left_out) {
  const auto carry_out = [&](unsigned i) {
    return (a.words[i] & b.words[i]) | ((a.words[i] | b.words[i]) & ~c.words[i]);
  };
  const auto sum = [&](unsigned i) { return a.words[i] ^ b.words[i] ^ c.words[i]; };
  std::uint32_t differs = left_out;
  std::uint32_t carry = carry_out(kPlanes - 1);
#pragma unroll
  for (unsigned i = 0; i < kPlanes - 1; ++i) {
    differs |= sum(i) ^ carry;
    carry = carry_out(i);
  }
  return equal_where_not(differs, sum(kPlanes - 1), carry);
}

}  // namespace furrow::cuda
