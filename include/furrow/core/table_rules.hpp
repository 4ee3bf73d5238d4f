// SPDX-License-Identifier: Apache-2.0
// What the networks' rules for the tables of a proof of space differ in. Everything else, keystream,
// functions, residues that match, is the same (pos.hpp).
#pragma once

#include "furrow/core/network.hpp"
#include "furrow/core/pos.hpp"

namespace furrow::core::pos {

/// docs/spec/02-proof-of-space.md, sections 4, 5 and 7: buckets and matches are cut, and the first
/// match of an s-bucket in position order has it.
struct AbundanceRules {
  /// Entries of a bucket that count: those with the smallest positions.
  static constexpr std::size_t kBucketEntries = kReducedBucketSize;
  /// Matches of a pair of buckets that count: the first ones in match order.
  static constexpr std::size_t kPairMatches = kReducedMatchesCount;
  /// Right entries of one residue that are partners: those with the smallest positions.
  static constexpr std::size_t kPartners = 2;
  /// What is beyond these numbers is left out.
  static constexpr bool kCuts = true;
  /// Whether tables have proofs of s-buckets that come after the 32768 that a record uses.
  static constexpr bool kProofsOfUnused = false;

  /// The s-bucket that an entry of table 7 is a proof of; kNumSBuckets or more for none.
  FURROW_HD static constexpr std::uint32_t s_bucket([[maybe_unused]] unsigned k, std::uint32_t y) {
    return y >> kParamExt;
  }
  /// Whether an entry of table 7 is a proof for a challenge of 32 bits; s-buckets are challenges.
  FURROW_HD static constexpr bool answers([[maybe_unused]] unsigned k, std::uint32_t y,
                                          std::uint32_t challenge) {
    return y >> kParamExt == challenge;
  }
};

/// docs/spec/09-autonomys.md, sections 5.1 to 5.3: every match counts, and the entry of the smallest
/// rank has an s-bucket. The numbers are room, far above what occurs.
struct AutonomysRules {
  static constexpr std::size_t kBucketEntries = 512;
  static constexpr std::size_t kPairMatches = 512;
  static constexpr std::size_t kPartners = kBucketEntries;
  /// What is beyond these numbers is an error of the record.
  static constexpr bool kCuts = false;
  static constexpr bool kProofsOfUnused = true;

  /// As above. The first K bits of the s-bucket as four little-endian bytes are those of the hash;
  /// for K = 20 the hash begins with the low byte, the high byte and four zero bits.
  FURROW_HD static constexpr std::uint32_t s_bucket(unsigned k, std::uint32_t y) {
    return swap_bytes(y >> kParamExt << (32 - k));
  }
  /// As above: the bits of the challenge behind the first K mean nothing.
  FURROW_HD static constexpr bool answers(unsigned k, std::uint32_t y, std::uint32_t challenge) {
    return y >> kParamExt == swap_bytes(challenge) >> (32 - k);
  }
};

/// Calls `run.template operator()<Rules>()` for the rules of a network.
template <class Run>
constexpr decltype(auto) with_rules_of(Network network, const Run& run) {
  return network == Network::kAbundance ? run.template operator()<AbundanceRules>()
                                        : run.template operator()<AutonomysRules>();
}

}  // namespace furrow::core::pos
