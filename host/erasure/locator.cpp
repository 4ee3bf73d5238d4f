// SPDX-License-Identifier: Apache-2.0
// The sums are a XOR-convolution of the erased set with the logarithms, hence a product of
// Walsh-Hadamard transforms over the integers modulo 65535.
#include "host/erasure/locator.hpp"

#include <algorithm>
#include <bit>
#include <cassert>
#include <vector>

#include "host/erasure/gf16_tables.hpp"

namespace furrow {
namespace {

using core::gf16::kModulus;
using core::gf16::kOrder;

/// Values whose transforms stay in the first-level cache, 16 KiB.
constexpr std::size_t kBlock = 4096;

void transform_layer(std::int32_t* values, std::size_t size, std::size_t half) {
  for (std::size_t r = 0; r < size; r += 2 * half) {
    for (std::size_t i = r; i < r + half; ++i) {
      const std::int32_t a = values[i];
      const std::int32_t b = values[i + half];
      values[i] = a + b;
      values[i + half] = a - b;
    }
  }
}

/// Layers of distance 1, 2 and 4.
void transform_eights(std::int32_t* values, std::size_t size) {
  for (std::size_t r = 0; r < size; r += 8) {
    transform_layer(values + r, 8, 1);
    transform_layer(values + r, 8, 2);
    transform_layer(values + r, 8, 4);
  }
}

/// Unscaled transform over the integers. Exact when size * max |value| < 2^31.
void walsh_hadamard(std::span<std::int32_t> values) {
  if (values.size() < 8) {
    for (std::size_t half = 1; half < values.size(); half *= 2) {
      transform_layer(values.data(), values.size(), half);
    }
    return;
  }
  const std::size_t block = std::min(values.size(), kBlock);
  for (std::size_t r = 0; r < values.size(); r += block) {
    transform_eights(values.data() + r, block);
    for (std::size_t half = 8; half < block; half *= 2) {
      transform_layer(values.data() + r, block, half);
    }
  }
  for (std::size_t half = block; half < values.size(); half *= 2) {
    transform_layer(values.data(), values.size(), half);
  }
}

/// 0..65534 from any integer.
std::uint32_t reduce(std::int32_t value) {
  // 2^16 is 1 modulo 65535; the sum is at least -32768, and one modulus more makes it positive.
  const std::int32_t folded =
      (value & 0xFFFF) + (value >> 16) + static_cast<std::int32_t>(kModulus);
  return static_cast<std::uint32_t>(folded) % kModulus;
}

/// Representative of least magnitude, so that 16 layers of sums stay below 2^31.
std::int32_t centred(std::uint32_t residue) {
  return static_cast<std::int32_t>(residue) -
         static_cast<std::int32_t>(residue > kModulus / 2 ? kModulus : 0);
}

/// Transform of the logarithms of the first out.size() elements, reduced.
void transformed_logarithms(std::span<std::int32_t> work, std::span<std::uint16_t> out) {
  const Gf16Tables& tables = gf16_tables();
  work[0] = 0;
  for (std::size_t i = 1; i < work.size(); ++i) {
    work[i] = centred(tables.log[i]);
  }
  walsh_hadamard(work);
  std::transform(work.begin(), work.end(), out.begin(),
                 [](std::int32_t v) { return static_cast<std::uint16_t>(reduce(v)); });
}

std::span<const std::uint16_t> all_transformed_logarithms() {
  static const std::vector<std::uint16_t> table = [] {
    std::vector<std::int32_t> work(kOrder);
    std::vector<std::uint16_t> result(kOrder);
    transformed_logarithms(work, result);
    return result;
  }();
  return table;
}

}  // namespace

void locator_logarithms(std::span<const std::uint8_t> is_erased, std::span<std::int32_t> work,
                        std::span<std::uint16_t> logarithms) {
  const std::size_t size = is_erased.size();
  assert(std::has_single_bit(size) && size <= kOrder);
  std::span<const std::uint16_t> factors = logarithms;
  if (size == kOrder) {
    factors = all_transformed_logarithms();
  } else {
    transformed_logarithms(work, logarithms);
  }
  std::copy(is_erased.begin(), is_erased.end(), work.begin());
  walsh_hadamard(work);
  // Two transforms multiply by `size`, a power of two whose inverse is another one.
  const auto unscale = static_cast<std::uint32_t>((kOrder / size) % kModulus);
  for (std::size_t i = 0; i < size; ++i) {
    const std::uint32_t product = reduce(work[i]) * std::uint32_t{factors[i]} % kModulus;
    work[i] = centred(product * unscale % kModulus);
  }
  walsh_hadamard(work);
  std::transform(work.begin(), work.end(), logarithms.begin(),
                 [](std::int32_t v) { return static_cast<std::uint16_t>(reduce(v)); });
}

}  // namespace furrow
