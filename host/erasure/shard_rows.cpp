// SPDX-License-Identifier: Apache-2.0
#include "host/erasure/shard_rows.hpp"

#include <algorithm>
#include <cstring>

namespace furrow {
namespace {

constexpr std::size_t kUnitSymbols = 16;
constexpr std::size_t kUnitBytes = 2 * kUnitSymbols;

}  // namespace

void load_row(std::uint8_t* row, const std::uint8_t* shard, std::size_t n_bytes) {
  const std::size_t whole = n_bytes / kShardBlockBytes * kShardBlockBytes;
  for (std::size_t i = 0; i < whole; i += kShardBlockBytes) {
    std::memcpy(row + i, shard + i, 16);
    std::memcpy(row + i + 16, shard + i + 32, 16);
    std::memcpy(row + i + 32, shard + i + 16, 16);
    std::memcpy(row + i + 48, shard + i + 48, 16);
  }
  const std::size_t n_symbols = (n_bytes - whole) / 2;
  const std::uint8_t* const tail = shard + whole;
  std::uint8_t* unit = row + whole;
  for (std::size_t k = 0; k < n_symbols; k += kUnitSymbols, unit += kUnitBytes) {
    const std::size_t count = std::min(kUnitSymbols, n_symbols - k);
    std::memset(unit, 0, kUnitBytes);
    std::memcpy(unit, tail + k, count);
    std::memcpy(unit + kUnitSymbols, tail + n_symbols + k, count);
  }
}

void store_row(std::uint8_t* shard, const std::uint8_t* row, std::size_t n_bytes) {
  const std::size_t whole = n_bytes / kShardBlockBytes * kShardBlockBytes;
  for (std::size_t i = 0; i < whole; i += kShardBlockBytes) {
    std::memcpy(shard + i, row + i, 16);
    std::memcpy(shard + i + 16, row + i + 32, 16);
    std::memcpy(shard + i + 32, row + i + 16, 16);
    std::memcpy(shard + i + 48, row + i + 48, 16);
  }
  const std::size_t n_symbols = (n_bytes - whole) / 2;
  std::uint8_t* const tail = shard + whole;
  const std::uint8_t* unit = row + whole;
  for (std::size_t k = 0; k < n_symbols; k += kUnitSymbols, unit += kUnitBytes) {
    const std::size_t count = std::min(kUnitSymbols, n_symbols - k);
    std::memcpy(tail + k, unit, count);
    std::memcpy(tail + n_symbols + k, unit + kUnitSymbols, count);
  }
}

}  // namespace furrow
