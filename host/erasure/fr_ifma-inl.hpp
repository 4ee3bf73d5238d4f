// SPDX-License-Identifier: Apache-2.0
// Eight values of Fr in the lanes of AVX-512 registers, for products by IFMA: instructions that multiply
// two numbers of 52 bits and add the low or the high half to a sum of 64 bits.
//
// A value is five limbs of 52 bits, each in a register of its own:  v = SUM_i limb[i] 2^(52 i).
// 260 bits hold 35 r, and the 12 bits above each limb hold what was not carried yet. So sums and
// differences carry nothing and reduce nothing; only what enters a product is carried first. In
// Montgomery form with R = 2^260 a product of x below k r and a factor below r comes out below
// (1 + k / 35) r. Limbs may be negative in between; values never are.
//
// Highway knows no target with IFMA, so each function names its instruction set, and who calls one asks
// the processor first.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include <immintrin.h>

#include "host/erasure/fr.hpp"

#define FURROW_IFMA __attribute__((target("avx512f,avx512dq,avx512vl,avx512ifma")))
#define FURROW_IFMA_INLINE FURROW_IFMA __attribute__((always_inline)) inline

namespace furrow::ifma {

inline constexpr std::size_t kLimbs = 5;
inline constexpr std::size_t kLanes = 8;
inline constexpr unsigned kLimbBits = 52;
inline constexpr std::uint64_t kLimbMask = (std::uint64_t{1} << kLimbBits) - 1;

/// Eight values in memory. Limbs are as they were: carried or not.
struct alignas(64) StoredLanes {
  std::uint64_t limb[kLimbs][kLanes];
};

using Limbs = std::array<std::uint64_t, kLimbs>;

/// The limbs of x 2^shift. Pre: shift < 12 and x 2^shift is below 2^260.
constexpr Limbs limbs_of(const Fr& x, unsigned shift = 0) {
  Limbs limbs{};
  for (std::size_t i = 0; i < kLimbs; ++i) {
    const unsigned bit = static_cast<unsigned>(i) * kLimbBits;  // of the result
    for (unsigned b = 0; b < kLimbBits; ++b) {
      const unsigned from = bit + b - shift;
      if (bit + b >= shift && from < 256) {
        limbs[i] |= (x.limbs[from / 64] >> (from % 64) & 1) << b;
      }
    }
  }
  return limbs;
}

inline constexpr Limbs kModulusLimbs = limbs_of(fr::kModulus);

/// The limbs of 2^260 - r.
constexpr Limbs negated_modulus() {
  Limbs limbs{};
  std::uint64_t borrow = 0;
  for (std::size_t i = 0; i < kLimbs; ++i) {
    const std::uint64_t difference = 0 - kModulusLimbs[i] - borrow;
    borrow = 1;  // the low limb of r is not 0
    limbs[i] = difference & kLimbMask;
  }
  return limbs;
}
inline constexpr Limbs kNegatedModulusLimbs = negated_modulus();

/// -1 / r modulo 2^52: r is 1 - 2^32 there.
inline constexpr std::uint64_t kNegatedInverse = kLimbMask - (std::uint64_t{1} << 32);
static_assert(((kNegatedInverse * kModulusLimbs[0] + 1) & kLimbMask) == 0);

/// A limb of each of eight values. Shifts of the one are arithmetic, those of the other are not.
using Words = long long __attribute__((vector_size(64)));
using UnsignedWords = unsigned long long __attribute__((vector_size(64)));
using FourWords = long long __attribute__((vector_size(32)));

/// Eight values in registers.
struct Lanes {
  Words limb[kLimbs];
};

FURROW_IFMA_INLINE Words constant(std::uint64_t value) {
  return Words{} + static_cast<long long>(value);
}
/// sum + the low half of a b, and sum + the high one; of a and b only 52 bits count.
FURROW_IFMA_INLINE Words add_low(Words sum, Words a, Words b) {
  return _mm512_madd52lo_epu64(sum, a, b);
}
FURROW_IFMA_INLINE Words add_high(Words sum, Words a, Words b) {
  return _mm512_madd52hi_epu64(sum, a, b);
}
template <unsigned kBits>
FURROW_IFMA_INLINE Words shifted_right(Words x) {
  return reinterpret_cast<Words>(reinterpret_cast<UnsignedWords>(x) >> kBits);
}

FURROW_IFMA_INLINE Lanes load(const StoredLanes& from) {
  Lanes x;
  for (std::size_t i = 0; i < kLimbs; ++i) {
    x.limb[i] = _mm512_load_si512(from.limb[i]);
  }
  return x;
}
FURROW_IFMA_INLINE void store(const Lanes& x, StoredLanes& to) {
  for (std::size_t i = 0; i < kLimbs; ++i) {
    _mm512_store_si512(to.limb[i], x.limb[i]);
  }
}

/// The same number in each lane.
FURROW_IFMA_INLINE Lanes in_every_lane(const Limbs& limbs) {
  Lanes x;
  for (std::size_t i = 0; i < kLimbs; ++i) {
    x.limb[i] = constant(limbs[i]);
  }
  return x;
}

FURROW_IFMA_INLINE Lanes add(const Lanes& a, const Lanes& b) {
  Lanes sum;
  for (std::size_t i = 0; i < kLimbs; ++i) {
    sum.limb[i] = a.limb[i] + b.limb[i];
  }
  return sum;
}
FURROW_IFMA_INLINE Lanes subtract(const Lanes& a, const Lanes& b) {
  Lanes difference;
  for (std::size_t i = 0; i < kLimbs; ++i) {
    difference.limb[i] = a.limb[i] - b.limb[i];
  }
  return difference;
}

/// All limbs to 52 bits. The highest one has the sign of the value.
FURROW_IFMA_INLINE Lanes carried(Lanes x) {
  for (std::size_t i = 0; i + 1 < kLimbs; ++i) {
    x.limb[i + 1] += x.limb[i] >> kLimbBits;
    x.limb[i] &= constant(kLimbMask);
  }
  return x;
}

/// x t / 2^260 modulo r, below (1 + k / 35) r for x below k r and t below r. Limbs of the product are
/// below 2^57. Pre: those of x and t are carried.
///
/// The whole product first, whose limbs do not wait for one another. Then m r is added five times, so
/// that one limb after the other vanishes.
FURROW_IFMA_INLINE Lanes multiply(const Lanes& x, const Lanes& t) {
  const Lanes r = in_every_lane(kModulusLimbs);
  Words sum[2 * kLimbs] = {};
  for (std::size_t i = 0; i < kLimbs; ++i) {
    for (std::size_t j = 0; j < kLimbs; ++j) {
      sum[i + j] = add_low(sum[i + j], x.limb[i], t.limb[j]);
      sum[i + j + 1] = add_high(sum[i + j + 1], x.limb[i], t.limb[j]);
    }
  }
  for (std::size_t i = 0; i < kLimbs; ++i) {
    const Words m = add_low(Words{}, sum[i], constant(kNegatedInverse));
    // The low half of m r[0] makes the low 52 bits of the limb 0, by a carry unless they were. That is
    // the limb divided by 2^52, rounded up, for which m need not be known.
    const Words carry = shifted_right<kLimbBits>(sum[i] + constant(kLimbMask));
    sum[i + 1] = add_low(sum[i + 1], m, r.limb[1]) + add_high(carry, m, r.limb[0]);
    for (std::size_t j = 1; j < kLimbs; ++j) {
      if (j + 1 < kLimbs) {
        sum[i + j + 1] = add_low(sum[i + j + 1], m, r.limb[j + 1]);
      }
      sum[i + j + 1] = add_high(sum[i + j + 1], m, r.limb[j]);
    }
  }
  return {{sum[5], sum[6], sum[7], sum[8], sum[9]}};
}

/// x modulo r, below (1 + 2^-40) r, carried. Pre: x is not negative and below 35 r.
FURROW_IFMA_INLINE Lanes nearly_reduced(const Lanes& uncarried) {
  // The quotient from the highest limb. Divided by more than r's highest limb it is never too large,
  // and too small, by one, only where a little more is missing than that.
  constexpr unsigned kShift = 46;
  constexpr auto kInverse = static_cast<std::uint64_t>(
      (static_cast<uint128>(1) << (kLimbBits + kShift)) / (kModulusLimbs[kLimbs - 1] + 1));
  static_assert(kInverse <= kLimbMask);
  Lanes x = carried(uncarried);
  const Words quotient =
      shifted_right<kShift>(add_high(Words{}, x.limb[kLimbs - 1], constant(kInverse)));
  const Lanes negated_r = in_every_lane(kNegatedModulusLimbs);
  for (std::size_t i = 0; i < kLimbs; ++i) {
    x.limb[i] = add_low(x.limb[i], quotient, negated_r.limb[i]);
    if (i > 0) {
      x.limb[i] = add_high(x.limb[i], quotient, negated_r.limb[i - 1]);
    }
  }
  x = carried(x);
  x.limb[kLimbs - 1] &= constant(kLimbMask);  // takes 2^260 times the quotient away
  return x;
}

/// The canonical value. Pre: as nearly_reduced().
FURROW_IFMA_INLINE Lanes reduced(const Lanes& uncarried) {
  Lanes x = nearly_reduced(uncarried);
  const Lanes difference = carried(subtract(x, in_every_lane(kModulusLimbs)));
  const Words is_below = difference.limb[kLimbs - 1] >> 63;
  for (std::size_t i = 0; i < kLimbs; ++i) {
    x.limb[i] = (x.limb[i] & is_below) | (difference.limb[i] & ~is_below);
  }
  return x;
}

// Between eight values of four words and four vectors of eight words: words of two values that are four
// apart side by side, then halves of such pairs exchanged, which is the same in both directions.

FURROW_IFMA_INLINE Words even_words(Words a, Words b) {
  return __builtin_shufflevector(a, b, 0, 8, 2, 10, 4, 12, 6, 14);
}
FURROW_IFMA_INLINE Words odd_words(Words a, Words b) {
  return __builtin_shufflevector(a, b, 1, 9, 3, 11, 5, 13, 7, 15);
}
FURROW_IFMA_INLINE Words even_pairs(Words a, Words b) {
  return __builtin_shufflevector(a, b, 0, 1, 8, 9, 4, 5, 12, 13);
}
FURROW_IFMA_INLINE Words odd_pairs(Words a, Words b) {
  return __builtin_shufflevector(a, b, 2, 3, 10, 11, 6, 7, 14, 15);
}

FURROW_IFMA_INLINE Words load_two_values(const Fr& first, const Fr& second) {
  FourWords low;
  FourWords high;
  std::memcpy(&low, first.limbs.data(), sizeof(low));
  std::memcpy(&high, second.limbs.data(), sizeof(high));
  return __builtin_shufflevector(low, high, 0, 1, 2, 3, 4, 5, 6, 7);
}
FURROW_IFMA_INLINE void store_two_values(Words values, Fr& first, Fr& second) {
  const FourWords low = __builtin_shufflevector(values, values, 0, 1, 2, 3);
  const FourWords high = __builtin_shufflevector(values, values, 4, 5, 6, 7);
  std::memcpy(first.limbs.data(), &low, sizeof(low));
  std::memcpy(second.limbs.data(), &high, sizeof(high));
}

template <unsigned kRight, unsigned kLeft>
FURROW_IFMA_INLINE Words joined(Words low, Words high) {
  return shifted_right<kRight>(low) | (high << kLeft);
}

/// Eight values that lie `stride` apart, times 2^kShift, carried. Pre: they stay below 2^260.
template <unsigned kShift = 0>
FURROW_IFMA_INLINE Lanes load_values(const Fr* from, std::size_t stride) {
  const Words a = load_two_values(from[0], from[4 * stride]);
  const Words b = load_two_values(from[stride], from[5 * stride]);
  const Words c = load_two_values(from[2 * stride], from[6 * stride]);
  const Words d = load_two_values(from[3 * stride], from[7 * stride]);
  const Words word[] = {
      even_pairs(even_words(a, b), even_words(c, d)), even_pairs(odd_words(a, b), odd_words(c, d)),
      odd_pairs(even_words(a, b), even_words(c, d)), odd_pairs(odd_words(a, b), odd_words(c, d))};
  const Words mask = constant(kLimbMask);
  return {{(word[0] << kShift) & mask, joined<52 - kShift, 12 + kShift>(word[0], word[1]) & mask,
           joined<40 - kShift, 24 + kShift>(word[1], word[2]) & mask,
           joined<28 - kShift, 36 + kShift>(word[2], word[3]) & mask,
           shifted_right<16 - kShift>(word[3])}};
}

/// Eight values that will lie `stride` apart, canonical. Pre: as nearly_reduced().
FURROW_IFMA_INLINE void store_values(const Lanes& uncarried, Fr* to, std::size_t stride) {
  const Lanes x = reduced(uncarried);
  const Words word[] = {joined<0, 52>(x.limb[0], x.limb[1]), joined<12, 40>(x.limb[1], x.limb[2]),
                        joined<24, 28>(x.limb[2], x.limb[3]), joined<36, 16>(x.limb[3], x.limb[4])};
  const Words even_low = even_pairs(word[0], word[2]);
  const Words odd_low = even_pairs(word[1], word[3]);
  const Words even_high = odd_pairs(word[0], word[2]);
  const Words odd_high = odd_pairs(word[1], word[3]);
  store_two_values(even_words(even_low, odd_low), to[0], to[4 * stride]);
  store_two_values(odd_words(even_low, odd_low), to[stride], to[5 * stride]);
  store_two_values(even_words(even_high, odd_high), to[2 * stride], to[6 * stride]);
  store_two_values(odd_words(even_high, odd_high), to[3 * stride], to[7 * stride]);
}

}  // namespace furrow::ifma
