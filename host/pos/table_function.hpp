// SPDX-License-Identifier: Apache-2.0
// The table function for all matches of a pair of buckets (docs/spec/02-proof-of-space.md, section
// 6), and the entries of table 1.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "host/base/simd_mode.hpp"
#include "host/pos/table_entry.hpp"

namespace furrow {

/// Entries on their way into the next table. Rows have room for whole vectors behind the last one.
struct EntryBatch {
  /// The matches that a pair of buckets can have under any rules, and some: rows that are a power
  /// of two apart would fall upon the same sets of a cache.
  static constexpr std::size_t kPlaces = 512 + 64;
  static_assert(kPlaces >= core::pos::AbundanceRules::kPairMatches &&
                kPlaces >= core::pos::AutonomysRules::kPairMatches);

  /// Parents, entry after entry. The origin word of the left ones is that of the child.
  alignas(64) std::array<std::uint32_t, 4 * kPlaces> left{};
  alignas(64) std::array<std::uint32_t, 4 * kPlaces> right{};
  /// Children of tables 1 to 6, entry after entry, and the buckets they belong to.
  alignas(64) std::array<std::uint32_t, 4 * kPlaces> children{};
  alignas(64) std::array<std::uint32_t, kPlaces> buckets{};
  /// Table 7: y alone.
  alignas(64) std::array<std::uint32_t, kPlaces> y{};
};

/// Makes `count` children of `table`, 2 to 7, from the staged parents. `left_base` is the first y
/// of the bucket of the left parents. Pre: k is 15 to 18 or 20, count <= EntryBatch::kPlaces.
void table_function_many(SimdMode mode, unsigned k, unsigned table, std::uint32_t left_base,
                         std::size_t count, EntryBatch& batch);

/// Makes the `count` entries of table 1 from x = `first_x` on, whose K bits each are the start of
/// `keystream`. Pre: as above; first_x and count are multiples of 32, so the bits start at a whole
/// byte; eight bytes behind the last one can be read.
void table1_entries(SimdMode mode, unsigned k, const std::uint8_t* keystream, std::uint32_t first_x,
                    std::size_t count, EntryBatch& batch);

/// The plain forms, which are the oracles of the vector forms.
namespace scalar {
void table_function_many(unsigned k, unsigned table, std::uint32_t left_base, std::size_t count,
                         EntryBatch& batch);
void table1_entries(unsigned k, const std::uint8_t* keystream, std::uint32_t first_x,
                    std::size_t count, EntryBatch& batch);
}  // namespace scalar

}  // namespace furrow
