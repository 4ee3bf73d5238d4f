// SPDX-License-Identifier: Apache-2.0
// CUDA's integer intrinsics, cached loads and stores, and min and max, with CUDA's argument types.
#pragma once

#include <bit>
#include <cstdint>
#include <source_location>

#include "simt/atomics.hpp"
#include "simt/lane.hpp"
#include "simt/vector_types.hpp"

// The names are CUDA's, and macros make functions of types.
// NOLINTBEGIN(bugprone-reserved-identifier,bugprone-macro-parentheses)

// --- Bits ---

constexpr int __popc(unsigned x) {
  return std::popcount(x);
}
constexpr int __popcll(unsigned long long x) {
  return std::popcount(x);
}
constexpr int __clz(int x) {
  return std::countl_zero(static_cast<unsigned>(x));
}
constexpr int __clzll(long long x) {
  return std::countl_zero(static_cast<unsigned long long>(x));
}
/// Place of the lowest bit, from 1 on; 0 when there is none.
constexpr int __ffs(int x) {
  return x == 0 ? 0 : std::countr_zero(static_cast<unsigned>(x)) + 1;
}
constexpr int __ffsll(long long x) {
  return x == 0 ? 0 : std::countr_zero(static_cast<unsigned long long>(x)) + 1;
}

constexpr unsigned __brev(unsigned x) {
  x = ((x >> 1U) & 0x55555555U) | ((x & 0x55555555U) << 1U);
  x = ((x >> 2U) & 0x33333333U) | ((x & 0x33333333U) << 2U);
  x = ((x >> 4U) & 0x0F0F0F0FU) | ((x & 0x0F0F0F0FU) << 4U);
  x = ((x >> 8U) & 0x00FF00FFU) | ((x & 0x00FF00FFU) << 8U);
  return (x >> 16U) | (x << 16U);
}
constexpr unsigned long long __brevll(unsigned long long x) {
  return (static_cast<unsigned long long>(__brev(static_cast<unsigned>(x))) << 32U) |
         __brev(static_cast<unsigned>(x >> 32U));
}

/// Four bytes out of the eight of y:x, chosen by the four nibbles of `selector`; the top bit of a
/// nibble spreads the sign of the byte over all its bits.
constexpr unsigned __byte_perm(unsigned x, unsigned y, unsigned selector) {
  const unsigned long long bytes = (static_cast<unsigned long long>(y) << 32U) | x;
  unsigned result = 0;
  for (unsigned i = 0; i < 4; ++i) {
    const unsigned nibble = selector >> (4 * i);
    auto byte = static_cast<unsigned>(bytes >> (8 * (nibble & 7U))) & 0xFFU;
    if ((nibble & 8U) != 0) {
      byte = (byte & 0x80U) != 0 ? 0xFFU : 0;
    }
    result |= byte << (8 * i);
  }
  return result;
}

// Shifts of high:low; `_l` gives the upper half, `_r` the lower. The shift is taken modulo 32, or
// clamped to 32 by the `c` functions.
constexpr unsigned __funnelshift_lc(unsigned low, unsigned high, unsigned shift) {
  const unsigned long long both = (static_cast<unsigned long long>(high) << 32U) | low;
  return shift >= 32 ? low : static_cast<unsigned>((both << shift) >> 32U);
}
constexpr unsigned __funnelshift_rc(unsigned low, unsigned high, unsigned shift) {
  const unsigned long long both = (static_cast<unsigned long long>(high) << 32U) | low;
  return shift >= 32 ? high : static_cast<unsigned>(both >> shift);
}
constexpr unsigned __funnelshift_l(unsigned low, unsigned high, unsigned shift) {
  return __funnelshift_lc(low, high, shift & 31U);
}
constexpr unsigned __funnelshift_r(unsigned low, unsigned high, unsigned shift) {
  return __funnelshift_rc(low, high, shift & 31U);
}

// --- Products ---

constexpr unsigned __umulhi(unsigned x, unsigned y) {
  return static_cast<unsigned>((static_cast<unsigned long long>(x) * y) >> 32U);
}
constexpr int __mulhi(int x, int y) {
  return static_cast<int>((static_cast<long long>(x) * y) >> 32);
}
constexpr unsigned long long __umul64hi(unsigned long long x, unsigned long long y) {
  __extension__ using Wide = unsigned __int128;
  return static_cast<unsigned long long>((static_cast<Wide>(x) * y) >> 64U);
}
constexpr long long __mul64hi(long long x, long long y) {
  __extension__ using Wide = __int128;
  return static_cast<long long>((static_cast<Wide>(x) * y) >> 64);
}

// --- Loads and stores with a hint for the caches, which means nothing here ---

#define FURROW_SIMT_CACHED(type)                                                    \
  inline type __ldg(const type* address,                                            \
                    std::source_location where = std::source_location::current()) { \
    return *furrow::simt::checked(address, where);                                  \
  }                                                                                 \
  inline type __ldca(const type* address) {                                         \
    return *address;                                                                \
  }                                                                                 \
  inline type __ldcg(const type* address) {                                         \
    return *address;                                                                \
  }                                                                                 \
  inline type __ldcs(const type* address) {                                         \
    return *address;                                                                \
  }                                                                                 \
  inline type __ldlu(const type* address) {                                         \
    return *address;                                                                \
  }                                                                                 \
  inline void __stwb(type* address, type value) {                                   \
    *address = value;                                                               \
  }                                                                                 \
  inline void __stcg(type* address, type value) {                                   \
    *address = value;                                                               \
  }                                                                                 \
  inline void __stcs(type* address, type value) {                                   \
    *address = value;                                                               \
  }                                                                                 \
  inline void __stwt(type* address, type value) {                                   \
    *address = value;                                                               \
  }

FURROW_SIMT_CACHED(char)
FURROW_SIMT_CACHED(signed char)
FURROW_SIMT_CACHED(unsigned char)
FURROW_SIMT_CACHED(short)
FURROW_SIMT_CACHED(unsigned short)
FURROW_SIMT_CACHED(int)
FURROW_SIMT_CACHED(unsigned)
FURROW_SIMT_CACHED(long)
FURROW_SIMT_CACHED(unsigned long)
FURROW_SIMT_CACHED(long long)
FURROW_SIMT_CACHED(unsigned long long)
FURROW_SIMT_CACHED(float)
FURROW_SIMT_CACHED(double)
FURROW_SIMT_CACHED(char2)
FURROW_SIMT_CACHED(char4)
FURROW_SIMT_CACHED(uchar2)
FURROW_SIMT_CACHED(uchar4)
FURROW_SIMT_CACHED(short2)
FURROW_SIMT_CACHED(short4)
FURROW_SIMT_CACHED(ushort2)
FURROW_SIMT_CACHED(ushort4)
FURROW_SIMT_CACHED(int2)
FURROW_SIMT_CACHED(int4)
FURROW_SIMT_CACHED(uint2)
FURROW_SIMT_CACHED(uint4)
FURROW_SIMT_CACHED(longlong2)
FURROW_SIMT_CACHED(ulonglong2)
FURROW_SIMT_CACHED(float2)
FURROW_SIMT_CACHED(float4)
FURROW_SIMT_CACHED(double2)
#undef FURROW_SIMT_CACHED

// --- min and max: of mixed signs, the unsigned type is meant ---

#define FURROW_SIMT_MIN_MAX(result, left, right)                                     \
  constexpr result min(left a, right b) {                                            \
    return static_cast<result>(a) < static_cast<result>(b) ? static_cast<result>(a)  \
                                                           : static_cast<result>(b); \
  }                                                                                  \
  constexpr result max(left a, right b) {                                            \
    return static_cast<result>(a) > static_cast<result>(b) ? static_cast<result>(a)  \
                                                           : static_cast<result>(b); \
  }

FURROW_SIMT_MIN_MAX(int, int, int)
FURROW_SIMT_MIN_MAX(unsigned, unsigned, unsigned)
FURROW_SIMT_MIN_MAX(unsigned, int, unsigned)
FURROW_SIMT_MIN_MAX(unsigned, unsigned, int)
FURROW_SIMT_MIN_MAX(long, long, long)
FURROW_SIMT_MIN_MAX(unsigned long, unsigned long, unsigned long)
FURROW_SIMT_MIN_MAX(unsigned long, long, unsigned long)
FURROW_SIMT_MIN_MAX(unsigned long, unsigned long, long)
FURROW_SIMT_MIN_MAX(long long, long long, long long)
FURROW_SIMT_MIN_MAX(unsigned long long, unsigned long long, unsigned long long)
FURROW_SIMT_MIN_MAX(unsigned long long, long long, unsigned long long)
FURROW_SIMT_MIN_MAX(unsigned long long, unsigned long long, long long)
FURROW_SIMT_MIN_MAX(float, float, float)
FURROW_SIMT_MIN_MAX(double, double, double)
#undef FURROW_SIMT_MIN_MAX

// NOLINTEND(bugprone-reserved-identifier,bugprone-macro-parentheses)
