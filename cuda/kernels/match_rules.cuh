// SPDX-License-Identifier: Apache-2.0
// What the network's rules leave out of a search for matches (docs/spec/02-proof-of-space.md,
// sections 4 and 5). Nothing but this says so: sorting, searching and listing work for any numbers
// that fit a block.
#pragma once

#include "furrow/core/pos.hpp"

namespace furrow::cuda {

struct MatchRules {
  /// Entries of a bucket that count: those with the smallest positions.
  static constexpr std::uint32_t kEntries = core::pos::kReducedBucketSize;
  /// Right entries of one residue that are partners: those with the smallest positions.
  static constexpr std::uint32_t kPartners = 2;
  /// Matches of a pair that count: the first ones.
  static constexpr std::uint32_t kMatches = core::pos::kReducedMatchesCount;
};

}  // namespace furrow::cuda
