// SPDX-License-Identifier: Apache-2.0
// The SIMD form: two layers at a time, and blocks split in depth-first order until they fit the
// first-level cache. Compiled once for each target by foreach_target.h.

// clang-format off: the order of these lines matters
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "host/erasure/additive_fft.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
// clang-format on

#include <algorithm>

#include "host/erasure/additive_fft.hpp"
#include "host/erasure/gf16_unit-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace furrow::HWY_NAMESPACE {
using core::gf16::butterfly_factor;

#if HWY_TARGET == HWY_SCALAR

// One-lane vectors have no byte lookups.
void IfftSimd(const FftRows& rows, std::uint32_t delta, std::size_t n_given) {
  scalar::additive_ifft(rows, delta, n_given);
}
void FftSimd(const FftRows& rows, std::uint32_t delta, RowRange wanted) {
  scalar::additive_fft(rows, delta, wanted);
}
void DerivativeSimd(const FftRows& rows) {
  scalar::formal_derivative(rows);
}
void MultiplyRowsSimd(std::uint8_t* to, const std::uint8_t* from, std::size_t row_bytes,
                      std::span<const Element> factors) {
  scalar::multiply_rows(to, from, row_bytes, factors);
}

#else

/// Blocks of at most this many bytes are transformed layer by layer.
constexpr std::size_t kBlockBytes = std::size_t{16} << 10;

/// Part of a transform: rows first_row .. first_row + 2^log_rows - 1.
struct Block {
  std::size_t first_row;
  unsigned log_rows;

  [[nodiscard]] std::size_t count() const { return std::size_t{1} << log_rows; }
  [[nodiscard]] std::size_t end() const { return first_row + count(); }
  [[nodiscard]] Block quarter(std::size_t q) const {
    return {first_row + q * (count() / 4), log_rows - 2};
  }
};

struct Transform {
  const FftRows& rows;
  const Gf16Tables& tables;
  std::uint32_t delta;

  [[nodiscard]] Element factor(std::size_t r, unsigned layer) const {
    return butterfly_factor(delta, static_cast<std::uint32_t>(r), layer);
  }
  [[nodiscard]] bool is_small(const Block& block) const {
    return block.log_rows < 2 || block.count() * rows.row_bytes <= kBlockBytes;
  }
};

/// One block of one layer of fft: rows r and r + half, `half` rows each.
HWY_INLINE void fft_pair(const Transform& t, std::size_t r, unsigned layer) {
  const std::size_t n_bytes = t.rows.row_bytes << layer;
  std::uint8_t* const a = t.rows.row(r);
  std::uint8_t* const b = a + n_bytes;
  const Factor w = load_factor(t.tables, t.factor(r, layer));
  for (std::size_t i = 0; i < n_bytes; i += kGf16UnitBytes) {
    const Unit y = load_unit(b + i);
    const Unit x = add(load_unit(a + i), multiply(w, y));
    store_unit(x, a + i);
    store_unit(add(y, x), b + i);
  }
}

HWY_INLINE void ifft_pair(const Transform& t, std::size_t r, unsigned layer) {
  const std::size_t n_bytes = t.rows.row_bytes << layer;
  std::uint8_t* const a = t.rows.row(r);
  std::uint8_t* const b = a + n_bytes;
  const Factor w = load_factor(t.tables, t.factor(r, layer));
  for (std::size_t i = 0; i < n_bytes; i += kGf16UnitBytes) {
    const Unit x = load_unit(a + i);
    const Unit y = add(load_unit(b + i), x);
    store_unit(add(x, multiply(w, y)), a + i);
    store_unit(y, b + i);
  }
}

/// Layers `layer` and `layer` - 1 of the block of 2^(layer + 1) rows from r on. The factor of the
/// upper layer is zero exactly when that of the first block below it is.
template <bool kZeroFactor>
HWY_INLINE void fft_quad(const Transform& t, std::size_t r, unsigned layer) {
  const std::size_t n_bytes = t.rows.row_bytes << (layer - 1);
  std::uint8_t* const p = t.rows.row(r);
  const Factor upper = load_factor(t.tables, t.factor(r, layer));
  const Factor first = load_factor(t.tables, t.factor(r, layer - 1));
  const Factor second = load_factor(t.tables, t.factor(r + (std::size_t{1} << layer), layer - 1));
  for (std::size_t i = 0; i < n_bytes; i += kGf16UnitBytes) {
    Unit x0 = load_unit(p + i);
    Unit x1 = load_unit(p + n_bytes + i);
    Unit x2 = load_unit(p + 2 * n_bytes + i);
    Unit x3 = load_unit(p + 3 * n_bytes + i);
    if constexpr (!kZeroFactor) {
      x0 = add(x0, multiply(upper, x2));
      x1 = add(x1, multiply(upper, x3));
    }
    x2 = add(x2, x0);
    x3 = add(x3, x1);
    if constexpr (!kZeroFactor) {
      x0 = add(x0, multiply(first, x1));
    }
    x1 = add(x1, x0);
    x2 = add(x2, multiply(second, x3));
    x3 = add(x3, x2);
    store_unit(x0, p + i);
    store_unit(x1, p + n_bytes + i);
    store_unit(x2, p + 2 * n_bytes + i);
    store_unit(x3, p + 3 * n_bytes + i);
  }
}

template <bool kZeroFactor>
HWY_INLINE void ifft_quad(const Transform& t, std::size_t r, unsigned layer) {
  const std::size_t n_bytes = t.rows.row_bytes << (layer - 1);
  std::uint8_t* const p = t.rows.row(r);
  const Factor upper = load_factor(t.tables, t.factor(r, layer));
  const Factor first = load_factor(t.tables, t.factor(r, layer - 1));
  const Factor second = load_factor(t.tables, t.factor(r + (std::size_t{1} << layer), layer - 1));
  for (std::size_t i = 0; i < n_bytes; i += kGf16UnitBytes) {
    Unit x0 = load_unit(p + i);
    Unit x1 = add(load_unit(p + n_bytes + i), x0);
    Unit x2 = load_unit(p + 2 * n_bytes + i);
    Unit x3 = add(load_unit(p + 3 * n_bytes + i), x2);
    if constexpr (!kZeroFactor) {
      x0 = add(x0, multiply(first, x1));
    }
    x2 = add(x2, multiply(second, x3));
    x2 = add(x2, x0);
    x3 = add(x3, x1);
    if constexpr (!kZeroFactor) {
      x0 = add(x0, multiply(upper, x2));
      x1 = add(x1, multiply(upper, x3));
    }
    store_unit(x0, p + i);
    store_unit(x1, p + n_bytes + i);
    store_unit(x2, p + 2 * n_bytes + i);
    store_unit(x3, p + 3 * n_bytes + i);
  }
}

HWY_INLINE void fft_two_layers(const Transform& t, std::size_t r, unsigned layer) {
  if (t.factor(r, layer) == 0) {
    fft_quad<true>(t, r, layer);
  } else {
    fft_quad<false>(t, r, layer);
  }
}

HWY_INLINE void ifft_two_layers(const Transform& t, std::size_t r, unsigned layer) {
  if (t.factor(r, layer) == 0) {
    ifft_quad<true>(t, r, layer);
  } else {
    ifft_quad<false>(t, r, layer);
  }
}

void fft_small(const Transform& t, const Block& block, RowRange wanted) {
  const std::size_t last = std::min(wanted.last, block.end());
  const std::size_t first = std::max(wanted.first, block.first_row);
  unsigned layers = block.log_rows;
  if (layers % 2 == 1) {
    --layers;
    fft_pair(t, block.first_row, layers);
  }
  for (; layers > 0; layers -= 2) {
    const std::size_t size = std::size_t{1} << layers;
    for (std::size_t r = first & ~(size - 1); r < last; r += size) {
      fft_two_layers(t, r, layers - 1);
    }
  }
}

void ifft_small(const Transform& t, const Block& block, std::size_t n_given) {
  const std::size_t last = std::min(n_given, block.end());
  unsigned layers = 0;
  for (; layers + 2 <= block.log_rows; layers += 2) {
    for (std::size_t r = block.first_row; r < last; r += std::size_t{4} << layers) {
      ifft_two_layers(t, r, layers + 1);
    }
  }
  if (layers < block.log_rows) {
    ifft_pair(t, block.first_row, layers);
  }
}

// The recursion of the block functions ends after 8 levels: log_rows <= 16.
void fft_block(const Transform& t, const Block& block, RowRange wanted) {
  if (block.first_row >= wanted.last || block.end() <= wanted.first) {
    return;
  }
  if (t.is_small(block)) {
    fft_small(t, block, wanted);
    return;
  }
  fft_two_layers(t, block.first_row, block.log_rows - 1);
  for (std::size_t q = 0; q < 4; ++q) {
    fft_block(t, block.quarter(q), wanted);
  }
}

void ifft_block(const Transform& t, const Block& block, std::size_t n_given) {
  if (block.first_row >= n_given) {
    return;
  }
  if (t.is_small(block)) {
    ifft_small(t, block, n_given);
    return;
  }
  for (std::size_t q = 0; q < 4; ++q) {
    ifft_block(t, block.quarter(q), n_given);
  }
  ifft_two_layers(t, block.first_row, block.log_rows - 1);
}

/// A half receives the half to its right while that is still unmodified.
void derivative_block(const FftRows& rows, const Block& block) {
  const std::size_t n_bytes = rows.row_bytes * (block.count() / 4);
  std::uint8_t* const p = rows.row(block.first_row);
  if (block.log_rows < 2) {
    if (block.log_rows == 1) {
      add_span(p, p + rows.row_bytes, rows.row_bytes);
    }
    return;
  }
  if (block.log_rows == 2) {
    for (std::size_t i = 0; i < n_bytes; i += kGf16UnitBytes) {
      const Unit x1 = load_unit(p + n_bytes + i);
      const Unit x2 = load_unit(p + 2 * n_bytes + i);
      const Unit x3 = load_unit(p + 3 * n_bytes + i);
      store_unit(add(load_unit(p + i), add(x1, x2)), p + i);
      store_unit(add(x1, x3), p + n_bytes + i);
      store_unit(add(x2, x3), p + 2 * n_bytes + i);
    }
    return;
  }
  derivative_block(rows, block.quarter(0));
  for (std::size_t i = 0; i < n_bytes; i += kGf16UnitBytes) {
    const Unit sum = add(load_unit(p + n_bytes + i), load_unit(p + 2 * n_bytes + i));
    store_unit(add(load_unit(p + i), sum), p + i);
  }
  derivative_block(rows, block.quarter(1));
  add_span(p + n_bytes, p + 3 * n_bytes, n_bytes);
  derivative_block(rows, block.quarter(2));
  add_span(p + 2 * n_bytes, p + 3 * n_bytes, n_bytes);
  derivative_block(rows, block.quarter(3));
}

void IfftSimd(const FftRows& rows, std::uint32_t delta, std::size_t n_given) {
  ifft_block({rows, gf16_tables(), delta}, {0, rows.log_rows}, n_given);
}

void FftSimd(const FftRows& rows, std::uint32_t delta, RowRange wanted) {
  fft_block({rows, gf16_tables(), delta}, {0, rows.log_rows}, wanted);
}

void DerivativeSimd(const FftRows& rows) {
  derivative_block(rows, {0, rows.log_rows});
}

void MultiplyRowsSimd(std::uint8_t* to, const std::uint8_t* from, std::size_t row_bytes,
                      std::span<const Element> factors) {
  // Zero factors come at random in the decoder. Sorting the rows of a batch by them without
  // branches spares a misprediction for every other row.
  constexpr std::size_t kBatch = 256;
  const Gf16Tables& tables = gf16_tables();
  for (std::size_t start = 0; start < factors.size(); start += kBatch) {
    const std::size_t n_rows = std::min(kBatch, factors.size() - start);
    std::uint8_t places[kBatch];  // of non-zero factors from the front, of zero ones from the back
    std::size_t n_factors = 0;
    std::size_t zeros = n_rows;
    for (std::size_t i = 0; i < n_rows; ++i) {
      const bool is_zero = factors[start + i] == 0;
      zeros -= is_zero ? 1 : 0;
      places[is_zero ? zeros : n_factors] = static_cast<std::uint8_t>(i);
      n_factors += is_zero ? 0 : 1;
    }
    for (std::size_t i = 0; i < n_factors; ++i) {
      const std::size_t row = start + places[i];
      multiply_span(load_factor(tables, factors[row]), to + row * row_bytes, from + row * row_bytes,
                    row_bytes);
    }
    for (std::size_t i = n_factors; i < n_rows; ++i) {
      clear_span(to + (start + places[i]) * row_bytes, row_bytes);
    }
  }
}

#endif

}  // namespace furrow::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace furrow {

HWY_EXPORT(IfftSimd);
HWY_EXPORT(FftSimd);
HWY_EXPORT(DerivativeSimd);
HWY_EXPORT(MultiplyRowsSimd);

void additive_ifft(SimdMode mode, const FftRows& rows, std::uint32_t delta, std::size_t n_given) {
  if (uses_scalar(mode)) {
    scalar::additive_ifft(rows, delta, n_given);
  } else {
    HWY_DYNAMIC_DISPATCH(IfftSimd)(rows, delta, n_given);
  }
}

void additive_fft(SimdMode mode, const FftRows& rows, std::uint32_t delta, RowRange wanted) {
  if (uses_scalar(mode)) {
    scalar::additive_fft(rows, delta, wanted);
  } else {
    HWY_DYNAMIC_DISPATCH(FftSimd)(rows, delta, wanted);
  }
}

void formal_derivative(SimdMode mode, const FftRows& rows) {
  if (uses_scalar(mode)) {
    scalar::formal_derivative(rows);
  } else {
    HWY_DYNAMIC_DISPATCH(DerivativeSimd)(rows);
  }
}

void multiply_rows(SimdMode mode, std::uint8_t* to, const std::uint8_t* from, std::size_t row_bytes,
                   std::span<const core::gf16::Element> factors) {
  if (uses_scalar(mode)) {
    scalar::multiply_rows(to, from, row_bytes, factors);
  } else {
    HWY_DYNAMIC_DISPATCH(MultiplyRowsSimd)(to, from, row_bytes, factors);
  }
}

}  // namespace furrow
#endif  // HWY_ONCE
