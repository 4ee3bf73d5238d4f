// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <bit>

#include "host/erasure/fr_arithmetic.hpp"

namespace furrow {
namespace {

/// Values that stay in the first cache while all layers inside of them are done: 32 KiB.
constexpr std::size_t kBlock = 1024;

/// Joins values that are h apart, and multiplies afterwards.
void join_then_multiply(std::span<Fr> values, std::size_t h, const Fr* roots) {
  for (std::size_t first = 0; first < values.size(); first += 2 * h) {
    for (std::size_t j = first; j < first + h; ++j) {
      const Fr x = values[j];
      const Fr y = values[j + h];
      values[j] = fr::add(x, y);
      values[j + h] = fr::multiply(fr::difference_plus_r(x, y), roots[h + j - first]);
    }
  }
}

/// Multiplies, and joins values that are h apart afterwards.
void multiply_then_join(std::span<Fr> values, std::size_t h, const Fr* roots) {
  for (std::size_t first = 0; first < values.size(); first += 2 * h) {
    for (std::size_t j = first; j < first + h; ++j) {
      const Fr x = values[j];
      const Fr y = fr::multiply(values[j + h], roots[h + j - first]);
      values[j] = fr::add(x, y);
      values[j + h] = fr::subtract(x, y);
    }
  }
}

class PlainArithmetic final : public FrArithmetic {
 public:
  void to_coefficients(std::span<Fr> values, std::size_t n) const override {
    const Fr* const roots = fr_roots().inverse.data();
    const std::size_t block = std::min(kBlock, n);
    for (std::size_t h = n / 2; h >= block; h /= 2) {
      join_then_multiply(values, h, roots);
    }
    for (std::size_t first = 0; first < values.size(); first += block) {
      for (std::size_t h = block / 2; h > 0; h /= 2) {
        join_then_multiply(values.subspan(first, block), h, roots);
      }
    }
  }

  void to_values(std::span<Fr> coefficients, std::size_t n) const override {
    const Fr* const roots = fr_roots().forward.data();
    const std::size_t block = std::min(kBlock, n);
    for (std::size_t first = 0; first < coefficients.size(); first += block) {
      for (std::size_t h = 1; h < block; h *= 2) {
        multiply_then_join(coefficients.subspan(first, block), h, roots);
      }
    }
    for (std::size_t h = block; h < n; h *= 2) {
      multiply_then_join(coefficients, h, roots);
    }
  }

  void multiply(std::span<Fr> values, std::span<const Fr> factors) const override {
    for (std::size_t i = 0; i < values.size(); ++i) {
      values[i] = fr::multiply(values[i], factors[i & (factors.size() - 1)]);
    }
  }
};

}  // namespace

const FrArithmetic& fr_plain() {
  static const PlainArithmetic arithmetic;
  return arithmetic;
}

}  // namespace furrow
