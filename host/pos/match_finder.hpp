// SPDX-License-Identifier: Apache-2.0
// Matches between one bucket and its right neighbour (docs/spec/02-proof-of-space.md, section 5).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "furrow/core/pos.hpp"

#include "host/base/simd_mode.hpp"

namespace furrow {

/// Residues of the kept entries of one bucket, in position order. The places beyond `size` may be
/// read, so they always hold something.
struct BucketResidues {
  /// Places: a multiple of every vector length.
  static constexpr std::size_t kPlaces = 288;
  static_assert(kPlaces >= core::pos::kReducedBucketSize);

  alignas(64) std::array<std::uint16_t, kPlaces> values{};
  std::size_t size = 0;
};

/// Ranks of two matching entries in their buckets: left << 16 | right.
using Match = std::uint32_t;

/// Most matches that one search can find: the search stops between left entries once 288 are
/// there, and each left entry has at most two partners for each of 64 targets.
inline constexpr std::size_t kMaxMatches =
    core::pos::kReducedMatchesCount - 1 + 2 * core::pos::kParamM;

/// Working memory of one thread that looks for matches.
class MatchFinder {
 public:
  explicit MatchFinder(SimdMode mode);
  ~MatchFinder();
  MatchFinder(MatchFinder&&) noexcept;
  MatchFinder& operator=(MatchFinder&&) noexcept;
  MatchFinder(const MatchFinder&) = delete;
  MatchFinder& operator=(const MatchFinder&) = delete;

  /// Finds matches in specification order: left rank, then m, then right rank. `left` and `right`
  /// are neighbouring buckets; `parity` is that of the left one. Returns how many were found; only
  /// the first 288 count.
  std::size_t find(std::uint32_t parity, const BucketResidues& left, const BucketResidues& right);
  [[nodiscard]] const Match* matches() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace furrow
