// SPDX-License-Identifier: Apache-2.0
// The plain form of the search for matches, which is the oracle of the vector form.
//
// The right bucket is written as a matrix of bits with a row for each residue / 127 and a column
// for each residue % 127. The target m of a left residue in row b and column c is row (b + m) mod
// 119, column (c + shift(m)) mod 127. Both wraps vanish when the matrix is repeated: 63 more rows
// below and 127 more columns to the right, so a target costs one load, one shift and one AND.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "host/pos/match_finder.hpp"

namespace furrow {

template <class Rules>
class ScalarMatchFinder {
 public:
  /// As MatchFinder::find, with the matches written to `out`, which has room for
  /// kMaxMatches.
  std::size_t find(std::uint32_t parity, std::span<const std::uint16_t> left,
                   std::span<const std::uint16_t> right, Match* out);

 private:
  static constexpr std::size_t kRows = core::pos::kParamB + core::pos::kParamM - 1;
  static constexpr std::size_t kWordsPerRow = 4;  // 254 bits

  void insert_right(std::span<const std::uint16_t> right);
  void clear_right(std::span<const std::uint16_t> right);
  [[nodiscard]] std::uint64_t targets_hit(const std::uint8_t* shifts, std::uint32_t residue) const;

  std::array<std::array<std::uint64_t, kWordsPerRow>, kRows> rows_{};
  // Entries of one residue in the order of their ranks, as ranks + 1; 0 ends them.
  std::array<std::uint16_t, core::pos::kParamBC> first_{};
  std::array<std::uint16_t, BucketResidues::kPlaces + 1> next_{};
};

extern template class ScalarMatchFinder<core::pos::AbundanceRules>;
extern template class ScalarMatchFinder<core::pos::AutonomysRules>;

}  // namespace furrow
