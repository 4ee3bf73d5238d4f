// SPDX-License-Identifier: Apache-2.0
// The walk back from the last table to the x values of a proof (docs/spec/02-proof-of-space.md,
// section 8).
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "host/pos/table_entry.hpp"

namespace furrow {

/// What the tables of one seed leave behind for their proofs. A slot is a place in a bucket, buckets
/// being `bucket_places` apart.
struct ProofTree {
  /// Most proofs that are walked together: their reads do not wait for one another.
  static constexpr std::size_t kMaxBatch = 64;

  std::uint32_t bucket_places;
  /// Entries of table 3 by slot: their metadata are four x values.
  const std::uint32_t* table3;
  /// Origins of the entries of tables 4, 5 and 6 by slot.
  std::array<const std::uint32_t*, 3> origins;

  /// Writes the proofs of the given matches of table 6, 8 K bytes each, back to back to `out`.
  /// Pre: targets.size() <= kMaxBatch; k is 15 to 18 or 20.
  void write_proofs(unsigned k, std::span<const Origin> targets, std::uint8_t* out) const;
};

}  // namespace furrow
