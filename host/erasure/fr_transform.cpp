// SPDX-License-Identifier: Apache-2.0
#include "host/erasure/fr_transform.hpp"

#include <algorithm>
#include <bit>

namespace furrow {
namespace {

/// Values that stay in the first cache while all layers inside of them are done: 32 KiB.
constexpr std::size_t kBlock = 1024;

std::vector<Fr> powers_of_roots(bool is_inverse) {
  std::vector<Fr> result(FrRoots::kMaxLength);
  for (std::size_t h = 1; h < FrRoots::kMaxLength; h *= 2) {
    Fr root = fr::root_of_unity(static_cast<unsigned>(std::countr_zero(2 * h)));
    if (is_inverse) {
      root = fr::inverse(root);
    }
    result[h] = fr::kOne;
    for (std::size_t j = 1; j < h; ++j) {
      result[h + j] = fr::multiply(result[h + j - 1], root);
    }
  }
  return result;
}

/// Joins elements that are h apart, and multiplies afterwards.
void join_then_multiply(std::span<Fr> elements, std::size_t h, const Fr* roots) {
  for (std::size_t first = 0; first < elements.size(); first += 2 * h) {
    for (std::size_t j = first; j < first + h; ++j) {
      const Fr x = elements[j];
      const Fr y = elements[j + h];
      elements[j] = fr::add(x, y);
      elements[j + h] = fr::multiply(fr::difference_plus_r(x, y), roots[h + j - first]);
    }
  }
}

/// Multiplies, and joins elements that are h apart afterwards.
void multiply_then_join(std::span<Fr> elements, std::size_t h, const Fr* roots) {
  for (std::size_t first = 0; first < elements.size(); first += 2 * h) {
    for (std::size_t j = first; j < first + h; ++j) {
      const Fr x = elements[j];
      const Fr y = fr::multiply(elements[j + h], roots[h + j - first]);
      elements[j] = fr::add(x, y);
      elements[j + h] = fr::subtract(x, y);
    }
  }
}

const Fr* roots_of(FrDirection direction) {
  return direction == FrDirection::kForward ? fr_roots().forward.data() : fr_roots().inverse.data();
}

}  // namespace

const FrRoots& fr_roots() {
  static const FrRoots roots{powers_of_roots(false), powers_of_roots(true)};
  return roots;
}

void fr_transform_to_reversed(FrDirection direction, std::span<Fr> elements) {
  const Fr* const roots = roots_of(direction);
  const std::size_t block = std::min(kBlock, elements.size());
  for (std::size_t h = elements.size() / 2; h >= block; h /= 2) {
    join_then_multiply(elements, h, roots);
  }
  for (std::size_t first = 0; first < elements.size(); first += block) {
    for (std::size_t h = block / 2; h > 0; h /= 2) {
      join_then_multiply(elements.subspan(first, block), h, roots);
    }
  }
}

void fr_transform_from_reversed(FrDirection direction, std::span<Fr> elements) {
  const Fr* const roots = roots_of(direction);
  const std::size_t block = std::min(kBlock, elements.size());
  for (std::size_t first = 0; first < elements.size(); first += block) {
    for (std::size_t h = 1; h < block; h *= 2) {
      multiply_then_join(elements.subspan(first, block), h, roots);
    }
  }
  for (std::size_t h = block; h < elements.size(); h *= 2) {
    multiply_then_join(elements, h, roots);
  }
}

std::vector<Fr> fr_shift_factors(std::size_t n) {
  const Fr* const powers = fr_roots().forward.data() + n;
  const Fr one_by_n = fr::inverse(fr::to_factor(Fr{{n}}));
  const auto n_bits = static_cast<unsigned>(std::countr_zero(n));
  std::vector<Fr> factors(n);
  for (std::size_t j = 0; j < n; ++j) {
    factors[reversed_bits(j, n_bits)] = fr::multiply(powers[j], one_by_n);
  }
  return factors;
}

}  // namespace furrow
