// SPDX-License-Identifier: Apache-2.0
// Missing values of a polynomial over Fr (docs/spec/09-autonomys.md, section 6.4).
#pragma once

#include <cstddef>
#include <span>

#include "host/erasure/fr_arithmetic.hpp"
#include "host/erasure/fr_scratch.hpp"

namespace furrow {

/// Room for so many values, for each of the n of a code, is taken from a scratch by recover_fr().
inline constexpr std::size_t kFrRecoveryScratch = 8;

/// Values at the even powers of the root w of order 2 n, and at the odd ones, of a polynomial of degree
/// below n. Those at the n places `missing`, which are exponents of w, are not looked at. They are
/// filled in among the sources, and among the parity when `wants_parity`; otherwise the parity is
/// undefined. Values are canonical.
/// Pre: n is a power of two, at most FrArithmetic::kMaxLength; the places are different ones.
void recover_fr(const FrArithmetic& arithmetic, std::span<Fr> sources, std::span<Fr> parity,
                std::span<const std::size_t> missing, bool wants_parity, FrScratch& scratch);

}  // namespace furrow
