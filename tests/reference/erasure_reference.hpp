// SPDX-License-Identifier: Apache-2.0
// Reed-Solomon code over GF(2^16) as docs/spec/04-erasure-coding.md, sections 1 to 3, defines it:
// Lagrange interpolation and linear equations, no transform, no tables. For small shapes only; the
// time grows with the cube of the number of shards.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace furrow::reference {

/// Product of two field elements in Cantor coordinates.
std::uint16_t gf16_multiply(std::uint16_t a, std::uint16_t b);

using ErasureShard = std::vector<std::uint8_t>;

/// Parity shards of `source`. Pre: all shards have one length, which is even and not zero.
std::vector<ErasureShard> erasure_extend(const std::vector<ErasureShard>& source,
                                         std::size_t n_parity);

/// Parity shard `j` alone, of as many parity shards as there are sources, which must be a power of
/// two. Time grows with the number of sources only, so this is the way to look into large shapes.
ErasureShard erasure_parity_shard(const std::vector<ErasureShard>& source, std::size_t j);

/// All source shards, from those that are there and as few parity shards as suffice. Nothing if
/// there are too few.
std::optional<std::vector<ErasureShard>> erasure_recover(
    const std::vector<std::optional<ErasureShard>>& source,
    const std::vector<std::optional<ErasureShard>>& parity);

}  // namespace furrow::reference
