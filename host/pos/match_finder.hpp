// Matches between one bucket and its right neighbour (docs/spec/02-proof-of-space.md, section 5).
//
// The right bucket is written as a matrix of bits with a row for each residue / 127 and a column
// for each residue % 127. The target m of a left residue in row b and column c is row (b + m) mod
// 119, column (c + shift(m)) mod 127. Both wraps vanish when the matrix is repeated: 63 more rows
// below and 127 more columns to the right, so a target costs one load, one shift and one AND.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "furrow/core/pos.hpp"

namespace furrow {

/// Ranks of two matching entries in their buckets.
struct Match {
  std::uint16_t left;
  std::uint16_t right;
};

class MatchFinder {
 public:
  /// Most matches that one search can find: the search stops between left entries once 288 are
  /// there, and each left entry has at most two partners for each of 64 targets.
  static constexpr std::size_t kMaxMatches =
      core::pos::kReducedMatchesCount - 1 + 2 * core::pos::kParamM;

  /// Finds matches in specification order: left rank, then m, then right rank. `left` and `right`
  /// are the residues of the kept entries of two neighbouring buckets, in position order, at most
  /// 272 each; `parity` is that of the left bucket. Returns how many were found; only the first 288
  /// count.
  std::size_t find(std::uint32_t parity, std::span<const std::uint16_t> left,
                   std::span<const std::uint16_t> right);
  [[nodiscard]] std::span<const Match, kMaxMatches> matches() const { return matches_; }

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
  std::array<Match, kMaxMatches> matches_{};
};

}  // namespace furrow
