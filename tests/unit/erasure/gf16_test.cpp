// SPDX-License-Identifier: Apache-2.0
// Field, transforms and locator of the erasure code (docs/spec/04-erasure-coding.md, sections 1, 4,
// 6).
#include "furrow/core/gf16.hpp"

#include <array>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "host/erasure/additive_fft.hpp"
#include "host/erasure/gf16_tables.hpp"
#include "host/erasure/locator.hpp"
#include "tests/reference/erasure_reference.hpp"
#include "tests/support/simd_targets.hpp"

namespace furrow {
namespace {

using core::gf16::Element;

constexpr std::size_t kUnit = kGf16UnitBytes;

Element element(std::size_t number) {
  return static_cast<Element>(number);
}

TEST(Gf16, CantorProperty) {
  const Gf16Tables& tables = gf16_tables();
  for (std::uint32_t a = 0; a < core::gf16::kOrder; ++a) {
    const Element square = tables.multiply(element(a), element(a));
    ASSERT_EQ(square ^ a, a >> 1) << a;
  }
}

TEST(Gf16, LogarithmsOfTheSpecification) {
  const Gf16Tables& tables = gf16_tables();
  const Element logs[] = {0, 21845, 43690, 17476, 4369, 34952, 8738};
  for (std::size_t i = 0; i < std::size(logs); ++i) {
    EXPECT_EQ(tables.log[i + 1], logs[i]);
  }
  EXPECT_EQ(tables.log[0x8000], 26315);
  const Element powers[] = {0x0001, 0x4690, 0x65D8, 0x62D0, 0x5734, 0x45F0};
  for (std::size_t e = 0; e < std::size(powers); ++e) {
    EXPECT_EQ(tables.exp[e], powers[e]);
  }
  EXPECT_EQ(tables.exp[65535], 1);
}

TEST(Gf16, ProductsOfTheSpecification) {
  EXPECT_EQ(gf16_tables().multiply(2, 3), 1);
  EXPECT_EQ(gf16_tables().multiply(0x1234, 0xABCD), 0x43C1);
  EXPECT_EQ(gf16_tables().multiply(0x1234, 0), 0);
  EXPECT_EQ(gf16_tables().multiply(0, 0xABCD), 0);
  EXPECT_EQ(reference::gf16_multiply(2, 3), 1);
  EXPECT_EQ(reference::gf16_multiply(0x1234, 0xABCD), 0x43C1);
}

TEST(Gf16, CoordinatesChangeThereAndBack) {
  for (std::uint32_t a = 0; a < core::gf16::kOrder; ++a) {
    const Element polynomial = core::gf16::to_polynomial(element(a));
    ASSERT_EQ(core::gf16::from_polynomial(polynomial), a);
  }
}

TEST(Gf16, ProductsAgreeWithTheReference) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  for (int i = 0; i < 20'000; ++i) {
    const Element a = element(random() & 0xFFFF);
    const Element b = element(random() & 0xFFFF);
    ASSERT_EQ(gf16_tables().multiply(a, b), reference::gf16_multiply(a, b)) << a << " * " << b;
  }
}

// The vector shuffles see only these tables.
TEST(Gf16, NibbleProductsCombineToEveryProduct) {
  const Gf16Tables& tables = gf16_tables();
  for (const std::uint32_t factor : {0U, 1U, 2U, 255U, 256U, 0x1234U, 0x8000U, 0xFFFFU}) {
    const NibbleProducts& a = tables.low_factor[factor & 0xFF];
    const NibbleProducts& b = tables.high_factor[factor >> 8];
    for (std::uint32_t symbol = 0; symbol < core::gf16::kOrder; ++symbol) {
      const std::size_t v[4] = {symbol & 15, symbol >> 4 & 15, symbol >> 8 & 15, symbol >> 12};
      int low = 0;
      int high = 0;
      for (const NibbleProducts* part : {&a, &b}) {
        low ^= part->low0[v[0]] ^ part->low1[v[1]] ^ part->low2[v[2]] ^ part->low3[v[3]];
        high ^= part->high0[v[0]] ^ part->high1[v[1]] ^ part->high2[v[2]] ^ part->high3[v[3]];
      }
      ASSERT_EQ(low | high << 8, tables.multiply(element(factor), element(symbol)));
    }
  }
}

/// Rows of one unit whose first symbols are given, the others zero.
std::vector<std::uint8_t> rows_of(const std::vector<Element>& symbols) {
  std::vector<std::uint8_t> rows(symbols.size() * kUnit);
  for (std::size_t i = 0; i < symbols.size(); ++i) {
    rows[i * kUnit] = static_cast<std::uint8_t>(symbols[i] & 0xFF);
    rows[i * kUnit + kUnit / 2] = static_cast<std::uint8_t>(symbols[i] >> 8);
  }
  return rows;
}

std::vector<Element> symbols_of(const std::vector<std::uint8_t>& rows) {
  std::vector<Element> symbols;
  for (std::size_t i = 0; i < rows.size(); i += kUnit) {
    symbols.push_back(element(rows[i] | rows[i + kUnit / 2] << 8U));
  }
  return symbols;
}

using Symbols = std::vector<Element>;

TEST(AdditiveFft, WorkedEncodingOfTheSpecification) {
  for (const SimdMode mode : {SimdMode::kScalar, SimdMode::kBest}) {
    std::vector<std::uint8_t> bytes = rows_of({0x1234, 0xABCD, 0x0001, 0xFFFF});
    const FftRows rows{bytes.data(), kUnit, 2};
    additive_ifft(mode, rows, 4, 4);
    EXPECT_EQ(symbols_of(bytes), (Symbols{0x8CC4, 0x02A7, 0x30CB, 0x4607}));
    additive_fft(mode, rows, 0, {0, 4});
    EXPECT_EQ(symbols_of(bytes), (Symbols{0x8CC4, 0x8E63, 0x041A, 0x40BA}));
  }
}

TEST(AdditiveFft, WorkedDecodingOfTheSpecification) {
  const std::vector<std::uint8_t> erased = {0, 1, 0, 1, 1, 0, 1, 0};
  std::vector<std::int32_t> work(8);
  Symbols logarithms(8);
  locator_logarithms(erased, work, logarithms);
  EXPECT_EQ(logarithms, (Symbols{30583, 34952, 30583, 34952, 34952, 30583, 34952, 30583}));

  Symbols scale(8);
  Symbols reveal(8);
  for (std::size_t i = 0; i < 8; ++i) {
    scale[i] = erased[i] != 0 ? Element{0} : gf16_tables().exp[logarithms[i]];
    reveal[i] = erased[i] != 0 ? gf16_tables().exp[65535U - logarithms[i]] : Element{0};
  }
  for (const SimdMode mode : {SimdMode::kScalar, SimdMode::kBest}) {
    SCOPED_TRACE(simd_target_name(mode));
    // Erased rows hold something, which nobody may read.
    std::vector<std::uint8_t> bytes = rows_of({0x8CC4, 1, 0x041A, 2, 3, 0xABCD, 4, 0xFFFF});
    const FftRows rows{bytes.data(), kUnit, 3};
    multiply_rows(mode, bytes.data(), bytes.data(), kUnit, scale);
    EXPECT_EQ(symbols_of(bytes), (Symbols{0x2FBB, 0, 0x0CD9, 0, 0, 0xF21D, 0, 0x9778}));
    additive_ifft(mode, rows, 0, 8);
    EXPECT_EQ(symbols_of(bytes),
              (Symbols{0x2FBB, 0x2FBB, 0x2657, 0x2362, 0xE24B, 0x5EDB, 0x30CB, 0x4607}));
    formal_derivative(mode, rows);
    EXPECT_EQ(symbols_of(bytes),
              (Symbols{0xC41C, 0x5202, 0x35FE, 0x6565, 0x8C5B, 0x18DC, 0x76CC, 0x4607}));
    additive_fft(mode, rows, 0, {0, 8});
    EXPECT_EQ(symbols_of(bytes),
              (Symbols{0xC41C, 0x961E, 0xEE0A, 0xD96D, 0x6EC0, 0x1C3D, 0x0006, 0x5199}));
    multiply_rows(mode, bytes.data(), bytes.data(), kUnit, reveal);
    EXPECT_EQ(symbols_of(bytes), (Symbols{0, 0x8E63, 0, 0x40BA, 0x1234, 0, 0x0001, 0}));
  }
}

struct Shape {
  unsigned log_rows;
  std::size_t row_bytes;
};

// Sizes below, at and above what the SIMD form transforms layer by layer, with odd and even numbers
// of layers.
constexpr Shape kShapes[] = {{0, 32},  {1, 32},  {2, 96},  {3, 32},  {5, 64},       {9, 32},
                             {10, 32}, {11, 32}, {12, 32}, {7, 160}, {1, 32 << 10}, {3, 8 << 10}};

class RandomRows {
 public:
  explicit RandomRows(unsigned seed) : random_(seed) {}

  std::uint32_t below(std::size_t bound) {
    return static_cast<std::uint32_t>(random_() % static_cast<std::uint32_t>(bound));
  }
  std::vector<std::uint8_t> bytes(std::size_t size) {
    std::vector<std::uint8_t> result(size);
    for (std::uint8_t& byte : result) {
      byte = static_cast<std::uint8_t>(random_());
    }
    return result;
  }
  /// A multiple of the number of rows below 65536.
  std::uint32_t delta(unsigned log_rows) {
    return below(core::gf16::kOrder >> log_rows) << log_rows;
  }

 private:
  std::mt19937 random_;
};

/// The last `n_given` and following rows cleared.
void clear_from(const FftRows& rows, std::size_t n_given) {
  std::fill(rows.row(n_given), rows.row(rows.count()), std::uint8_t{0});
}

TEST(AdditiveFft, EveryTargetAgreesWithTheScalarForm) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  test::for_each_simd_target([&] {
    RandomRows random(seed);
    for (const auto& [log_rows, row_bytes] : kShapes) {
      SCOPED_TRACE(std::to_string(log_rows) + " layers of " + std::to_string(row_bytes));
      std::vector<std::uint8_t> a = random.bytes(row_bytes << log_rows);
      const FftRows rows_a{a.data(), row_bytes, log_rows};
      const std::size_t n_given = 1 + random.below(rows_a.count());
      const std::size_t first = random.below(n_given);
      const std::uint32_t delta = random.delta(log_rows);
      clear_from(rows_a, n_given);
      std::vector<std::uint8_t> b = a;
      const FftRows rows_b{b.data(), row_bytes, log_rows};

      additive_ifft(SimdMode::kScalar, rows_a, delta, n_given);
      additive_ifft(SimdMode::kBest, rows_b, delta, n_given);
      ASSERT_TRUE(a == b) << "ifft, delta " << delta << ", " << n_given << " rows given";
      formal_derivative(SimdMode::kScalar, rows_a);
      formal_derivative(SimdMode::kBest, rows_b);
      ASSERT_TRUE(a == b) << "derivative";
      additive_fft(SimdMode::kScalar, rows_a, delta, {first, n_given});
      additive_fft(SimdMode::kBest, rows_b, delta, {first, n_given});
      ASSERT_TRUE(std::equal(rows_a.row(first), rows_a.row(n_given), rows_b.row(first)))
          << "fft, delta " << delta << ", rows " << first << " to " << n_given;

      Symbols factors(rows_a.count());
      for (Element& factor : factors) {
        factor = random.below(3) == 0 ? Element{0} : element(random.below(65536));
      }
      const std::vector<std::uint8_t> from = random.bytes(a.size());
      multiply_rows(SimdMode::kScalar, a.data(), from.data(), row_bytes, factors);
      multiply_rows(SimdMode::kBest, b.data(), from.data(), row_bytes, factors);
      ASSERT_TRUE(a == b) << "multiply_rows";
    }
  });
}

TEST(AdditiveFft, InverseUndoesTheTransform) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  RandomRows random(seed);
  for (const SimdMode mode : {SimdMode::kScalar, SimdMode::kBest}) {
    for (const auto& [log_rows, row_bytes] : kShapes) {
      const std::vector<std::uint8_t> original = random.bytes(row_bytes << log_rows);
      std::vector<std::uint8_t> bytes = original;
      const FftRows rows{bytes.data(), row_bytes, log_rows};
      const std::uint32_t delta = random.delta(log_rows);
      additive_fft(mode, rows, delta, {0, rows.count()});
      if (log_rows > 0) {
        EXPECT_FALSE(bytes == original);
      }
      additive_ifft(mode, rows, delta, rows.count());
      ASSERT_TRUE(bytes == original) << simd_target_name(mode) << ", " << log_rows << " layers";
    }
  }
}

// Evaluation of the basis polynomials by their definition: s_m(x) = x >> m.
TEST(AdditiveFft, EvaluatesTheNovelBasis) {
  constexpr unsigned kLogRows = 5;
  constexpr std::size_t kRows = std::size_t{1} << kLogRows;
  constexpr std::uint32_t kDelta = 0x4D40;
  for (std::size_t degree = 0; degree < kRows; ++degree) {
    Symbols coefficients(kRows);
    coefficients[degree] = 1;
    std::vector<std::uint8_t> bytes = rows_of(coefficients);
    additive_fft(SimdMode::kScalar, {bytes.data(), kUnit, kLogRows}, kDelta, {0, kRows});
    const Symbols values = symbols_of(bytes);
    for (std::size_t i = 0; i < kRows; ++i) {
      Element expected = 1;
      for (unsigned m = 0; m < kLogRows; ++m) {
        if ((degree >> m & 1) != 0) {
          expected = reference::gf16_multiply(expected, element((kDelta + i) >> m));
        }
      }
      ASSERT_EQ(values[i], expected) << "X_" << degree << " at " << kDelta + i;
    }
  }
}

TEST(Locator, AgreesWithTheSum) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  RandomRows random(seed);
  for (const std::size_t size : {2UL, 4UL, 8UL, 256UL, 2048UL, 8192UL, 65536UL}) {
    std::vector<std::uint8_t> erased(size);
    std::vector<std::size_t> places;
    for (std::size_t i = 0; i < size; ++i) {
      erased[i] = random.below(2) == 0 ? 1 : 0;
      if (erased[i] != 0) {
        places.push_back(i);
      }
    }
    std::vector<std::int32_t> work(size);
    Symbols logarithms(size);
    locator_logarithms(erased, work, logarithms);
    for (int trial = 0; trial < 100; ++trial) {
      const std::size_t i = random.below(size);
      std::uint64_t sum = 0;
      for (const std::size_t j : places) {
        sum += j == i ? 0 : gf16_tables().log[i ^ j];
      }
      ASSERT_EQ(logarithms[i], sum % 65535) << "position " << i << " of " << size;
    }
  }
}

}  // namespace
}  // namespace furrow
