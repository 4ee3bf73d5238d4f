// SPDX-License-Identifier: Apache-2.0
// Transforms of values in four words of 64 bits, whatever multiplies them.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>

#include "host/erasure/fr_arithmetic.hpp"

namespace furrow {

/// Operations has `add`, `subtract`, `difference_plus_r` and `multiply` with the promises of those in
/// fr.hpp.
template <class Operations>
class FourWordArithmetic final : public FrArithmetic {
 public:
  void to_coefficients(std::span<Fr> values, std::size_t n) const override {
    const Fr* const roots = fr_roots().inverse.data();
    const std::size_t block = std::min(kBlock, n);
    for (std::size_t h = n / 2; h >= block; h /= 2) {
      join_then_multiply(values, h, roots);
    }
    for (std::size_t first = 0; first < values.size(); first += block) {
      for (std::size_t h = block / 2; h > 1; h /= 2) {
        join_then_multiply(values.subspan(first, block), h, roots);
      }
    }
    if (n > 1) {
      join(values);
    }
  }

  void to_values(std::span<Fr> coefficients, std::size_t n,
                 std::span<const Fr> factors) const override {
    if (!factors.empty()) {
      multiply(coefficients, factors);
    }
    const Fr* const roots = fr_roots().forward.data();
    const std::size_t block = std::min(kBlock, n);
    if (n > 1) {
      join(coefficients);
    }
    for (std::size_t first = 0; first < coefficients.size(); first += block) {
      for (std::size_t h = 2; h < block; h *= 2) {
        multiply_then_join(coefficients.subspan(first, block), h, roots);
      }
    }
    for (std::size_t h = block; h < n; h *= 2) {
      multiply_then_join(coefficients, h, roots);
    }
  }

  void multiply(std::span<Fr> values, std::span<const Fr> factors) const override {
    for (std::size_t i = 0; i < values.size(); ++i) {
      values[i] = Operations::multiply(values[i], factors[i & (factors.size() - 1)]);
    }
  }

 private:
  /// Values that stay in the first cache while all layers inside of them are done: 32 KiB.
  static constexpr std::size_t kBlock = 1024;

  /// Joins neighbours, of which the root is 1.
  static void join(std::span<Fr> values) {
    for (std::size_t j = 0; j < values.size(); j += 2) {
      const Fr x = values[j];
      const Fr y = values[j + 1];
      values[j] = Operations::add(x, y);
      values[j + 1] = Operations::subtract(x, y);
    }
  }

  /// Joins values that are h apart, and multiplies afterwards.
  static void join_then_multiply(std::span<Fr> values, std::size_t h, const Fr* roots) {
    for (std::size_t first = 0; first < values.size(); first += 2 * h) {
      for (std::size_t j = first; j < first + h; ++j) {
        const Fr x = values[j];
        const Fr y = values[j + h];
        values[j] = Operations::add(x, y);
        values[j + h] =
            Operations::multiply(Operations::difference_plus_r(x, y), roots[h + j - first]);
      }
    }
  }

  /// Multiplies, and joins values that are h apart afterwards.
  static void multiply_then_join(std::span<Fr> values, std::size_t h, const Fr* roots) {
    for (std::size_t first = 0; first < values.size(); first += 2 * h) {
      for (std::size_t j = first; j < first + h; ++j) {
        const Fr x = values[j];
        const Fr y = Operations::multiply(values[j + h], roots[h + j - first]);
        values[j] = Operations::add(x, y);
        values[j + h] = Operations::subtract(x, y);
      }
    }
  }
};

}  // namespace furrow
