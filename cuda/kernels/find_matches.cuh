// SPDX-License-Identifier: Apache-2.0
// Matches between one bucket and its right neighbour, both in shared memory
// (docs/spec/02-proof-of-space.md, section 5).
//
// A right entry in row r and column k (residue = 127 r + k) matches a left entry in row b and column
// c when
//   k = c + (2 (r - b) + p)^2 (mod 127),  0 <= r - b < 64,
// where p is the parity of the left bucket and rows count on from the last to the first, so that
// r - b may also be r + 119 - b. Written with everything of the left entry on one side:
//   c + (2 b - p)^2 = [k - 4 r (r + p)] + b * [8 r] (mod 127).
// The right side is a straight line in b for each right entry. Right entries stand by row, 32 of
// them in a column of bits (bit_planes.cuh), and a left entry is compared with 32 of them at once:
// its row is b = 16 h + d, and, because 16 * 8 = 1,
//
//   coarse line h   k - 4 r (r + p) + h * r   h = 0 .. 7
//   fine line d     d * 8 r                   d = 0 .. 15
//
// are added and compared with the left side by 21 instructions. In the second lap row b is row
// b - 119, on the left side of the equation, too, which is row b + 8 modulo 127.
//
// The entries of rows b to b + 63 are 127 bits on average from bit `row_starts[b]` on, so a left
// entry takes some five words, nearly the same ones as its neighbours in row order. One thread takes
// one left entry, in row order; hits are bits in ascending row of the right entry, which is
// ascending m. Entries for which there is no thread (one bucket of ten has some) are left to the
// first warp.
//
// Order: left rank, then m, then right rank. The numbers of hits by left rank give the places; equal
// right residues stand by rank. Places from 288 on are dropped.
#pragma once

#include "cuda/arch/byte_signs.cuh"
#include "cuda/arch/logic.cuh"
#include "cuda/arch/move_if.cuh"
#include "cuda/kernels/bucket_frame.cuh"
#include "cuda/kernels/match_lines.cuh"

namespace furrow::cuda {

/// All bits of plane i are bit i of `value`, which is below 128.
__device__ inline BitPlanes spread(std::uint32_t value) {
  // Four copies, seven bits apart: the highest bit of byte i is bit i.
  const std::uint32_t low = value * 0x10204080U;
  const std::uint32_t high = (value >> 4) * 0x00204080U;
  return {{byte_sign<0>(low), byte_sign<1>(low), byte_sign<2>(low), byte_sign<3>(low),
           byte_sign<0>(high), byte_sign<1>(high), byte_sign<2>(high)}};
}

/// What a left entry is compared with: the right entries of its 64 rows, from `start` to `end`, and
/// when these rows go on behind the last one, in a second lap from 0 to `second_end`.
struct LeftRange {
  std::uint32_t row;
  std::uint32_t column;
  std::uint32_t start;
  std::uint32_t end;
  std::uint32_t second_end;  ///< 0 for no second lap
};

__device__ inline LeftRange range_of(std::uint32_t placed, const BucketFrame& right) {
  constexpr std::uint32_t kRows = core::pos::kParamB;
  constexpr std::uint32_t kM = core::pos::kParamM;
  const std::uint32_t residue = BucketFrame::residue_of(placed);
  const std::uint32_t row = row_of(residue);
  const std::uint32_t behind = row + kM < kRows ? row + kM : kRows;
  const std::uint32_t second_behind = row + kM - behind;
  return {row, residue - row * core::pos::kParamC, right.row_starts[row], right.row_starts[behind],
          right.row_starts[second_behind]};
}

/// 32 right entries, as one left entry sees them.
struct LapWord {
  BitPlanes coarse;
  BitPlanes fine;
  std::uint32_t left_out;  ///< bits that are not to match
};

/// One lap of a left entry. Its words lie side by side, so that a loop that is unrolled needs no
/// instructions for their addresses.
class Lap {
 public:
  /// `line`: the row modulo 127; `first`: the column of word 0.
  __device__ Lap(std::uint32_t line, std::uint32_t left_column, std::uint32_t parity,
                 std::uint32_t first, const MatchShared& s)
      : coarse_(address(s.lines[first], line / LineColumn::kStep)),
        fine_(address(s.lines[first], LineColumn::kNumCoarse + line % LineColumn::kStep)) {
    const std::uint32_t root = 2 * line - parity;
    wanted_ = spread(reduce(left_column + root * root + core::pos::kParamC));
  }
  __device__ LapWord word(std::uint32_t number) const {
    const std::uint32_t at = number * static_cast<std::uint32_t>(sizeof(LineColumn));
    const StoredPlanes coarse = line_at(coarse_ + at);
    const StoredPlanes fine = line_at(fine_ + at);
    return {load_planes(coarse), load_planes(fine), coarse.high.w};
  }
  __device__ std::uint32_t hits(const LapWord& word) const {
    return find_sums(word.coarse, word.fine, wanted_, word.left_out);
  }

 private:
  __device__ static const char* address(const LineColumn& column, std::uint32_t number) {
    return reinterpret_cast<const char*>(&column.low[number]);
  }
  __device__ static StoredPlanes line_at(const char* low) {
    const auto* const quads = reinterpret_cast<const uint4*>(low);
    return {quads[0], quads[LineColumn::kLines]};
  }

  const char* coarse_;
  const char* fine_;
  BitPlanes wanted_;
};

/// Compares a left entry, as it stands in `by_row`, with the right bucket. Calls `on_word` with the
/// place of a column's first entry and the bits of its hits, for each column in order. `kUnrolled` is
/// for where it is called for every entry.
template <bool kUnrolled, class OnWord>
__device__ void compare_left(std::uint32_t placed, std::uint32_t parity, const BucketFrame& right,
                             const MatchShared& s, const OnWord& on_word) {
  const LeftRange range = range_of(placed, right);
  const auto compare_lap = [&](std::uint32_t line, std::uint32_t start, std::uint32_t end) {
    const std::uint32_t first = start / 32;
    const std::uint32_t n_words = (end + 31) / 32 - first;
    if (n_words == 0) {
      return;
    }
    const Lap lap(line, range.column, parity, first, s);
    const std::uint32_t behind_end = 0xFFFFFFFEU << ((end - 1) % 32);
    const std::uint32_t one = blockDim.z;
    const auto compare_word = [&](std::uint32_t i) {
      const bool is_last = i + 1 == n_words;
      LapWord word = lap.word(i);
      if (i == 0) {
        word.left_out |= ~(0xFFFFFFFFU << (start % 32));
      }
      or_if(is_last, word.left_out, behind_end);
      on_word(multiply_add(one, 32 * i, 32 * first), lap.hits(word));
      return is_last;
    };
    if constexpr (kUnrolled) {
#pragma unroll
      for (std::uint32_t i = 0; i < MatchShared::kColumns; ++i) {
        if (compare_word(i)) {
          break;
        }
      }
    } else {
#pragma unroll 1
      for (std::uint32_t i = 0; !compare_word(i); ++i) {
      }
    }
  };
  compare_lap(range.row, range.start, range.end);
  if (range.second_end != 0) {
    constexpr std::uint32_t kOn = core::pos::kParamC - core::pos::kParamB;
    compare_lap(range.row + kOn, 0, range.second_end);
  }
}

/// The hits of one left entry: the columns that have any, as far as they fit.
struct LeftHits {
  static constexpr std::uint32_t kMost = 5;
  static constexpr std::uint32_t kBits = 4;
  static_assert(MatchShared::kColumns <= 1U << kBits && 5 + kMost * kBits <= 32);

  std::uint32_t rank;
  std::uint32_t n;
  std::uint32_t words[kMost];  ///< the last one first
  std::uint32_t columns;       ///< of `words`, from bit 5 on
};

/// Of the left entry at place `thread` of `by_row`.
__device__ inline LeftHits count_hits(std::uint32_t thread, std::uint32_t parity,
                                      const BucketFrame& left, const BucketFrame& right,
                                      MatchShared& s) {
  LeftHits hits;
  hits.rank = thread;
  // Zeros that the compiler knows would be written once more in the branch.
  hits.n = opaque(0);
  hits.columns = opaque(0);
#pragma unroll
  for (std::uint32_t& word : hits.words) {
    word = opaque(0);
  }
  if (thread < left.size) {
    const std::uint32_t placed = left.by_row[thread];
    hits.rank = BucketFrame::rank_of(placed);
    const std::uint32_t one = blockDim.z;
    compare_left<true>(placed, parity, right, s, [&](std::uint32_t place, std::uint32_t word) {
      hits.n += static_cast<std::uint32_t>(__popc(word));
      const bool has_hits = word != 0;
#pragma unroll
      for (std::uint32_t i = LeftHits::kMost - 1; i > 0; --i) {
        move_if(has_hits, hits.words[i], hits.words[i - 1], one);
      }
      move_if(has_hits, hits.words[0], word, one);
      multiply_add_if(has_hits, hits.columns, hits.columns, 1U << LeftHits::kBits, place);
    });
  }
  s.hits[hits.rank] = static_cast<std::uint16_t>(hits.n);
  return hits;
}

/// Of the left entry at `place`, for which there is no thread. Only their number is kept.
__device__ inline void count_further(std::uint32_t place, std::uint32_t parity,
                                     const BucketFrame& left, const BucketFrame& right,
                                     MatchShared& s) {
  std::uint32_t rank = place;
  std::uint32_t n = 0;
  if (place < left.size) {
    const std::uint32_t placed = left.by_row[place];
    rank = BucketFrame::rank_of(placed);
    compare_left<false>(placed, parity, right, s, [&](std::uint32_t, std::uint32_t word) {
      n += static_cast<std::uint32_t>(__popc(word));
    });
  }
  s.hits[rank] = static_cast<std::uint16_t>(n);
}

/// One warp: numbers of hits become places.
__device__ inline void scan_hits(std::uint32_t lane, MatchShared& s) {
  constexpr std::uint32_t kPerLane = MatchShared::kColumns;
  std::uint16_t* const hits = s.hits + lane * kPerLane;
  std::uint32_t n[kPerLane];
  std::uint32_t sum = 0;
#pragma unroll
  for (std::uint32_t i = 0; i < kPerLane; ++i) {
    n[i] = hits[i];
    sum += n[i];
  }
  std::uint32_t place = warp_exclusive_sum(lane, sum);
#pragma unroll
  for (std::uint32_t i = 0; i < kPerLane; ++i) {
    hits[i] = static_cast<std::uint16_t>(place);
    place += n[i];
  }
  if (lane == 31) {
    s.n_hits = place;
  }
}

/// Files the hits of the left entry at `place` of `by_row` under their places, as far as these count,
/// by comparing it once more.
__device__ inline void list_again(std::uint32_t place, std::uint32_t parity,
                                  const BucketFrame& left, const BucketFrame& right,
                                  MatchShared& s) {
  const std::uint32_t placed = left.by_row[place];
  const std::uint32_t rank = BucketFrame::rank_of(placed);
  std::uint32_t* to = s.matches + s.hits[rank];
  const std::uint32_t* const behind = s.matches + MatchRules::kMatches;
  if (to >= behind) {
    return;
  }
  compare_left<false>(placed, parity, right, s, [&](std::uint32_t first, std::uint32_t word) {
#pragma unroll 1
    for (; word != 0 && to < behind; word &= word - 1) {
      const int bit = __ffs(static_cast<int>(word)) - 1;
      *to++ = rank << 16 | (first + static_cast<std::uint32_t>(bit));
    }
  });
}

/// Files the hits of a left entry under their places.
__device__ inline void list_hits(std::uint32_t thread, std::uint32_t parity, LeftHits hits,
                                 const BucketFrame& left, const BucketFrame& right,
                                 MatchShared& s) {
  const std::uint32_t* const first = s.matches + s.hits[hits.rank];
  std::uint32_t* to = s.matches + s.hits[hits.rank] + hits.n;
  if (hits.n <= LeftHits::kMost && to <= s.matches + MatchRules::kMatches) {
    const std::uint32_t one = blockDim.z;
    const std::uint32_t rank = hits.rank << 16;
#pragma unroll 1
    while (to != first) {
      const std::uint32_t bit = highest_bit(hits.words[0]);
      constexpr std::uint32_t kColumns = 32 * ((1U << LeftHits::kBits) - 1);
      *--to = select_or(hits.columns, kColumns, rank) + bit;
      hits.words[0] = clear_bits(hits.words[0], 1U << bit);
      const bool is_done = hits.words[0] == 0;
#pragma unroll
      for (std::uint32_t i = 0; i + 1 < LeftHits::kMost; ++i) {
        // Hidden, or the compiler would take a selection for the word that stays the same.
        move_if(is_done, hits.words[i], opaque(hits.words[i + 1]), one);
      }
      if (is_done) {
        hits.columns >>= LeftHits::kBits;
      }
    }
  } else if (hits.n != 0) {
    // One of 1,700 entries has so many.
    list_again(thread, parity, left, right, s);
  }
}

/// Ranks of the entries of a match.
struct MatchedRanks {
  std::uint32_t left;
  std::uint32_t right;
};

/// Finds the matches of two frames; returns how many, at most 288. All threads of the block call it
/// after a barrier behind the loading of the frames; `ranks_of` may be called after it, and nobody
/// reads lines any more.
template <unsigned kThreads>
__device__ std::uint32_t find_matches(std::uint32_t thread, std::uint32_t parity,
                                      const BucketFrame& left, const BucketFrame& right,
                                      MatchShared& s) {
  constexpr std::uint32_t kMost = MatchRules::kMatches;
  static_assert(kThreads + 32 == MatchShared::kColumns * 32,
                "the first warp has a lane for each left entry for which there is no thread");
  slice_right<kThreads>(thread, parity, right, s);
  __syncthreads();  // all columns are sliced before lines are made of them
  if (thread < 32) {
    make_lines(thread, (right.size + 31) / 32, s);
  }
  __syncthreads();  // all lines are there before left entries are compared with them
  if (thread < 32) {
    // Before the hits of this thread, which would take registers.
    count_further(thread + kThreads, parity, left, right, s);
  }
  const LeftHits hits = count_hits(thread, parity, left, right, s);
  __syncthreads();  // all hits are counted
  if (thread < 32) {
    scan_hits(thread, s);
  }
  __syncthreads();  // places are known before hits are filed under them
  list_hits(thread, parity, hits, left, right, s);
  if (thread < 32 && thread + kThreads < left.size) {
    list_again(thread + kThreads, parity, left, right, s);
  }
  const std::uint32_t n_hits = s.n_hits;
  __syncthreads();  // all matches are listed
  return n_hits < kMost ? n_hits : kMost;
}

__device__ inline MatchedRanks ranks_of(std::uint32_t index, const BucketFrame& right,
                                        const MatchShared& s) {
  const std::uint32_t match = s.matches[index];
  return {match >> 16, BucketFrame::rank_of(right.by_row[match & 0xFFFFU])};
}

}  // namespace furrow::cuda
