// SPDX-License-Identifier: Apache-2.0
// A bucket in shared memory: the entries that count, in position order.
//
// Entries lie in their bucket in order of arrival. They are put in order by counting: 512 bins by
// the high bits of the position, a prefix sum over the bins, and a comparison with the few others
// of the same bin. A thread holds up to two entries in registers from reading to placing.
//
// Order: by position alone, which is what sections 4 and 9 of docs/spec/02-proof-of-space.md
// demand; the 272 smallest are kept.
#pragma once

#include "cuda/block_scan.cuh"
#include "cuda/kernels/proof_tables.cuh"

namespace furrow::cuda {

/// A residue as a place in the matrix of residues (find_matches.cuh).
struct alignas(8) Cell {
  std::uint32_t row_bytes;  ///< 4 * (residue / 127): offset of the row in a group of columns
  std::uint32_t column;     ///< residue % 127
};

struct BucketFrame {
  /// Whole warps of ranks; cells from `size` on are (0, 0).
  static constexpr std::uint32_t kCells = (core::pos::kReducedBucketSize + 31) / 32 * 32;

  PackedEntry entries[core::pos::kReducedBucketSize];
  Cell cells[kCells];
  /// Where each entry lies in its bucket, for links.
  std::uint16_t slots[core::pos::kReducedBucketSize];
  std::uint32_t size;
};

template <unsigned kThreads>
struct BucketSortShared {
  static constexpr std::uint32_t kBins = 512;
  static constexpr std::uint32_t kBinsPerThread = (kBins + kThreads - 1) / kThreads;
  /// Entries of a bin, then the place of its first one; the last is the end of the last bin.
  std::uint32_t bins[kBins + 1];
  std::uint32_t keys[kSlotsPerBucket];
};

/// Reads entries of `kTable` - 1, from which `kTable` is made.
template <unsigned K, unsigned kTable>
struct SourceTable {
  ProofTablesRef<K> tables;

  /// Bits of the key that entries are sorted by.
  static constexpr unsigned kKeyBits =
      kTable == 2 ? K : kMatchIndexBits + 32 - __builtin_clz(ProofTablesRef<K>::kNumPairs - 1);

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
    } else if constexpr (has_short_entries(kTable - 1)) {
      return lengthen(tables.short_entries(kTable - 1)[index], tables.links(kTable - 1)[index]);
    } else {
      return tables.entries(kTable - 1)[index];
    }
  }
};

/// Fills `frame` with `bucket`. All threads of the block call it; the frame may be read after the
/// next barrier.
template <unsigned kThreads, unsigned K, unsigned kTable>
__device__ void load_bucket(const SourceTable<K, kTable>& source, std::uint32_t bucket,
                            BucketFrame& frame, BucketSortShared<kThreads>& s,
                            typename BlockScan<kThreads>::TempStorage& scan) {
  using Shared = BucketSortShared<kThreads>;
  constexpr std::uint32_t kEntriesPerThread = (kSlotsPerBucket + kThreads - 1) / kThreads;
  constexpr unsigned kBinShift =
      SourceTable<K, kTable>::kKeyBits > 9 ? SourceTable<K, kTable>::kKeyBits - 9 : 0;
  constexpr std::uint32_t kKept = core::pos::kReducedBucketSize;
  const std::uint32_t size = source.bucket_size(bucket);

  for (std::uint32_t bin = threadIdx.x; bin < Shared::kBins; bin += kThreads) {
    s.bins[bin] = 0;
  }
  __syncthreads();  // all bins are empty before entries are counted

  PackedEntry mine[kEntriesPerThread];
  std::uint32_t place[kEntriesPerThread];
#pragma unroll
  for (std::uint32_t i = 0; i < kEntriesPerThread; ++i) {
    const std::uint32_t slot = threadIdx.x + i * kThreads;
    if (slot < size) {
      mine[i] = source.entry(bucket, slot);
      place[i] = atomicAdd(&s.bins[position_of(mine[i]) >> kBinShift], 1U);
    }
  }
  __syncthreads();  // every entry is counted before the sizes of bins become places

  std::uint32_t sizes[Shared::kBinsPerThread];
  std::uint32_t starts[Shared::kBinsPerThread];
  std::uint32_t total = 0;
#pragma unroll
  for (std::uint32_t i = 0; i < Shared::kBinsPerThread; ++i) {
    const std::uint32_t bin = threadIdx.x * Shared::kBinsPerThread + i;
    sizes[i] = bin < Shared::kBins ? s.bins[bin] : 0;
  }
  BlockScan<kThreads>(scan).exclusive_sum(sizes, starts, total);
#pragma unroll
  for (std::uint32_t i = 0; i < Shared::kBinsPerThread; ++i) {
    const std::uint32_t bin = threadIdx.x * Shared::kBinsPerThread + i;
    if (bin <= Shared::kBins) {
      s.bins[bin] = starts[i];
    }
  }
  __syncthreads();  // the places of all bins are known before entries look theirs up

#pragma unroll
  for (std::uint32_t i = 0; i < kEntriesPerThread; ++i) {
    if (threadIdx.x + i * kThreads < size) {
      const std::uint32_t key = position_of(mine[i]);
      // NOLINTNEXTLINE(clang-analyzer-core.UndefinedBinaryOperatorResult): set above
      s.keys[s.bins[key >> kBinShift] + place[i]] = key;
    }
  }
  __syncthreads();  // all keys stand in their bins before they are compared

#pragma unroll
  for (std::uint32_t i = 0; i < kEntriesPerThread; ++i) {
    const std::uint32_t slot = threadIdx.x + i * kThreads;
    if (slot < size) {
      const std::uint32_t key = position_of(mine[i]);
      const std::uint32_t bin = key >> kBinShift;
      std::uint32_t rank = s.bins[bin];
#pragma unroll 1
      for (std::uint32_t other = s.bins[bin]; other < s.bins[bin + 1]; ++other) {
        rank += s.keys[other] < key ? 1U : 0U;
      }
      if (rank < kKept) {
        const std::uint32_t residue = residue_of(mine[i]);
        frame.entries[rank] = mine[i];
        frame.slots[rank] = static_cast<std::uint16_t>(slot);
        frame.cells[rank] = {residue / core::pos::kParamC * 4, residue % core::pos::kParamC};
      }
    }
  }
  const std::uint32_t kept = size < kKept ? size : kKept;
  for (std::uint32_t rank = kept + threadIdx.x; rank < BucketFrame::kCells; rank += kThreads) {
    frame.cells[rank] = {0, 0};
  }
  if (threadIdx.x == 0) {
    frame.size = kept;
  }
}

}  // namespace furrow::cuda
