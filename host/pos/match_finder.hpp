// SPDX-License-Identifier: Apache-2.0
// Matches between one bucket and its right neighbour (docs/spec/02-proof-of-space.md, section 5;
// docs/spec/09-autonomys.md, section 5.1).
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "furrow/core/table_rules.hpp"

#include "host/base/simd_mode.hpp"

namespace furrow {

/// Residues of the kept entries of one bucket, in position order. The places beyond `size` may be
/// read, so they always hold something.
struct BucketResidues {
  /// Places for any rules: a multiple of every vector length.
  static constexpr std::size_t kPlaces = 512;
  static_assert(kPlaces >= core::pos::AbundanceRules::kBucketEntries &&
                kPlaces >= core::pos::AutonomysRules::kBucketEntries);

  alignas(64) std::array<std::uint16_t, kPlaces> values{};
  std::size_t size = 0;
};

/// Ranks of two matching entries in their buckets: left << 16 | right.
using Match = std::uint32_t;

/// A search stops between left entries once it has so many matches: where rules cut, no later one
/// counts; where they do not, it is known that there are too many.
template <class Rules>
inline constexpr std::size_t kSearchEnd =
    Rules::kCuts ? Rules::kPairMatches : Rules::kPairMatches + 1;

/// Most matches that one search can find: a left entry has at most kPartners for each of its 64
/// targets, and no entry is a partner for two of them.
template <class Rules>
inline constexpr std::size_t kMaxMatches = kSearchEnd<Rules> - 1 +
                                           std::min(Rules::kPartners* core::pos::kParamM,
                                                    Rules::kBucketEntries);

/// Working memory of one thread that looks for matches by the rules of one network.
template <class Rules>
class MatchFinder {
 public:
  explicit MatchFinder(SimdMode mode);
  ~MatchFinder();
  MatchFinder(MatchFinder&&) noexcept;
  MatchFinder& operator=(MatchFinder&&) noexcept;
  MatchFinder(const MatchFinder&) = delete;
  MatchFinder& operator=(const MatchFinder&) = delete;

  /// Finds matches in specification order: left rank, then m, then right rank. `left` and `right`
  /// are neighbouring buckets; `parity` is that of the left one. Returns how many were found: at
  /// most kMaxMatches, of which Rules::kPairMatches count.
  std::size_t find(std::uint32_t parity, const BucketResidues& left, const BucketResidues& right);
  [[nodiscard]] const Match* matches() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

extern template class MatchFinder<core::pos::AbundanceRules>;
extern template class MatchFinder<core::pos::AutonomysRules>;

}  // namespace furrow
