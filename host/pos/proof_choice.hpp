// SPDX-License-Identifier: Apache-2.0
// Which of the matches that make an entry of table 7 for it an s-bucket keeps, by the rules of each
// network. Matches are offered one after another, in position order, and settled at the end.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "host/pos/proof_rank.hpp"
#include "host/pos/table_entry.hpp"

namespace furrow {

/// The first match in position order has the s-bucket (docs/spec/02-proof-of-space.md, section 7).
class FirstMatch {
 public:
  void clear() { matches_.fill(kNone); }

  void offer(std::uint32_t s_bucket, std::uint32_t /*y*/, std::uint32_t /*left_y*/, Origin match) {
    if (matches_[s_bucket] == kNone) {
      matches_[s_bucket] = match.bits();
    }
  }

  template <class RankOf>
  void settle(const RankOf& /*rank_of*/) {}

  /// The match of an s-bucket, none without a proof. Pre: settled.
  [[nodiscard]] std::optional<Origin> match(std::size_t s_bucket) const {
    return matches_[s_bucket] == kNone ? std::nullopt
                                       : std::optional(Origin::from_bits(matches_[s_bucket]));
  }

 private:
  /// No origin: the last pair of buckets is far below.
  static constexpr std::uint32_t kNone = 0xFFFFFFFF;
  std::array<std::uint32_t, kNumSBuckets> matches_{};
};

/// The match whose entry has the smallest rank has the s-bucket (docs/spec/09-autonomys.md, sections
/// 5.2, 5.3 and 5.7). What is known when an entry is made, its y and that of its left parent, decides
/// all but one s-bucket in some thousand records; those are settled by whole ranks.
class SmallestRank {
 public:
  void clear() {
    best_.fill(kNone);
    ties_.clear();
  }

  /// Pre: y values have at most 26 bits.
  void offer(std::uint32_t s_bucket, std::uint32_t y, std::uint32_t left_y, Origin match) {
    // All entries of an s-bucket agree in y but for the last bits.
    constexpr std::uint32_t kLastBits = (1U << core::pos::kParamExt) - 1;
    const std::uint32_t key = (y & kLastBits) << (32 - core::pos::kParamExt) | left_y;
    const auto best_key = static_cast<std::uint32_t>(best_[s_bucket] >> 32);
    if (key < best_key || best_[s_bucket] == kNone) {
      best_[s_bucket] = std::uint64_t{key} << 32 | match.bits();
    } else if (key == best_key) {
      ties_.push_back({static_cast<std::uint16_t>(s_bucket), key, match});
    }
  }

  /// `rank_of` gives the ProofRank of a match.
  template <class RankOf>
  void settle(const RankOf& rank_of) {
    for (const Tie& tie : ties_) {
      std::uint64_t& best = best_[tie.s_bucket];
      if (tie.key == best >> 32 &&
          rank_of(tie.match) < rank_of(Origin::from_bits(static_cast<std::uint32_t>(best)))) {
        best = std::uint64_t{tie.key} << 32 | tie.match.bits();
      }
    }
    ties_.clear();
  }

  /// As above.
  [[nodiscard]] std::optional<Origin> match(std::size_t s_bucket) const {
    return best_[s_bucket] == kNone
               ? std::nullopt
               : std::optional(Origin::from_bits(static_cast<std::uint32_t>(best_[s_bucket])));
  }

 private:
  /// As decisive as the best so far when it came. A better one may have come since.
  struct Tie {
    std::uint16_t s_bucket;
    std::uint32_t key;
    Origin match;
  };

  /// No origin, as above.
  static constexpr std::uint64_t kNone = ~std::uint64_t{0};
  std::array<std::uint64_t, kNumSBuckets> best_{};  // key << 32 | match
  std::vector<Tie> ties_;
};

/// What chooses by the rules of a network.
template <class Rules>
struct ProofChoiceOf;
template <>
struct ProofChoiceOf<core::pos::AbundanceRules> {
  using Type = FirstMatch;
};
template <>
struct ProofChoiceOf<core::pos::AutonomysRules> {
  using Type = SmallestRank;
};
template <class Rules>
using ProofChoice = typename ProofChoiceOf<Rules>::Type;

}  // namespace furrow
