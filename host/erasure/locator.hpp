// SPDX-License-Identifier: Apache-2.0
// Error locator of the decoder, as logarithms (docs/spec/04-erasure-coding.md, section 6, step 2).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace furrow {

/// For every position i: the sum of log[i XOR j] over the positions j != i with is_erased[j],
/// modulo 65535.
///
/// `is_erased` holds 0 or 1 for each of 2^n positions, n <= 16; `logarithms` and `work` have the
/// same length, and `work` is overwritten. Thread-safe, allocates nothing once its tables are
/// built.
void locator_logarithms(std::span<const std::uint8_t> is_erased, std::span<std::int32_t> work,
                        std::span<std::uint16_t> logarithms);

}  // namespace furrow
