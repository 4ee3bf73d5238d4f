// SPDX-License-Identifier: Apache-2.0
// Fr, the scalar field of BLS12-381 (docs/spec/09-autonomys.md, sections 3.1 and 6): integers modulo
//
//   r = 73eda753299d7d48 3339d80809a1d805 53bda402fffe5bfe ffffffff00000001
//
// Values are plain integers; factors that many values are multiplied by are in Montgomery form, that
// is times R = 2^256. The product of a value x and a factor t R is x t R / R = x t, so that nothing is
// ever converted.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "furrow/core/config.hpp"
#include "furrow/types.hpp"

namespace furrow {

/// 256 bits, the low ones first. Canonical when below r.
struct Fr {
  std::array<std::uint64_t, 4> limbs{};
  bool operator==(const Fr&) const = default;
};

namespace fr {

inline constexpr Fr kModulus{
    {0xffffffff00000001, 0x53bda402fffe5bfe, 0x3339d80809a1d805, 0x73eda753299d7d48}};
/// R modulo r, the factor 1.
inline constexpr Fr kOne{
    {0x00000001fffffffe, 0x5884b7fa00034802, 0x998c4fefecbc4ff5, 0x1824b159acc5056f}};
/// R^2 modulo r: times this, a value becomes a factor.
inline constexpr Fr kToFactor{
    {0xc999e990f3f29c6d, 0x2b6cedcb87925c23, 0x05d314967254398f, 0x0748d9d99f59ff11}};
/// Generator of the multiplicative group, as a value.
inline constexpr std::uint64_t kGenerator = 7;
/// r - 1 has so many factors of two.
inline constexpr unsigned kTwoAdicity = 32;

/// a + b, and the carry.
constexpr std::uint64_t add_carry(std::uint64_t a, std::uint64_t b, std::uint64_t& carry) {
  const uint128 sum = static_cast<uint128>(a) + b + carry;
  carry = static_cast<std::uint64_t>(sum >> 64);
  return static_cast<std::uint64_t>(sum);
}
/// a - b, and the borrow.
constexpr std::uint64_t subtract_borrow(std::uint64_t a, std::uint64_t b, std::uint64_t& borrow) {
  const uint128 difference = static_cast<uint128>(a) - b - borrow;
  borrow = static_cast<std::uint64_t>(difference >> 64) & 1;
  return static_cast<std::uint64_t>(difference);
}
/// a + b c + carry, whose high half is the new carry.
constexpr std::uint64_t multiply_add(std::uint64_t a, std::uint64_t b, std::uint64_t c,
                                     std::uint64_t& carry) {
  const uint128 sum = static_cast<uint128>(b) * c + a + carry;
  carry = static_cast<std::uint64_t>(sum >> 64);
  return static_cast<std::uint64_t>(sum);
}

/// x - r if that is not negative. Pre: x < 2 r.
constexpr Fr reduced(const Fr& x) {
  Fr difference;
  std::uint64_t borrow = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    difference.limbs[i] = subtract_borrow(x.limbs[i], kModulus.limbs[i], borrow);
  }
  const std::uint64_t keep = 0 - borrow;  // without a branch: it would be mispredicted
  for (std::size_t i = 0; i < 4; ++i) {
    difference.limbs[i] ^= (difference.limbs[i] ^ x.limbs[i]) & keep;
  }
  return difference;
}

/// Whether x is below r.
constexpr bool is_canonical(const Fr& x) {
  if (x.limbs[3] != kModulus.limbs[3]) {
    return x.limbs[3] < kModulus.limbs[3];  // almost always
  }
  std::uint64_t borrow = 0;
  for (std::size_t i = 0; i < 3; ++i) {
    static_cast<void>(subtract_borrow(x.limbs[i], kModulus.limbs[i], borrow));
  }
  return borrow != 0;
}

/// Pre: a and b are canonical.
constexpr Fr add(const Fr& a, const Fr& b) {
  Fr sum;  // below 2 r, which fits
  std::uint64_t carry = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    sum.limbs[i] = add_carry(a.limbs[i], b.limbs[i], carry);
  }
  return reduced(sum);
}

/// a - b + r: below 2 r, not canonical, and good enough for a product. Pre: a and b are canonical.
constexpr Fr difference_plus_r(const Fr& a, const Fr& b) {
  Fr result;
  std::uint64_t borrow = 0;
  std::uint64_t carry = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    const std::uint64_t limb = subtract_borrow(a.limbs[i], b.limbs[i], borrow);
    result.limbs[i] = add_carry(limb, kModulus.limbs[i], carry);
  }
  return result;
}

/// Pre: a and b are canonical.
constexpr Fr subtract(const Fr& a, const Fr& b) {
  return reduced(difference_plus_r(a, b));
}

/// x times the factor t: canonical. x is any 256 bits. Pre: t is canonical.
///
/// A limb of x at a time, after which the sum is made divisible by 2^64 by adding m r and shifted
/// right. It stays below 2 r (1 + 2^-64) and so within four limbs.
constexpr Fr multiply(const Fr& x, const Fr& t) {
  std::array<std::uint64_t, 4> sum{};
  for (std::size_t i = 0; i < 4; ++i) {
    std::uint64_t high = 0;
    for (std::size_t j = 0; j < 4; ++j) {
      sum[j] = multiply_add(sum[j], t.limbs[j], x.limbs[i], high);
    }
    // -1 / r is -(2^32 + 1) modulo 2^64. The low limb of r is 2^64 - 2^32 + 1, so its product with m
    // needs no multiplication: only what is carried from the sum, whose low limb vanishes, counts.
    const std::uint64_t m = 0 - (sum[0] + (sum[0] << 32));
    std::uint64_t carry = 0;
    static_cast<void>(add_carry(sum[0], m, carry));
    carry += m - (m >> 32);
    sum[0] = multiply_add(sum[1], m, kModulus.limbs[1], carry);
    sum[1] = multiply_add(sum[2], m, kModulus.limbs[2], carry);
    sum[2] = multiply_add(sum[3], m, kModulus.limbs[3], carry);
    sum[3] = high + carry;
  }
  return reduced(Fr{sum});
}

constexpr Fr to_factor(const Fr& value) {
  return multiply(value, kToFactor);
}

/// base^exponent, all factors.
constexpr Fr power(Fr base, Fr exponent) {
  Fr result = kOne;
  for (std::size_t bit = 0; bit < 256; ++bit) {
    if ((exponent.limbs[bit / 64] >> (bit % 64) & 1) != 0) {
      result = multiply(result, base);
    }
    base = multiply(base, base);
  }
  return result;
}

/// The factor 1 / t of a factor t other than 0.
constexpr Fr inverse(const Fr& t) {
  Fr exponent = kModulus;  // t^(r - 2)
  exponent.limbs[0] -= 2;
  return power(t, exponent);
}

/// The root of unity of order 2^log_order, as a factor. Pre: log_order <= kTwoAdicity.
constexpr Fr root_of_unity(unsigned log_order) {
  Fr exponent = kModulus;  // (r - 1) / 2^32, which is what lies above its low 32 bits
  for (std::size_t i = 0; i < 4; ++i) {
    exponent.limbs[i] =
        kModulus.limbs[i] >> 32 | (i < 3 ? kModulus.limbs[i + 1] << 32 : std::uint64_t{0});
  }
  Fr root = power(to_factor(Fr{{kGenerator}}), exponent);
  for (unsigned k = kTwoAdicity; k > log_order; --k) {
    root = multiply(root, root);
  }
  return root;
}

/// The number of a chunk, which is big-endian; not canonical if the chunk is none of the field's.
inline Fr load(const RecordChunk& chunk) {
  Fr value;
  for (std::size_t i = 0; i < 4; ++i) {
    std::uint64_t word = 0;
    std::memcpy(&word, chunk.data() + 8 * (3 - i), sizeof(word));
    value.limbs[i] = __builtin_bswap64(word);
  }
  return value;
}
inline void store(const Fr& value, RecordChunk& chunk) {
  for (std::size_t i = 0; i < 4; ++i) {
    const std::uint64_t word = __builtin_bswap64(value.limbs[i]);
    std::memcpy(chunk.data() + 8 * (3 - i), &word, sizeof(word));
  }
}

/// `index` with its `n_bits` low bits in reversed order.
constexpr std::size_t reversed_bits(std::size_t index, unsigned n_bits) {
  std::size_t result = 0;
  for (unsigned i = 0; i < n_bits; ++i) {
    result |= (index >> i & 1) << (n_bits - 1 - i);
  }
  return result;
}

}  // namespace fr
}  // namespace furrow
