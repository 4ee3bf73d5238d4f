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
// its row is b = 17 h + d, and
//
//   lines[column].coarse[h + 4]   k - 4 r (r + p) + 17 h * 8 r   h = -4 .. 6
//   lines[column].fine[d]         d * 8 r                        d = 0 .. 16
//
// are added and compared with the left side by 21 instructions. Negative h are for the second lap,
// in which row b is row b - 119 = 17 (h - 7) + d, on the left side of the equation, too.
//
// The entries of rows b to b + 63 are 127 bits on average from bit `row_starts[b]` on, so a left
// entry takes some five words, nearly the same ones as its neighbours in row order. One thread takes
// one left entry, in row order; hits are bits in ascending row of the right entry, which is
// ascending m.
//
// Order: left rank, then m, then right rank. The numbers of hits by left rank give the places; equal
// right residues stand by rank. Places from 288 on are dropped.
#pragma once

#include "cuda/arch/byte_signs.cuh"
#include "cuda/kernels/bit_planes.cuh"
#include "cuda/kernels/bucket_frame.cuh"

namespace furrow::cuda {

/// Seven planes and one word more, read as two times 16 bytes.
struct alignas(16) StoredPlanes {
  uint4 low;   ///< planes 0 to 3
  uint4 high;  ///< planes 4 to 6; in coarse ones, the bits that stand for no entry
};

/// 32 right entries.
struct LineColumn {
  static constexpr std::uint32_t kStep = 17;  ///< of h
  static constexpr std::uint32_t kLap = core::pos::kParamB / kStep;
  static_assert(kLap * kStep == core::pos::kParamB);
  /// The first h: that of row 119 - 63 in the second lap.
  static constexpr std::uint32_t kBelow =
      kLap - (core::pos::kParamB - core::pos::kParamM + 1) / kStep;
  static constexpr std::uint32_t kNumCoarse = kBelow + kLap;

  StoredPlanes coarse[kNumCoarse];
  StoredPlanes fine[kStep];
  uint4 padding;  ///< so that lanes that each write to a column of their own meet in no bank
};

/// What a column of right entries is at first.
struct ColumnPlanes {
  StoredPlanes value;  ///< k - 4 r (r + p)
  StoredPlanes row;    ///< r; and the bits that stand for no entry
};

struct MatchShared {
  static constexpr std::uint32_t kColumns = (BucketFrame::kMost + 31) / 32;

  /// Buckets are sorted before there are lines, and counts are cleared for the next one after them.
  union {
    BucketSortShared sort;
    LineColumn lines[kColumns];
  };
  ColumnPlanes columns[kColumns];
  /// Hits of the left entry of a rank, then the place of its first one.
  std::uint16_t hits[kColumns * 32];
  std::uint32_t n_hits;
  /// Left rank << 16 | bit of the right entry, which counts on in the second lap.
  std::uint32_t matches[MatchRules::kMatches];
};

__device__ inline StoredPlanes store_planes(const BitPlanes& x, std::uint32_t last) {
  return {make_uint4(x.words[0], x.words[1], x.words[2], x.words[3]),
          make_uint4(x.words[4], x.words[5], x.words[6], last)};
}
__device__ inline BitPlanes load_planes(const StoredPlanes& x) {
  return {{x.low.x, x.low.y, x.low.z, x.low.w, x.high.x, x.high.y, x.high.z}};
}

/// x modulo 127 as a number from 1 to 127.
__device__ inline std::uint32_t reduce(std::uint32_t x) {
  return (x - 1) % core::pos::kParamC + 1;
}

/// Writes the planes of the columns that have entries. Thread t has the entry at place t of
/// `by_row`.
template <unsigned kThreads>
__device__ void slice_right(std::uint32_t thread, std::uint32_t parity, const BucketFrame& right,
                            MatchShared& s) {
  constexpr std::uint32_t kRows = core::pos::kParamB;
  constexpr std::uint32_t kC = core::pos::kParamC;
  static_assert(kThreads == MatchShared::kColumns * 32, "one warp for each column");
  if (thread / 32 * 32 >= right.size) {
    return;  // the whole warp
  }
  const std::uint32_t placed = thread < right.size ? right.by_row[thread] : BucketFrame::kNoPartner;
  const std::uint32_t residue = BucketFrame::residue_of(placed);
  const std::uint32_t row = residue / kC;
  // A multiple of 127 above 4 r (r + p).
  constexpr std::uint32_t kAbove = (4 * kRows * kRows / kC + 1) * kC;
  const std::uint32_t value = reduce(residue - row * kC + kAbove - 4 * row * (row + parity));
  const std::uint32_t none = __ballot_sync(0xFFFFFFFFU, (placed & BucketFrame::kNoPartner) != 0);
  BitPlanes values;
  BitPlanes rows;
#pragma unroll
  for (unsigned i = 0; i < kPlanes; ++i) {
    values.words[i] = __ballot_sync(0xFFFFFFFFU, (value >> i & 1U) != 0);
    rows.words[i] = __ballot_sync(0xFFFFFFFFU, (row >> i & 1U) != 0);
  }
  if (thread % 32 == 0) {
    s.columns[thread / 32] = {store_planes(values, 0), store_planes(rows, none)};
  }
}

/// Stores x and 2 x, 4 x and so on as far as there are places for them.
template <std::uint32_t kTimes>
__device__ void store_multiple(const BitPlanes& x, LineColumn& column) {
#pragma unroll
  for (unsigned times = 0; kTimes << times < LineColumn::kStep; ++times) {
    column.fine[kTimes << times] = store_planes(double_times(x, times), 0);
  }
}

/// One warp, a lane for each column: the multiples of 8 r.
__device__ inline void make_fine_lines(std::uint32_t lane, std::uint32_t n_columns,
                                       MatchShared& s) {
  if (lane >= n_columns) {
    return;
  }
  LineColumn& column = s.lines[lane];
  const BitPlanes one = double_times(load_planes(s.columns[lane].row), 3);
  column.fine[0] = store_planes({}, 0);
  store_multiple<1>(one, column);
  const BitPlanes three = add(one, double_times(one, 1));
  store_multiple<3>(three, column);
  const BitPlanes five = add(one, double_times(one, 2));
  store_multiple<5>(five, column);
  const BitPlanes eight = double_times(one, 3);
  store_multiple<7>(add(eight, negate(one)), column);
  store_multiple<9>(add(eight, one), column);
  store_multiple<11>(add(eight, three), column);
  store_multiple<13>(add(eight, five), column);
  store_multiple<15>(add(double_times(one, 4), negate(one)), column);
  static_assert(LineColumn::kStep == 17);
}

/// One warp, two lanes for each column: lines from h = 0 on upwards, and from h = -1 on downwards.
__device__ inline void make_coarse_lines(std::uint32_t lane, std::uint32_t n_columns,
                                         MatchShared& s) {
  if (lane >= 2 * n_columns) {
    return;
  }
  const std::uint32_t is_down = lane % 2;
  const BitPlanes row = load_planes(s.columns[lane / 2].row);
  const std::uint32_t none = s.columns[lane / 2].row.high.w;
  BitPlanes line = load_planes(s.columns[lane / 2].value);
  static_assert(LineColumn::kStep * 8 % core::pos::kParamC == 9);
  BitPlanes step = add(double_times(row, 3), row);
  const std::uint32_t flip = 0U - is_down;
#pragma unroll
  for (unsigned i = 0; i < kPlanes; ++i) {
    step.words[i] ^= flip;
  }
  StoredPlanes* to = &s.lines[lane / 2].coarse[LineColumn::kBelow];
#pragma unroll 1
  for (std::uint32_t i = 0; i < LineColumn::kLap; ++i) {
    if (is_down == 0) {
      to[i] = store_planes(line, none);
    } else if (i != 0 && i <= LineColumn::kBelow) {
      *(to - i) = store_planes(line, none);
    }
    line = add(line, step);
  }
}

/// All bits of plane i are bit i of `value`, which is below 128.
__device__ inline BitPlanes spread(std::uint32_t value) {
  // Four copies, seven bits apart: the highest bit of byte i is bit i.
  const std::uint32_t low = value * 0x10204080U;
  const std::uint32_t high = (value >> 4) * 0x00204080U;
  return {{byte_sign<0>(low), byte_sign<1>(low), byte_sign<2>(low), byte_sign<3>(low),
           byte_sign<0>(high), byte_sign<1>(high), byte_sign<2>(high)}};
}

/// Compares the left entry at place `thread` of `by_row` with the right bucket. Calls `on_hit`
/// with the bit of each hit in order; bits count on in the second lap.
template <class OnHit>
__device__ void compare_left(std::uint32_t thread, std::uint32_t parity, const BucketFrame& left,
                             const BucketFrame& right, const MatchShared& s, const OnHit& on_hit) {
  constexpr std::uint32_t kRows = core::pos::kParamB;
  constexpr std::uint32_t kC = core::pos::kParamC;
  if (thread >= left.size) {
    return;
  }
  const std::uint32_t residue = BucketFrame::residue_of(left.by_row[thread]);
  const std::uint32_t row = residue / kC;
  const std::uint32_t column = residue - row * kC;
  const std::uint32_t root = 2 * row - parity;
  const std::uint32_t second_root = root - 2 * kRows;
  const std::uint32_t second_value = reduce(column + second_root * second_root + kC);
  BitPlanes wanted = spread(reduce(column + root * root + kC));

  const std::uint32_t lap = (right.size + 31) / 32 * 32;
  const std::uint32_t start = right.row_starts[row];
  const std::uint32_t row_behind = row + core::pos::kParamM;
  const bool is_one_lap = row_behind <= kRows;
  const std::uint32_t end =
      right.row_starts[is_one_lap ? row_behind : row_behind - kRows] + (is_one_lap ? 0 : lap);
  const std::uint32_t h = row / LineColumn::kStep;
  const char* coarse =
      reinterpret_cast<const char*>(&s.lines[start / 32].coarse[LineColumn::kBelow + h]);
  const char* fine =
      reinterpret_cast<const char*>(&s.lines[start / 32].fine[row - h * LineColumn::kStep]);
  std::uint32_t before_start = ~(0xFFFFFFFFU << (start % 32));
#pragma unroll 1
  for (std::uint32_t first = start & ~31U; first < end; first += 32) {
    if (first == lap) {
      const std::uint32_t back = lap / 32 * static_cast<std::uint32_t>(sizeof(LineColumn));
      coarse -= back + LineColumn::kLap * sizeof(StoredPlanes);
      fine -= back;
      wanted = spread(second_value);
    }
    const auto& coarse_line = *reinterpret_cast<const StoredPlanes*>(coarse);
    std::uint32_t word = ~or_differences(load_planes(coarse_line),
                                         load_planes(*reinterpret_cast<const StoredPlanes*>(fine)),
                                         wanted, coarse_line.high.w | before_start);
    before_start = 0;
    coarse += sizeof(LineColumn);
    fine += sizeof(LineColumn);
#pragma unroll 1
    for (; word != 0; word &= word - 1) {
      const std::uint32_t bit =
          first + static_cast<std::uint32_t>(__ffs(static_cast<int>(word)) - 1);
      if (bit >= end) {
        break;
      }
      on_hit(bit);
    }
  }
}

/// The hits of one left entry, as far as they fit.
struct LeftHits {
  static constexpr std::uint32_t kMost = 6;
  static constexpr std::uint32_t kBits = 10;
  static_assert(2 * MatchShared::kColumns * 32 <= 1U << kBits && kMost * kBits <= 64);

  std::uint32_t rank = 0;
  std::uint32_t n = 0;
  std::uint32_t low = 0;  ///< of the list, the last one lowest
  std::uint32_t high = 0;
};

__device__ inline LeftHits count_hits(std::uint32_t thread, std::uint32_t parity,
                                      const BucketFrame& left, const BucketFrame& right,
                                      MatchShared& s) {
  LeftHits hits;
  hits.rank = thread;
  if (thread < left.size) {
    hits.rank = BucketFrame::rank_of(left.by_row[thread]);
  }
  compare_left(thread, parity, left, right, s, [&](std::uint32_t bit) {
    hits.high = __funnelshift_l(hits.low, hits.high, LeftHits::kBits);
    hits.low = hits.low * (1U << LeftHits::kBits) + bit;
    ++hits.n;
  });
  s.hits[hits.rank] = static_cast<std::uint16_t>(hits.n);
  return hits;
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

/// Files the hits of a left entry under their places.
__device__ inline void list_hits(std::uint32_t thread, std::uint32_t parity, LeftHits hits,
                                 const BucketFrame& left, const BucketFrame& right,
                                 MatchShared& s) {
  constexpr std::uint32_t kMost = MatchRules::kMatches;
  const std::uint32_t first = s.hits[hits.rank];
  const auto file = [&](std::uint32_t place, std::uint32_t bit) {
    if (place < kMost) {
      s.matches[place] = hits.rank << 16 | bit;
    }
  };
  if (hits.n <= LeftHits::kMost) {
#pragma unroll 1
    for (std::uint32_t place = first + hits.n; place > first;) {
      file(--place, hits.low % (1U << LeftHits::kBits));
      hits.low = __funnelshift_r(hits.low, hits.high, LeftHits::kBits);
      hits.high >>= LeftHits::kBits;
    }
  } else {
    // One of 12,000 entries has so many.
    std::uint32_t place = first;
    compare_left(thread, parity, left, right, s, [&](std::uint32_t bit) { file(place++, bit); });
  }
}

/// Ranks of the entries of a match.
struct MatchedRanks {
  std::uint32_t left;
  std::uint32_t right;
};

/// Finds the matches of two frames; returns how many, at most 288. All threads of the block call it
/// after a barrier behind the loading of the frames; `match_of` may be called after it. Leaves the
/// counts for sorting cleared, which needs a barrier before they are used.
template <unsigned kThreads>
__device__ std::uint32_t find_matches(std::uint32_t thread, std::uint32_t parity,
                                      const BucketFrame& left, const BucketFrame& right,
                                      MatchShared& s) {
  constexpr std::uint32_t kMost = MatchRules::kMatches;
  static_assert(kThreads >= BucketFrame::kMost, "one thread for each left entry");
  static_assert(kThreads >= kMost, "one thread for each match");
  slice_right<kThreads>(thread, parity, right, s);
  __syncthreads();  // all columns are sliced before lines are made of them
  static_assert(2 * MatchShared::kColumns <= 32);
  if (thread < 32) {
    make_coarse_lines(thread, (right.size + 31) / 32, s);
  } else if (thread < 64) {
    make_fine_lines(thread - 32, (right.size + 31) / 32, s);
  }
  __syncthreads();  // all lines are there before left entries are compared with them
  const LeftHits hits = count_hits(thread, parity, left, right, s);
  __syncthreads();  // all hits are counted
  if (thread < 32) {
    scan_hits(thread, s);
  }
  __syncthreads();  // places are known before hits are filed under them
  list_hits(thread, parity, hits, left, right, s);
  const std::uint32_t n_hits = s.n_hits;
  __syncthreads();  // all matches are listed; nobody reads lines any more
  clear_counts<kThreads>(thread, s.sort);
  return n_hits < kMost ? n_hits : kMost;
}

__device__ inline MatchedRanks match_of(std::uint32_t index, const BucketFrame& right,
                                        const MatchShared& s) {
  const std::uint32_t match = s.matches[index];
  const std::uint32_t lap = (right.size + 31) / 32 * 32;
  const std::uint32_t place = match & 0xFFFFU;
  return {match >> 16, BucketFrame::rank_of(right.by_row[place < lap ? place : place - lap])};
}

}  // namespace furrow::cuda
