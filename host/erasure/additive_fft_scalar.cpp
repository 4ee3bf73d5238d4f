// SPDX-License-Identifier: Apache-2.0
// The scalar transforms: one layer after the other as section 4 writes them, multiplication by
// logarithms. They share neither tables nor order of work with the SIMD form that they check.
#include <cstring>

#include "host/erasure/additive_fft.hpp"

namespace furrow::scalar {
namespace {

using core::gf16::Element;

constexpr std::size_t kHalfUnit = kGf16UnitBytes / 2;

void xor_bytes(std::uint8_t* to, const std::uint8_t* from, std::size_t n_bytes) {
  for (std::size_t i = 0; i < n_bytes; ++i) {
    to[i] ^= from[i];
  }
}

/// to = to * keep + factor * from, where keep is 0 or 1.
template <bool kKeep>
void multiply_bytes(std::uint8_t* to, const std::uint8_t* from, std::size_t n_bytes,
                    Element factor) {
  const Gf16Tables& tables = gf16_tables();
  const Element log_factor = tables.log[factor];
  for (std::size_t unit = 0; unit < n_bytes; unit += kGf16UnitBytes) {
    for (std::size_t i = unit; i < unit + kHalfUnit; ++i) {
      const auto symbol = static_cast<Element>(from[i] | from[i + kHalfUnit] << 8);
      const Element product =
          symbol == 0 ? Element{0}
                      : tables.exp[Gf16Tables::add_exponents(log_factor, tables.log[symbol])];
      to[i] = static_cast<std::uint8_t>((kKeep ? to[i] : 0) ^ (product & 0xFF));
      to[i + kHalfUnit] =
          static_cast<std::uint8_t>((kKeep ? to[i + kHalfUnit] : 0) ^ (product >> 8));
    }
  }
}

void multiply_add(std::uint8_t* to, const std::uint8_t* from, std::size_t n_bytes, Element factor) {
  if (factor != 0) {
    multiply_bytes<true>(to, from, n_bytes, factor);
  }
}

}  // namespace

void additive_ifft(const FftRows& rows, std::uint32_t delta, std::size_t n_given) {
  for (unsigned layer = 0; layer < rows.log_rows; ++layer) {
    const std::size_t half = std::size_t{1} << layer;
    const std::size_t n_bytes = half * rows.row_bytes;
    // Blocks beyond the given rows are zero and stay so.
    for (std::size_t r = 0; r < n_given; r += 2 * half) {
      const Element w = core::gf16::butterfly_factor(delta, static_cast<std::uint32_t>(r), layer);
      xor_bytes(rows.row(r + half), rows.row(r), n_bytes);
      multiply_add(rows.row(r), rows.row(r + half), n_bytes, w);
    }
  }
}

void additive_fft(const FftRows& rows, std::uint32_t delta, RowRange wanted) {
  for (unsigned layer = rows.log_rows; layer-- > 0;) {
    const std::size_t half = std::size_t{1} << layer;
    const std::size_t n_bytes = half * rows.row_bytes;
    for (std::size_t r = wanted.first / (2 * half) * (2 * half); r < wanted.last; r += 2 * half) {
      const Element w = core::gf16::butterfly_factor(delta, static_cast<std::uint32_t>(r), layer);
      multiply_add(rows.row(r), rows.row(r + half), n_bytes, w);
      xor_bytes(rows.row(r + half), rows.row(r), n_bytes);
    }
  }
}

void formal_derivative(const FftRows& rows) {
  for (std::size_t i = 1; i < rows.count(); ++i) {
    const std::size_t width = i & (~i + 1);
    xor_bytes(rows.row(i - width), rows.row(i), width * rows.row_bytes);
  }
}

void multiply_rows(std::uint8_t* to, const std::uint8_t* from, std::size_t row_bytes,
                   std::span<const Element> factors) {
  for (std::size_t i = 0; i < factors.size(); ++i) {
    if (factors[i] == 0) {
      std::memset(to + i * row_bytes, 0, row_bytes);
    } else {
      multiply_bytes<false>(to + i * row_bytes, from + i * row_bytes, row_bytes, factors[i]);
    }
  }
}

}  // namespace furrow::scalar
