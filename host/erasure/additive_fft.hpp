// SPDX-License-Identifier: Apache-2.0
// Additive FFT over GF(2^16) on rows of symbols (docs/spec/04-erasure-coding.md, sections 4 and 6).
//
// Row i holds value or coefficient i of many independent codewords, one for each symbol of the row.
// A row is a whole number of units of 32 bytes:
//
//   | 16 low bytes | 16 high bytes | 16 low bytes | 16 high bytes | ...
//     symbols 0..15                  symbols 16..31
//
// Rows lie back to back, so the rows that share a butterfly factor are one span of bytes.
// All functions are thread-safe, allocate nothing, and give the same bytes in every mode.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "furrow/core/gf16.hpp"

#include "host/base/simd_mode.hpp"
#include "host/erasure/gf16_tables.hpp"

namespace furrow {

/// 2^log_rows rows of row_bytes bytes, any alignment. Pre: row_bytes is a multiple of 32, log_rows
/// <= 16.
struct FftRows {
  std::uint8_t* data;
  std::size_t row_bytes;
  unsigned log_rows;

  [[nodiscard]] std::uint8_t* row(std::size_t index) const { return data + index * row_bytes; }
  [[nodiscard]] std::size_t count() const { return std::size_t{1} << log_rows; }
};

/// Half-open range of rows.
struct RowRange {
  std::size_t first;
  std::size_t last;
};

/// Values at the points delta + i to coefficients, in place. Rows from `n_given` on must be zero.
/// Pre: delta is a multiple of the number of rows, n_given <= rows.count().
void additive_ifft(SimdMode mode, const FftRows& rows, std::uint32_t delta, std::size_t n_given);

/// Coefficients to values at the points delta + i, in place; only the rows of `wanted` are defined
/// afterwards. Pre: delta as above, wanted within the rows.
void additive_fft(SimdMode mode, const FftRows& rows, std::uint32_t delta, RowRange wanted);

/// Coefficients of h to those of h + h', in place (section 6, step 5).
void formal_derivative(SimdMode mode, const FftRows& rows);

/// Row i of `to` becomes factors[i] times row i of `from`; a row with factor 0 is not read.
/// `to` and `from` are the same or do not overlap. Pre: row_bytes is a multiple of 32.
void multiply_rows(SimdMode mode, std::uint8_t* to, const std::uint8_t* from, std::size_t row_bytes,
                   std::span<const core::gf16::Element> factors);

/// The scalar twins, plain transcriptions of the formulas with logarithm tables.
namespace scalar {

void additive_ifft(const FftRows& rows, std::uint32_t delta, std::size_t n_given);
void additive_fft(const FftRows& rows, std::uint32_t delta, RowRange wanted);
void formal_derivative(const FftRows& rows);
void multiply_rows(std::uint8_t* to, const std::uint8_t* from, std::size_t row_bytes,
                   std::span<const core::gf16::Element> factors);

}  // namespace scalar

}  // namespace furrow
