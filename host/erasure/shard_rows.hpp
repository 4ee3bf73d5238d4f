// SPDX-License-Identifier: Apache-2.0
// Shards as rows of symbols (docs/spec/04-erasure-coding.md, section 2).
//
// A shard is cut into blocks of 64 bytes, 32 low bytes and then 32 high bytes, and a tail that is
// halved likewise. A row holds the same symbols in units of 16 (additive_fft.hpp), with zero
// symbols behind the tail up to the next whole unit.
#pragma once

#include <cstddef>
#include <cstdint>

namespace furrow {

inline constexpr std::size_t kShardBlockBytes = 64;

/// Length of the row for `n_bytes` bytes of a shard.
constexpr std::size_t row_bytes_of(std::size_t n_bytes) {
  constexpr std::size_t kUnit = 32;
  return (n_bytes + kUnit - 1) / kUnit * kUnit;
}

/// Bytes of a shard, from the start of a block on, to a row of row_bytes_of(n_bytes) bytes.
/// Pre: n_bytes is even.
void load_row(std::uint8_t* row, const std::uint8_t* shard, std::size_t n_bytes);
/// The way back.
void store_row(std::uint8_t* shard, const std::uint8_t* row, std::size_t n_bytes);

}  // namespace furrow
