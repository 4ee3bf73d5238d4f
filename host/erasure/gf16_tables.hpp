// SPDX-License-Identifier: Apache-2.0
// Tables of GF(2^16) in Cantor coordinates (docs/spec/04-erasure-coding.md, sections 1 and 8).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "furrow/core/gf16.hpp"

namespace furrow {

/// Bytes of a unit: 16 symbols, first their low bytes, then their high bytes. A record chunk is
/// one.
inline constexpr std::size_t kGf16UnitBytes = 32;

/// Products of one factor w with all values of each of the four nibbles of a symbol, split into low
/// and high bytes. low<q>[v] and high<q>[v] are the bytes of w * (v << 4q). The order is such that
/// 32 bytes in a row serve both halves of a unit in one 256-bit shuffle.
struct alignas(32) NibbleProducts {
  using Bytes = std::array<std::uint8_t, 16>;
  Bytes low0, high2, low1, high3, high0, low2, high1, low3;
};
static_assert(sizeof(NibbleProducts) == 128);

struct Gf16Tables {
  using Element = core::gf16::Element;

  /// log[exp[e]] = e for e < 65535. log[0] is 0 and means nothing.
  std::array<Element, core::gf16::kOrder> log{};
  /// exp[e] = 2^e, 2 being the polynomial x; exp[65535] repeats exp[0], so that sums of exponents
  /// need no full reduction.
  std::array<Element, core::gf16::kOrder> exp{};
  /// The products of w are the XOR of low_factor[w & 255] and high_factor[w >> 8], because products
  /// are linear in w. 64 KiB instead of the 8 MiB of a table for every w, and so never far from L1.
  std::array<NibbleProducts, 256> low_factor{};
  std::array<NibbleProducts, 256> high_factor{};

  /// Exponent of the product of exp[a] and exp[b].
  static constexpr Element add_exponents(Element a, Element b) {
    const std::uint32_t sum = std::uint32_t{a} + b;
    return static_cast<Element>((sum & 0xFFFFU) + (sum >> 16));
  }
  [[nodiscard]] Element multiply(Element a, Element b) const {
    return a == 0 || b == 0 ? Element{0} : exp[add_exponents(log[a], log[b])];
  }
};

/// Built on first use. Thread-safe.
const Gf16Tables& gf16_tables();

}  // namespace furrow
