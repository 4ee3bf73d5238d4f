// SPDX-License-Identifier: Apache-2.0
// GF(2^16) modulo x^16 + x^5 + x^3 + x^2 + 1 in Cantor coordinates
// (docs/spec/04-erasure-coding.md, section 1).
//
// A number's bit i selects the basis element beta_i. Addition is XOR. The property
// a^2 + a = a >> 1 of these coordinates is what makes the constants of the additive FFT trivial.
#pragma once

#include "furrow/core/config.hpp"

namespace furrow::core::gf16 {

using Element = std::uint16_t;

inline constexpr std::uint32_t kPolynomial = 0x1002D;
/// Order of the multiplicative group; exponents are taken modulo this number.
inline constexpr std::uint32_t kModulus = 65535;
inline constexpr std::size_t kOrder = 65536;

/// phi: Cantor coordinates to polynomial form.
FURROW_HD constexpr Element to_polynomial(Element a) {
  // beta_i in polynomial form.
  constexpr Element kCantorBasis[16] = {0x0001, 0xACCA, 0x3C0E, 0x163E, 0xC582, 0xED2E,
                                        0x914C, 0x4012, 0x6C98, 0x10D8, 0x6A72, 0xB900,
                                        0xFDB8, 0xFB34, 0xFF38, 0x991E};
  Element result = 0;
  for (unsigned bit = 0; bit < 16; ++bit) {
    if (((a >> bit) & 1U) != 0) {
      result = static_cast<Element>(result ^ kCantorBasis[bit]);
    }
  }
  return result;
}

/// phi^-1: polynomial form to Cantor coordinates.
FURROW_HD constexpr Element from_polynomial(Element a) {
  // The powers of x in Cantor coordinates.
  constexpr Element kPowers[16] = {0x0001, 0x4690, 0x65D8, 0x62D0, 0x5734, 0x45F0, 0x53B8, 0x1E38,
                                   0x7CAE, 0x4E38, 0x6708, 0xC25C, 0x7A64, 0x9EAC, 0x1124, 0x523A};
  Element result = 0;
  for (unsigned bit = 0; bit < 16; ++bit) {
    if (((a >> bit) & 1U) != 0) {
      result = static_cast<Element>(result ^ kPowers[bit]);
    }
  }
  return result;
}

/// Product of two elements in polynomial form.
FURROW_HD constexpr Element multiply_polynomial(Element a, Element b) {
  std::uint32_t product = 0;
  for (unsigned bit = 0; bit < 16; ++bit) {
    if (((b >> bit) & 1U) != 0) {
      product ^= static_cast<std::uint32_t>(a) << bit;
    }
  }
  for (unsigned bit = 30; bit >= 16; --bit) {
    if (((product >> bit) & 1U) != 0) {
      product ^= kPolynomial << (bit - 16);
    }
  }
  return static_cast<Element>(product);
}

/// Product of two elements. Slow: for building tables.
FURROW_HD constexpr Element multiply(Element a, Element b) {
  return from_polynomial(multiply_polynomial(to_polynomial(a), to_polynomial(b)));
}
static_assert(multiply(2, 3) == 1 && multiply(0x1234, 0xABCD) == 0x43C1);

/// Multiplier of one block of butterflies: w = (delta + r) >> m, an ordinary field element
/// (section 4).
FURROW_HD constexpr Element butterfly_factor(std::uint32_t delta, std::uint32_t block_start,
                                             unsigned layer) {
  return static_cast<Element>((delta + block_start) >> layer);
}

}  // namespace furrow::core::gf16
