// SPDX-License-Identifier: Apache-2.0
// Transforms over Fr (docs/spec/09-autonomys.md, section 6.3), the plain form.
//
// A transform of n = 2^m elements goes by the root of order n: forward from the coefficients of a
// polynomial to its values at the powers of the root, inverse from values to coefficients times n. Each
// has two forms: from natural order to that of reversed bits, and from there to natural order. One of
// each, one after the other, and nothing is ever permuted.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "host/erasure/fr.hpp"

namespace furrow {

/// Powers of the roots of unity, as factors. Layer h joins values that are h apart, by powers of the
/// root of order 2 h: they are elements h to 2 h of an array, so that each layer reads one run.
struct FrRoots {
  /// Longest transform.
  static constexpr std::size_t kMaxLength = 2 * kNumChunks;

  std::vector<Fr> forward = std::vector<Fr>(kMaxLength);  ///< element h + j: w_2h^j
  std::vector<Fr> inverse = std::vector<Fr>(kMaxLength);  ///< element h + j: w_2h^-j
};

/// Built on first use. Thread-safe.
const FrRoots& fr_roots();

enum class FrDirection { kForward, kInverse };

/// In place, natural order in, reversed order out (decimation in frequency). Canonical elements in,
/// canonical ones out. Pre: the length is a power of two, at most FrRoots::kMaxLength. Thread-safe.
void fr_transform_to_reversed(FrDirection direction, std::span<Fr> elements);
/// Reversed order in, natural order out (decimation in time); as above.
void fr_transform_from_reversed(FrDirection direction, std::span<Fr> elements);

/// Factors w^j / n in reversed order of j, w being the root of order 2 n: from what an inverse
/// transform gives to the coefficients whose forward transform are the values between the given ones.
/// Pre: n is a power of two, at most kNumChunks.
std::vector<Fr> fr_shift_factors(std::size_t n);

/// `index` with its `n_bits` low bits in reversed order.
constexpr std::size_t reversed_bits(std::size_t index, unsigned n_bits) {
  std::size_t result = 0;
  for (unsigned i = 0; i < n_bits; ++i) {
    result |= (index >> i & 1) << (n_bits - 1 - i);
  }
  return result;
}

}  // namespace furrow
