// SPDX-License-Identifier: Apache-2.0
// Many values of Fr at once: transforms and products (docs/spec/09-autonomys.md, section 6.3), in forms
// that give the same numbers. Two work on four words of 64 bits: the plain one, which is the oracle, and
// one with BMI2 and ADX. The third one works on eight values at a time, with AVX-512 IFMA.
//
// A transform of n = 2^m values goes by the root of unity of order n, between the values of a
// polynomial at the powers of the root, in natural order, and its coefficients, in the order of reversed
// bits: the one way by decimation in frequency, the other way by decimation in time, so that nothing is
// ever permuted.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "furrow/types.hpp"

#include "host/base/simd_mode.hpp"
#include "host/erasure/fr.hpp"

namespace furrow {

/// All values that come and go are canonical. Thread-safe.
class FrArithmetic {
 public:
  /// Longest transform.
  static constexpr std::size_t kMaxLength = kNumChunks;

  virtual ~FrArithmetic() = default;

  /// Replaces each block of `n` values by n times their polynomial's coefficients, in reversed order.
  /// Pre: n is a power of two up to kMaxLength and divides the number of values.
  virtual void to_coefficients(std::span<Fr> values, std::size_t n) const = 0;
  /// Replaces each block of `n` coefficients in reversed order by the values, as above; each coefficient
  /// first multiplied by its factor, unless `factors` is empty. Pre: otherwise there are n.
  virtual void to_values(std::span<Fr> coefficients, std::size_t n,
                         std::span<const Fr> factors) const = 0;
  /// Multiplies element i by factor i, again from the first one when the factors are at their end.
  /// Pre: their number is a power of two and divides that of the values. They may not overlap.
  virtual void multiply(std::span<Fr> values, std::span<const Fr> factors) const = 0;
};

/// The fastest form that goes with the instruction set in use; the plain one for the scalar mode.
const FrArithmetic& fr_arithmetic(SimdMode mode);
/// The plain form.
const FrArithmetic& fr_plain();
/// Four words with BMI2 and ADX; nullptr where the processor lacks them.
const FrArithmetic* fr_adx();
/// The form for AVX-512 IFMA; nullptr where the processor lacks it.
const FrArithmetic* fr_ifma();

/// Powers of the roots of unity, as factors. Layer h of a transform joins values that are h apart, by
/// powers of the root of order 2 h: they are elements h to 2 h of an array, so that a layer reads one
/// run. Up to the root of order 2 n of the largest code, whose powers lead from sources to parity.
struct FrRoots {
  static constexpr std::size_t kSize = 2 * FrArithmetic::kMaxLength;

  std::vector<Fr> forward = std::vector<Fr>(kSize);  ///< element h + j: w_2h^j
  std::vector<Fr> inverse = std::vector<Fr>(kSize);  ///< element h + j: w_2h^-j
  /// Element n + i: w_2n^j / n, i being j in reversed order. What to_coefficients() makes of the values
  /// at the even powers of w_2n, times these, is that of which to_values() makes those at the odd ones.
  std::vector<Fr> shift = std::vector<Fr>(kSize);

  [[nodiscard]] std::span<const Fr> shift_of(std::size_t n) const {
    return std::span(shift).subspan(n, n);
  }
};

/// Built on first use. Thread-safe.
const FrRoots& fr_roots();

}  // namespace furrow
