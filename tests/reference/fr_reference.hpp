// SPDX-License-Identifier: Apache-2.0
// The erasure code of docs/spec/09-autonomys.md, section 6, as it is defined: integers modulo r by long
// multiplication and division, interpolation by Lagrange's formula; no transform, no Montgomery form.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace furrow::reference {

/// An integer below r, big-endian.
using FrBytes = std::array<std::uint8_t, 32>;

FrBytes fr_add(const FrBytes& a, const FrBytes& b);
FrBytes fr_multiply(const FrBytes& a, const FrBytes& b);

/// The value at point w^exponent of the polynomial of degree below n = source.size() that has the value
/// source[i] at w^(2 i), w being 7^((r - 1) / 2 n). Time grows with n.
/// Pre: n is a power of two; exponent is below 2 n.
FrBytes fr_interpolate(const std::vector<FrBytes>& source, std::size_t exponent);

}  // namespace furrow::reference
