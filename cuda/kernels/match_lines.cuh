// SPDX-License-Identifier: Apache-2.0
// The right bucket as left entries are compared with it: bits and lines (find_matches.cuh has the
// equation that they come from), and where all of a search lies in shared memory.
//
// Right entries stand by row, 32 of them in a column of bits. Of each column there are, modulo 127,
//
//   coarse line h   k - 4 r (r + p) + h * r   h = 0 .. 7
//   fine line d     d * 8 r                   d = 0 .. 15
//
// for the right entry in row r and column k of each bit, and a bit that says that there is none.
#pragma once

#include "cuda/kernels/bit_planes.cuh"
#include "cuda/kernels/bucket_frame.cuh"
#include "cuda/kernels/transpose_bits.cuh"

namespace furrow::cuda {

/// Seven planes and one word more, read as two times 16 bytes.
struct alignas(16) StoredPlanes {
  uint4 low;   ///< planes 0 to 3
  uint4 high;  ///< planes 4 to 6; in coarse ones, the bits that stand for no entry
};

/// 32 right entries: their coarse lines, then the fine ones. The halves of a line lie apart, because
/// neighbouring lanes read neighbouring lines: so eight of them meet in no bank.
struct LineColumn {
  static constexpr std::uint32_t kStep = 16;  ///< rows from one coarse line to the next
  static constexpr std::uint32_t kNumCoarse = (core::pos::kParamC + kStep - 1) / kStep;
  static constexpr std::uint32_t kLines = kNumCoarse + kStep;

  uint4 low[kLines];
  uint4 high[kLines];
  uint4 padding;  ///< so that lanes that each write to a column of their own meet in no bank
};

/// What a column of right entries is at first.
struct ColumnPlanes {
  StoredPlanes value;  ///< k - 4 r (r + p); and the bits that stand for no entry
  StoredPlanes row;    ///< r
  uint4 padding;       ///< as in LineColumn
};

struct MatchShared {
  static constexpr std::uint32_t kColumns = (BucketFrame::kMost + 31) / 32;

  /// Buckets are sorted before there are lines, and counts are cleared for the next one after them.
  union {
    BucketSortShared sort;
    LineColumn lines[kColumns];
  };
  /// Hits of the left entry of a rank, then the place of its first one.
  std::uint16_t hits[kColumns * 32];
  std::uint32_t n_hits;
  /// Lines are made of columns before there are matches.
  union {
    /// One more, which is never read: they are written two by two.
    ColumnPlanes columns[kColumns + 1];
    /// Left rank << 16 | place of the right entry in `by_row`.
    std::uint32_t matches[MatchRules::kMatches];
  };
};

__device__ inline StoredPlanes store_planes(const BitPlanes& x, std::uint32_t last) {
  return {make_uint4(x.words[0], x.words[1], x.words[2], x.words[3]),
          make_uint4(x.words[4], x.words[5], x.words[6], last)};
}
__device__ inline BitPlanes load_planes(const StoredPlanes& x) {
  return {{x.low.x, x.low.y, x.low.z, x.low.w, x.high.x, x.high.y, x.high.z}};
}

/// x modulo 127 as a number from 1 to 127, for x from 1 to 2^24.
__device__ inline std::uint32_t reduce(std::uint32_t x) {
  // A little less than x / 127, so that multiples of 127 come out one lower.
  constexpr auto kInverse =
      static_cast<std::uint32_t>((std::uint64_t{1} << 32) / core::pos::kParamC);
  return x - core::pos::kParamC * __umulhi(x, kInverse);
}

/// Writes the planes of the columns that have entries: a warp for two columns, whose bits it
/// turns round at once.
template <unsigned kThreads>
__device__ void slice_right(std::uint32_t thread, std::uint32_t parity, const BucketFrame& right,
                            MatchShared& s) {
  constexpr std::uint32_t kRows = core::pos::kParamB;
  constexpr std::uint32_t kC = core::pos::kParamC;
  static_assert(kThreads / 32 * 2 >= MatchShared::kColumns, "one warp for two columns");
  const std::uint32_t lane = thread % 32;
  const std::uint32_t first = thread / 32 * 64;
  if (first >= right.size) {
    return;  // the whole warp
  }
  // Bits 0 to 6: value, 7: whether it stands for no entry, 8 to 14: row.
  const auto bits_of = [&](std::uint32_t place) {
    const std::uint32_t placed = place < right.size ? right.by_row[place] : BucketFrame::kNoPartner;
    const std::uint32_t residue = BucketFrame::residue_of(placed);
    const std::uint32_t row = row_of(residue);
    // A multiple of 127 above 4 r (r + p).
    constexpr std::uint32_t kAbove = (4 * kRows * kRows / kC + 1) * kC;
    const std::uint32_t value = reduce(residue - row * kC + kAbove - 4 * row * (row + parity));
    static_assert(BucketFrame::kNoPartner >> 8 == 0x80);
    return value | ((placed & BucketFrame::kNoPartner) >> 8) | row << 8;
  };
  const std::uint32_t bits = bits_of(first + lane) | bits_of(first + 32 + lane) << 16;
  ColumnPlanes& column = s.columns[first / 32 + lane / 16];
  reinterpret_cast<std::uint32_t*>(&column)[lane % 16] = transpose_bits(bits, lane);
}

/// One warp makes the lines of all columns. Three lanes have the same column, and each of them makes
/// a progression of lines:
///
///   0 to 8     coarse lines
///   9 to 17    fine lines of d = 0, 2, 4 and so on
///   18 to 26   fine lines of d = 1, 3, 5 and so on
__device__ inline void make_lines(std::uint32_t lane, std::uint32_t n_columns, MatchShared& s) {
  constexpr std::uint32_t kColumns = MatchShared::kColumns;
  static_assert(3 * kColumns <= 32);
  const std::uint32_t number = lane % kColumns;
  const std::uint32_t progression = lane / kColumns;
  if (number >= n_columns || progression > 2) {
    return;
  }
  const BitPlanes value = load_planes(s.columns[number].value);
  const BitPlanes row = load_planes(s.columns[number].row);
  const std::uint32_t none = s.columns[number].value.high.w;
  static_assert(LineColumn::kStep * 8 % core::pos::kParamC == 1, "a coarse step is r");
  const BitPlanes one = double_times(row, 3);
  const BitPlanes two = double_times(row, 4);
  const bool is_fine = progression != 0;
  const std::uint32_t fine = is_fine ? 0xFFFFFFFFU : 0;
  const std::uint32_t odd = progression == 2 ? 0xFFFFFFFFU : 0;
  BitPlanes line;
  BitPlanes step;
#pragma unroll
  for (unsigned i = 0; i < kPlanes; ++i) {
    line.words[i] = (value.words[i] & ~fine) | (one.words[i] & odd);
    step.words[i] = (row.words[i] & ~fine) | (two.words[i] & fine);
  }
  LineColumn& column = s.lines[number];
  uint4* to = &column.low[is_fine ? LineColumn::kNumCoarse + progression - 1 : 0];
  const std::uint32_t distance = is_fine ? 2 : 1;
  constexpr std::uint32_t kLines = LineColumn::kStep / 2;
  static_assert(kLines == LineColumn::kNumCoarse);
#pragma unroll
  for (std::uint32_t i = 0; i < kLines; ++i) {
    const StoredPlanes planes = store_planes(line, none);
    to[0] = planes.low;
    to[LineColumn::kLines] = planes.high;
    to += distance;
    line = add(line, step);
  }
}

}  // namespace furrow::cuda
