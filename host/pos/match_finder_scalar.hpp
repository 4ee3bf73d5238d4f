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

class ScalarMatchFinder {
 public:
  /// As MatchFinder::find, with the matches written to `out`, which has room for kMaxMatches.
  std::size_t find(std::uint32_t parity, std::span<const std::uint16_t> left,
                   std::span<const std::uint16_t> right, Match* out);

 private:
  static constexpr std::size_t kRows = core::pos::kParamB + core::pos::kParamM - 1;
  static constexpr std::size_t kWordsPerRow = 4;  // 254 bits

  /// Ranks + 1 of the first two entries with a residue; 0 means none.
  struct Partners {
    std::uint16_t first = 0;
    std::uint16_t second = 0;
  };

  void insert_right(std::span<const std::uint16_t> right);
  void clear_right(std::span<const std::uint16_t> right);
  [[nodiscard]] std::uint64_t targets_hit(const std::uint8_t* shifts, std::uint32_t residue) const;

  std::array<std::array<std::uint64_t, kWordsPerRow>, kRows> rows_{};
  std::array<Partners, core::pos::kParamBC> partners_{};
};

}  // namespace furrow
