// SPDX-License-Identifier: Apache-2.0
// Matches between one bucket and its right neighbour, both in shared memory
// (docs/spec/02-proof-of-space.md, section 5).
//
// The right bucket is written as a matrix of bits, a row for each residue / 127 and a column for
// each residue % 127. Target m of a left residue in row b and column c is row (b + m) mod 119,
// column (c + shift(m)) mod 127. Both wraps vanish when the matrix is repeated, 63 rows below and
// 127 columns to the right. A warp takes one left entry at a time and tests its 64 targets in two
// steps, lane = m mod
// 32. Words of the same column lie side by side,
//
//   rows[column / 32][row], 192 words apart for the next 32 columns
//
// so the 32 lanes, which read 32 neighbouring rows, never meet in a bank.
//
// Right entries with equal residues: the matrix has one bit for them. Its bits in row order number
// the distinct residues ("cells taken"), and by that number the two smallest ranks are kept.
//
// Order: left rank, then m, then right rank; the left rank and m fix the place of a hit by a prefix
// sum over the numbers of hits, a second one over the numbers of partners makes room for the second
// ones. Places from 288 on are dropped.
#pragma once

#include "cuda/kernels/bucket_frame.cuh"
#include "cuda/kernels/transpose_bits.cuh"

namespace furrow::cuda {

struct MatchShared {
  static constexpr std::uint32_t kRows = core::pos::kParamB + core::pos::kParamM - 1;
  static constexpr std::uint32_t kRowStride = 192;
  static constexpr std::uint32_t kWordsOfRow = 8;
  static constexpr std::uint32_t kDistinctWords = core::pos::kParamB * 4;
  static_assert(kRowStride >= kRows && kRowStride % 32 == 0);

  alignas(16) std::uint32_t rows[kWordsOfRow][kRowStride];
  /// Cells taken before those of a word of the first 119 rows and 127 columns, in row order.
  std::uint16_t taken_before[kDistinctWords];
  /// The two smallest right ranks of a taken cell.
  std::uint32_t first[core::pos::kReducedBucketSize];
  std::uint32_t second[core::pos::kReducedBucketSize];
  /// Left rank << 6 | m.
  std::uint16_t hits[core::pos::kReducedMatchesCount];
  /// Left rank << 16 | right rank.
  std::uint32_t matches[core::pos::kReducedMatchesCount];
};

inline constexpr std::uint32_t kNoRank = 0xFFFFFFFF;

/// Number of a taken cell among all of them.
__device__ inline std::uint32_t taken_index(const MatchShared& s, std::uint32_t row,
                                            std::uint32_t column) {
  const std::uint32_t word = column / 32;
  return s.taken_before[row * 4 + word] +
         static_cast<std::uint32_t>(__popc(s.rows[word][row] & ((1U << (column % 32)) - 1)));
}

/// Writes the matrix of the right bucket and the ranks that belong to its taken cells.
template <unsigned kThreads>
__device__ void insert_right(const BucketFrame& right, MatchShared& s,
                             typename BlockScan<kThreads>::TempStorage& scan) {
  constexpr std::uint32_t kWords = MatchShared::kWordsOfRow * MatchShared::kRowStride;
  for (std::uint32_t i = threadIdx.x; i < kWords / 4; i += kThreads) {
    reinterpret_cast<uint4*>(s.rows)[i] = make_uint4(0, 0, 0, 0);
  }
  for (std::uint32_t i = threadIdx.x; i < core::pos::kReducedBucketSize; i += kThreads) {
    s.first[i] = kNoRank;
    s.second[i] = kNoRank;
  }
  __syncthreads();  // the matrix is empty before anyone inserts; the frame is complete

  const std::uint32_t rank = threadIdx.x;
  const bool has_entry = rank < right.size;
  const std::uint32_t row = right.cells[rank].row_bytes / 4;
  const std::uint32_t column = right.cells[rank].column;
  if (has_entry) {
    const std::uint32_t repeated = column + core::pos::kParamC;
    atomicOr(&s.rows[column / 32][row], 1U << (column % 32));
    atomicOr(&s.rows[repeated / 32][row], 1U << (repeated % 32));
    if (row + core::pos::kParamB < MatchShared::kRows) {
      atomicOr(&s.rows[column / 32][row + core::pos::kParamB], 1U << (column % 32));
      atomicOr(&s.rows[repeated / 32][row + core::pos::kParamB], 1U << (repeated % 32));
    }
  }
  __syncthreads();  // every right entry is in the matrix before its bits are counted

  constexpr std::uint32_t kPerThread = (MatchShared::kDistinctWords + kThreads - 1) / kThreads;
  std::uint32_t taken[kPerThread];
  std::uint32_t before[kPerThread];
  std::uint32_t total = 0;
#pragma unroll
  for (std::uint32_t i = 0; i < kPerThread; ++i) {
    const std::uint32_t word = threadIdx.x * kPerThread + i;
    // Column 127 is column 0 once more.
    const std::uint32_t mask = word % 4 == 3 ? 0x7FFFFFFFU : 0xFFFFFFFFU;
    taken[i] = word < MatchShared::kDistinctWords
                   ? static_cast<std::uint32_t>(__popc(s.rows[word % 4][word / 4] & mask))
                   : 0;
  }
  BlockScan<kThreads>(scan).exclusive_sum(taken, before, total);
#pragma unroll
  for (std::uint32_t i = 0; i < kPerThread; ++i) {
    const std::uint32_t word = threadIdx.x * kPerThread + i;
    if (word < MatchShared::kDistinctWords) {
      s.taken_before[word] = static_cast<std::uint16_t>(before[i]);
    }
  }
  __syncthreads();  // cells are numbered before ranks are filed under their numbers

  const std::uint32_t index = has_entry ? taken_index(s, row, column) : 0;
  if (has_entry) {
    atomicMin(&s.first[index], rank);
  }
  __syncthreads();  // the smallest rank of each cell is known before the second smallest is sought
  if (has_entry && s.first[index] != rank) {
    atomicMin(&s.second[index], rank);
  }
}

/// Bits of the targets of one left entry that are taken in the right bucket; bit m % 32 of
/// `low` for m < 32, of `high` for the others.
struct TakenTargets {
  std::uint32_t low;
  std::uint32_t high;
};

/// The taken targets of the left entry whose rank is the thread's number.
///
/// A warp tests its 32 entries one after the other, lane = m, and every lane collects its own m's
/// bits, entry i in bit i. Turned round, they are each entry's bits by m.
__device__ inline TakenTargets test_targets(std::uint32_t parity, const BucketFrame& left,
                                            const MatchShared& s) {
  const std::uint32_t first_rank = threadIdx.x / 32 * 32;
  if (first_rank >= left.size) {
    return {0, 0};  // the whole warp
  }
  const std::uint32_t lane = threadIdx.x % 32;
  const std::uint32_t low_shift = core::pos::target_column_shift(parity, lane);
  const std::uint32_t high_shift = core::pos::target_column_shift(parity, lane + 32);
  // Byte offsets, so that an address is one multiply-add of the group of columns.
  const char* rows = reinterpret_cast<const char*>(&s.rows[0][lane]);
  const auto word_at = [&](std::uint32_t column, std::uint32_t row_bytes) {
    return *reinterpret_cast<const std::uint32_t*>(
        rows + (column / 32 * (4 * MatchShared::kRowStride) + row_bytes));
  };
  std::uint32_t low = 0;
  std::uint32_t high = 0;
#pragma unroll 8
  for (std::uint32_t i = 0; i < 32; ++i) {
    const Cell cell = left.cells[first_rank + i];
    const std::uint32_t low_column = cell.column + low_shift;
    const std::uint32_t high_column = cell.column + high_shift;
    const std::uint32_t low_word = word_at(low_column, cell.row_bytes);
    const std::uint32_t high_word = word_at(high_column, cell.row_bytes + 4 * 32);
    low = __funnelshift_r(low, __funnelshift_r(low_word, 0, low_column), 1);
    high = __funnelshift_r(high, __funnelshift_r(high_word, 0, high_column), 1);
  }
  low = transpose_bits(low);
  high = transpose_bits(high);
  return threadIdx.x < left.size ? TakenTargets{low, high} : TakenTargets{0, 0};
}

/// Lists all matches in order; returns how many, at most 288. `taken`: of the left entry whose rank
/// is the thread's number.
template <unsigned kThreads>
__device__ std::uint32_t list_matches(std::uint32_t parity, TakenTargets taken,
                                      const BucketFrame& left, MatchShared& s,
                                      typename BlockScan<kThreads>::TempStorage& scan) {
  constexpr std::uint32_t kMost = core::pos::kReducedMatchesCount;
  static_assert(kThreads >= core::pos::kReducedBucketSize, "one thread for each left entry");
  static_assert(kThreads >= kMost, "one thread for each match");
  const std::uint32_t rank = threadIdx.x;
  std::uint32_t place = 0;
  std::uint32_t n_hits = 0;
  BlockScan<kThreads>(scan).exclusive_sum(
      static_cast<std::uint32_t>(__popc(taken.low) + __popc(taken.high)), place, n_hits);
#pragma unroll 1
  for (std::uint32_t low = taken.low; low != 0 && place < kMost; low &= low - 1) {
    s.hits[place++] = static_cast<std::uint16_t>((rank << 6) | (__ffs(static_cast<int>(low)) - 1));
  }
#pragma unroll 1
  for (std::uint32_t high = taken.high; high != 0 && place < kMost; high &= high - 1) {
    s.hits[place++] =
        static_cast<std::uint16_t>((rank << 6) | (__ffs(static_cast<int>(high)) + 31));
  }
  n_hits = n_hits < kMost ? n_hits : kMost;
  __syncthreads();  // all hits are listed; the scan's memory is free again

  std::uint32_t left_rank = 0;
  std::uint32_t first = kNoRank;
  std::uint32_t second = kNoRank;
  if (threadIdx.x < n_hits) {
    const std::uint32_t hit = s.hits[threadIdx.x];
    left_rank = hit >> 6;
    const std::uint32_t m = hit & 63U;
    const Cell cell = left.cells[left_rank];
    const std::uint32_t row = (cell.row_bytes / 4 + m) % core::pos::kParamB;
    const std::uint32_t column =
        (cell.column + core::pos::target_column_shift(parity, m)) % core::pos::kParamC;
    const std::uint32_t index = taken_index(s, row, column);
    first = s.first[index];
    second = s.second[index];
  }
  const std::uint32_t n_partners = (first != kNoRank ? 1U : 0U) + (second != kNoRank ? 1U : 0U);
  std::uint32_t index = 0;
  std::uint32_t n_matches = 0;
  BlockScan<kThreads>(scan).exclusive_sum(n_partners, index, n_matches);
  if (first != kNoRank && index < kMost) {
    s.matches[index] = (left_rank << 16) | first;
  }
  if (second != kNoRank && index + 1 < kMost) {
    s.matches[index + 1] = (left_rank << 16) | second;
  }
  return n_matches < kMost ? n_matches : kMost;
}

}  // namespace furrow::cuda
