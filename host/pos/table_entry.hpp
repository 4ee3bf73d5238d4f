// SPDX-License-Identifier: Apache-2.0
// Entries of tables 1 to 6 as they lie in their buckets.
//
//   tables 1 and 2:  | metadata, low 32 bits | metadata, 16 bits | residue, 16 bits |
//   tables 3 to 6:   | metadata, low 32 bits | next 32 bits | 16 bits | residue, 16 bits | origin |
//
// Widths in words of 32 bits from the lowest address on; metadata has at most 40 bits in tables 1
// and 2 and at most 80 in the others. What matching, hashing and the walk back from a proof need of
// an entry is one aligned read.
#pragma once

#include <bit>
#include <cstdint>

#include "furrow/core/table_rules.hpp"

namespace furrow {

/// Places from one bucket to the next in memory. No power of two: the heads of all
/// buckets would fall upon the same few sets of a cache.
template <class Rules>
constexpr std::uint32_t bucket_places() {
  constexpr std::uint32_t kLinePlaces = 4;
  constexpr auto kLines = static_cast<std::uint32_t>(Rules::kBucketEntries) / kLinePlaces;
  static_assert(Rules::kBucketEntries % kLinePlaces == 0);
  return (std::has_single_bit(kLines) ? kLines + 1 : kLines) * kLinePlaces;
}

/// Words of an entry of `table`, 1 to 6.
constexpr std::size_t entry_words(unsigned table) {
  return table <= 2 ? 2 : 4;
}
/// The word of an entry that has the residue in its upper half.
constexpr std::size_t residue_word(unsigned table) {
  return table <= 2 ? 1 : 2;
}
/// Whether the proof is walked through `table` by origins: table 3 has four x values as metadata,
/// so the walk ends there.
constexpr bool has_origin(unsigned table) {
  return table >= 4;
}
inline constexpr std::size_t kOriginWord = 3;

/// Where an entry of tables 4 to 7 comes from: the pair of buckets of the table before (13 bits)
/// and the ranks of its parents in their buckets (9 bits each).
class Origin {
 public:
  Origin() = default;
  constexpr Origin(std::size_t pair, std::size_t left_rank, std::size_t right_rank)
      : bits_(static_cast<std::uint32_t>(pair << 18 | left_rank << 9 | right_rank)) {}
  static constexpr Origin from_bits(std::uint32_t bits) {
    Origin origin;
    origin.bits_ = bits;
    return origin;
  }

  [[nodiscard]] constexpr std::uint32_t bits() const { return bits_; }
  /// Slots of the parents when it is `places` from one bucket to the next.
  [[nodiscard]] constexpr std::uint32_t left_slot(std::uint32_t places) const {
    return (bits_ >> 18) * places + (bits_ >> 9 & 511);
  }
  [[nodiscard]] constexpr std::uint32_t right_slot(std::uint32_t places) const {
    return ((bits_ >> 18) + 1) * places + (bits_ & 511);
  }

 private:
  static_assert(core::pos::AbundanceRules::kBucketEntries <= 512 &&
                core::pos::AutonomysRules::kBucketEntries <= 512);
  std::uint32_t bits_ = 0;
};

/// Metadata of an entry of `table`.
inline uint128 entry_metadata(unsigned table, const std::uint32_t* words) {
  if (entry_words(table) == 2) {
    return words[0] | static_cast<std::uint64_t>(words[1] & 0xFFFFU) << 32;
  }
  return (words[0] | static_cast<std::uint64_t>(words[1]) << 32) |
         static_cast<uint128>(words[2] & 0xFFFFU) << 64;
}
inline std::uint32_t entry_residue(unsigned table, const std::uint32_t* words) {
  return words[residue_word(table)] >> 16;
}

/// Writes an entry of `table` without origin.
inline void write_entry(unsigned table, uint128 metadata, std::uint32_t residue,
                        std::uint32_t* words) {
  words[0] = static_cast<std::uint32_t>(metadata);
  words[1] = static_cast<std::uint32_t>(metadata >> 32);
  if (entry_words(table) == 4) {
    words[2] = static_cast<std::uint32_t>(metadata >> 64);
    words[kOriginWord] = 0;
  }
  words[residue_word(table)] |= residue << 16;
}

}  // namespace furrow
