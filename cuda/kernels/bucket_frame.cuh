// SPDX-License-Identifier: Apache-2.0
// A bucket in shared memory: the entries that count, by rank (position order) and by row.
//
// Entries lie in their bucket in order of arrival. They are sorted twice, both times by counting:
//
//   by rank   512 bins of positions, prefix sums over the bins, and a comparison with the few others
//             of the same bin
//   by row    119 bins of residues / 127, which find_matches.cuh calls rows; within a row in any
//             order, but equal residues by rank
//
// Each of the two prefix sums is the work of one warp (warp_scan.cuh).
//
// Order: by position alone, which is what sections 4 and 9 of docs/spec/02-proof-of-space.md
// demand; the 272 smallest are kept.
#pragma once

#include "cuda/arch/move_if.cuh"
#include "cuda/arch/opaque.cuh"
#include "cuda/kernels/match_rules.cuh"
#include "cuda/kernels/proof_tables.cuh"
#include "cuda/kernels/warp_scan.cuh"

namespace furrow::cuda {

struct BucketFrame {
  static constexpr std::uint32_t kMost = MatchRules::kEntries;
  static constexpr std::uint32_t kRows = core::pos::kParamB;
  /// Of an entry in `by_row`: as many equal ones as may be partners stand before it, so it is
  /// nobody's right partner.
  static constexpr std::uint32_t kNoPartner = 0x8000;

  /// Entries by rank. In place of their positions, which count no more, where they lie in their
  /// bucket, for links.
  PackedEntry entries[kMost];
  /// Places of rows in `by_row`; from row 119 on their end.
  alignas(8) std::uint16_t row_starts[128];
  /// Residue << 16 | kNoPartner where it is one | rank.
  std::uint32_t by_row[kMost];
  std::uint32_t size;

  __device__ static std::uint32_t residue_of(std::uint32_t placed) { return placed >> 16; }
  __device__ static std::uint32_t rank_of(std::uint32_t placed) { return placed & 0x1FFU; }
};
static_assert(BucketFrame::kMost <= 512, "a rank has 9 bits");

struct BucketSortShared {
  static constexpr std::uint32_t kBins = 512;
  /// What must be zero before an entry is counted.
  struct alignas(16) Counts {
    /// Entries of a bin, then the place of its first one | their number << 16.
    std::uint32_t bins[kBins];
    std::uint32_t rows[128];
    /// A bit for each residue that was seen.
    std::uint32_t seen[(core::pos::kParamBC + 31) / 32];
    /// A bit for each row in which two residues are equal.
    std::uint32_t has_equals[(core::pos::kParamB + 31) / 32];
  };
  Counts counts;
  std::uint32_t keys[kSlotsPerBucket];
};

/// Reads entries of `kTable` - 1, from which `kTable` is made.
template <unsigned K, unsigned kTable>
struct SourceTable {
  ProofTablesRef<K> tables;

  /// Positions are below this.
  static constexpr std::uint32_t kPositions =
      kTable == 2 ? 1U << K : ProofTablesRef<K>::kNumPairs << kMatchIndexBits;

  __device__ std::uint32_t bucket_size(std::uint32_t bucket) const {
    const std::uint32_t size = tables.bucket_sizes(kTable - 1)[bucket];
    return size < kSlotsPerBucket ? size : kSlotsPerBucket;
  }
  __device__ PackedEntry entry(std::uint32_t bucket, std::uint32_t slot) const {
    const std::uint32_t index = bucket * kSlotsPerBucket + slot;
    if constexpr (kTable == 2) {
      const std::uint32_t packed = tables.table1()[index];
      const std::uint32_t x = table1_x<K>(bucket, packed);
      return pack_entry(x, packed & 0x3FFFU, x);
    } else {
      return tables.entries(kTable - 1)[index];
    }
  }
};

/// residue / 127, and any other number below 2^24, by one multiplication.
__device__ inline std::uint32_t row_of(std::uint32_t residue) {
  constexpr std::uint32_t kC = core::pos::kParamC;
  constexpr auto kInverse = static_cast<std::uint32_t>(((std::uint64_t{1} << 32) + kC - 1) / kC);
  return __umulhi(residue, kInverse);
}

/// A bin's word. The 16 bins of a lane in `scan_bins` are read as four times four words, which would
/// meet in two banks of eight if bins lay in order.
__device__ inline std::uint32_t word_of_bin(std::uint32_t bin) {
  return bin ^ ((bin >> 3) & 12U);
}

/// Clears what load_bucket counts in. A barrier must follow.
template <unsigned kThreads>
__device__ void clear_counts(std::uint32_t thread, BucketSortShared& s) {
  constexpr std::uint32_t kQuads = sizeof(BucketSortShared::Counts) / 16;
#pragma unroll
  for (std::uint32_t first = 0; first < kQuads; first += kThreads) {
    if (first + thread < kQuads) {
      reinterpret_cast<uint4*>(&s.counts)[first + thread] = make_uint4(0, 0, 0, 0);
    }
  }
}

/// One warp: numbers of entries become places.
__device__ inline void scan_bins(std::uint32_t lane, BucketSortShared& s) {
  constexpr std::uint32_t kQuads = BucketSortShared::kBins / 32 / 4;
  auto* const quads = reinterpret_cast<uint4*>(s.counts.bins);
  // Two numbers in a word: registers are short here.
  uint2 n[kQuads];
  std::uint32_t sums = 0;
#pragma unroll
  for (std::uint32_t i = 0; i < kQuads; ++i) {
    const uint4 quad = quads[word_of_bin((lane * kQuads + i) * 4) / 4];
    n[i] = make_uint2(quad.x | quad.y << 16, quad.z | quad.w << 16);
    sums += n[i].x + n[i].y;
  }
  std::uint32_t place = warp_exclusive_sum(lane, (sums & 0xFFFFU) + (sums >> 16));
#pragma unroll
  for (std::uint32_t i = 0; i < kQuads; ++i) {
    uint4 packed;
    packed.x = place + (n[i].x << 16);
    place += n[i].x & 0xFFFFU;
    packed.y = place | (n[i].x & 0xFFFF0000U);
    place += n[i].x >> 16;
    packed.z = place + (n[i].y << 16);
    place += n[i].y & 0xFFFFU;
    packed.w = place | (n[i].y & 0xFFFF0000U);
    place += n[i].y >> 16;
    quads[word_of_bin((lane * kQuads + i) * 4) / 4] = packed;
  }
}

/// One warp: numbers of entries become places.
__device__ inline void scan_rows(std::uint32_t lane, const BucketSortShared& s,
                                 BucketFrame& frame) {
  const uint4 n = reinterpret_cast<const uint4*>(s.counts.rows)[lane];
  const std::uint32_t second = n.x;
  const std::uint32_t third = second + n.y;
  const std::uint32_t fourth = third + n.z;
  const std::uint32_t first = warp_exclusive_sum(lane, fourth + n.w);
  const std::uint32_t twice = first << 16 | first;
  reinterpret_cast<uint2*>(frame.row_starts)[lane] =
      make_uint2(twice + (second << 16), twice + (third | fourth << 16));
}

/// Puts the entries of a row in order of residue and rank, and marks what is nobody's partner. One
/// thread: rows have two entries on average.
__device__ inline void order_row(BucketFrame& frame, std::uint32_t row) {
  const std::uint32_t first = frame.row_starts[row];
  const std::uint32_t end = frame.row_starts[row + 1];
#pragma unroll 1
  for (std::uint32_t i = first + 1; i < end; ++i) {
    const std::uint32_t entry = frame.by_row[i];
    std::uint32_t at = i;
#pragma unroll 1
    for (; at > first && frame.by_row[at - 1] > entry; --at) {
      frame.by_row[at] = frame.by_row[at - 1];
    }
    frame.by_row[at] = entry;
  }
#pragma unroll 1
  for (std::uint32_t i = first + MatchRules::kPartners; i < end; ++i) {
    const std::uint32_t entry = frame.by_row[i];
    const std::uint32_t before = frame.by_row[i - MatchRules::kPartners];
    if (BucketFrame::residue_of(entry) == BucketFrame::residue_of(before)) {
      frame.by_row[i] = entry | BucketFrame::kNoPartner;
    }
  }
}

// GCC takes the place of a second entry for one that may not have been set.
#if defined(__GNUC__) && !defined(__CUDA_ARCH__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

/// Fills `frame` with the `size` entries of `bucket`, at most `kRounds` for each thread.
template <unsigned kThreads, unsigned kRounds, unsigned K, unsigned kTable>
__device__ void sort_bucket(std::uint32_t thread, const SourceTable<K, kTable>& source,
                            std::uint32_t bucket, std::uint32_t size, BucketFrame& frame,
                            BucketSortShared& s) {
  constexpr std::uint32_t kBinsPerPosition = static_cast<std::uint32_t>(
      (std::uint64_t{BucketSortShared::kBins} << 32) / SourceTable<K, kTable>::kPositions);
  const auto bin_of = [](const PackedEntry& entry) {
    return word_of_bin(__umulhi(position_of(entry), kBinsPerPosition));
  };
  // The first entry of a thread stays in registers, others are read again.
  const auto for_entries = [&](const auto& take) {
#pragma unroll
    for (unsigned i = 0; i < kRounds; ++i) {
      if (thread + i * kThreads < size) {
        take(i);
      }
    }
  };
  PackedEntry first;
  const auto entry = [&](unsigned i) {
    return i == 0 ? first : source.entry(bucket, opaque(thread) + i * kThreads);
  };
  std::uint32_t first_bin = 0;
  const auto bin_word = [&](unsigned i) -> std::uint32_t& {
    return s.counts.bins[i == 0 ? first_bin : bin_of(entry(i))];
  };
  std::uint32_t place[kRounds];
  for_entries([&](unsigned i) {
    if (i == 0) {
      first = source.entry(bucket, thread);
      first_bin = bin_of(first);
    }
    place[i] = atomicAdd(&bin_word(i), 1U);
  });
  __syncthreads();  // every entry is counted before the sizes of bins become places
  if (thread < 32) {
    scan_bins(thread, s);
  }
  __syncthreads();  // the places of all bins are known before entries look theirs up

  for_entries([&](unsigned i) {
    // NOLINTNEXTLINE(clang-analyzer-core.uninitialized.ArraySubscript): set above
    s.keys[(bin_word(i) & 0xFFFFU) + place[i]] = position_of(entry(i));
  });
  __syncthreads();  // all keys stand in their bins before they are compared

  constexpr std::uint32_t kNotKept = 0xFFFFFFFF;
  std::uint32_t placed[kRounds];
#pragma unroll
  for (std::uint32_t& word : placed) {
    word = kNotKept;
  }
  for_entries([&](unsigned i) {
    const PackedEntry mine = entry(i);
    const std::uint32_t key = position_of(mine);
    // NOLINTNEXTLINE(clang-analyzer-core.UndefinedBinaryOperatorResult): set above
    const std::uint32_t bin = bin_word(i);
    std::uint32_t rank = bin & 0xFFFFU;
    const std::uint32_t* other = &s.keys[rank];
    const std::uint32_t* const behind = other + (bin >> 16);
#pragma unroll 1
    do {
      multiply_add_if(*other < key, rank, rank, 1, 1);
    } while (++other != behind);
    if (rank < BucketFrame::kMost) {
      const std::uint32_t residue = residue_of(mine);
      frame.entries[rank].words =
          make_uint4(mine.words.x, mine.words.y, mine.words.z, thread + i * kThreads);
      placed[i] = residue << 16 | rank;
      const std::uint32_t row = row_of(residue);
      place[i] = atomicAdd(&s.counts.rows[row], 1U);
      const std::uint32_t bit = 1U << (residue % 32);
      if ((atomicOr(&s.counts.seen[residue / 32], bit) & bit) != 0) {
        atomicOr(&s.counts.has_equals[row / 32], 1U << (row % 32));
      }
    }
  });
  __syncthreads();  // every row is counted before the sizes of rows become places
  if (thread < 32) {
    scan_rows(thread, s, frame);
    if (thread == 0) {
      frame.size = size < BucketFrame::kMost ? size : BucketFrame::kMost;
    }
  }
  __syncthreads();  // the places of all rows are known before entries look theirs up
  for_entries([&](unsigned i) {
    if (placed[i] != kNotKept) {
      const std::uint32_t row = row_of(BucketFrame::residue_of(placed[i]));
      frame.by_row[frame.row_starts[row] + place[i]] = placed[i];
    }
  });
  __syncthreads();  // rows are full before they are put in order
  if (thread < BucketFrame::kRows &&
      (s.counts.has_equals[thread / 32] >> (thread % 32) & 1U) != 0) {
    order_row(frame, thread);
  }
}

/// Fills `frame` with `bucket`. All threads of the block call it, with cleared counts; the frame may
/// be read after the next barrier, and nothing else of it before.
template <unsigned kThreads, unsigned K, unsigned kTable>
__device__ void load_bucket(std::uint32_t thread, const SourceTable<K, kTable>& source,
                            std::uint32_t bucket, BucketFrame& frame, BucketSortShared& s) {
  static_assert(kSlotsPerBucket <= 2 * kThreads);
  const std::uint32_t size = source.bucket_size(bucket);
  if (size <= kThreads) {
    sort_bucket<kThreads, 1>(thread, source, bucket, size, frame, s);
  } else {
    // One bucket of ten.
    sort_bucket<kThreads, 2>(thread, source, bucket, size, frame, s);
  }
}

#if defined(__GNUC__) && !defined(__CUDA_ARCH__)
#pragma GCC diagnostic pop
#endif

}  // namespace furrow::cuda
