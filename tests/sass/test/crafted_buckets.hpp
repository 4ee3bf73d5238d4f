// SPDX-License-Identifier: Apache-2.0
// Buckets made up for make_table, and the matches that sections 4 and 5 of
// docs/spec/02-proof-of-space.md give them, read as they are written.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <vector>

#include "furrow/core/pos.hpp"

namespace furrow::cuda {

struct CraftedEntry {
  std::uint32_t position = 0;
  std::uint32_t residue = 0;
  uint128 metadata = 0;
};

/// Entries in order of arrival: their slots. `asked` counts those that found no slot, too.
struct CraftedBucket {
  std::vector<CraftedEntry> entries;
  std::uint32_t asked = 0;
};

struct CraftedMatch {
  std::uint32_t left_slot = 0;
  std::uint32_t right_slot = 0;
};

/// Sizes at which a bucket has another number of warps, is cut, or is full.
inline constexpr std::uint32_t kCraftedSizes[] = {0,   1,   31,  32,  33,  235, 236, 255, 256,
                                                  257, 271, 272, 273, 287, 288, 289, 290, 319,
                                                  320, 321, 350, 351, 352, 353, 500};

/// Residues of a bucket: any, or few of them, so that many are equal and pairs have more matches
/// than they may keep.
class CraftedResidues {
 public:
  explicit CraftedResidues(std::mt19937_64& random)
      : random_(random), share_of_few_(random() % 5), few_(1 + random() % 40) {
    for (std::uint32_t& residue : few_) {
      residue = random() % 4 == 0 ? (random() % 2 == 0 ? 0 : core::pos::kParamBC - 1) : any();
    }
  }
  std::uint32_t next() {
    return random_() % 4 < share_of_few_ ? few_[random_() % few_.size()] : any();
  }

 private:
  std::uint32_t any() { return static_cast<std::uint32_t>(random_() % core::pos::kParamBC); }

  std::mt19937_64& random_;
  std::uint64_t share_of_few_;
  std::vector<std::uint32_t> few_;
};

/// Slots of the entries that count, by position: the 272 smallest.
inline std::vector<std::uint32_t> kept_slots(const CraftedBucket& bucket) {
  std::vector<std::uint32_t> slots(bucket.entries.size());
  for (std::uint32_t slot = 0; slot < slots.size(); ++slot) {
    slots[slot] = slot;
  }
  std::sort(slots.begin(), slots.end(), [&](std::uint32_t a, std::uint32_t b) {
    return bucket.entries[a].position < bucket.entries[b].position;
  });
  slots.resize(std::min(slots.size(), core::pos::kReducedBucketSize));
  return slots;
}

/// The matches of pair `pair`, in order.
inline std::vector<CraftedMatch> naive_matches(std::uint32_t pair, const CraftedBucket& left,
                                               const CraftedBucket& right) {
  std::map<std::uint32_t, std::vector<std::uint32_t>> partners;
  for (const std::uint32_t slot : kept_slots(right)) {
    auto& of_residue = partners[right.entries[slot].residue];
    if (of_residue.size() < 2) {
      of_residue.push_back(slot);
    }
  }
  std::vector<CraftedMatch> matches;
  for (const std::uint32_t slot : kept_slots(left)) {
    const std::uint32_t r = left.entries[slot].residue;
    for (std::uint32_t m = 0; m < 64; ++m) {
      const std::uint32_t root = 2 * m + pair % 2;
      const std::uint32_t target = (r / 127 + m) % 119 * 127 + (root * root + r) % 127;
      const auto found = partners.find(target);
      if (found == partners.end()) {
        continue;
      }
      for (const std::uint32_t partner : found->second) {
        matches.push_back({.left_slot = slot, .right_slot = partner});
      }
    }
  }
  matches.resize(std::min(matches.size(), core::pos::kReducedMatchesCount));
  return matches;
}

}  // namespace furrow::cuda
