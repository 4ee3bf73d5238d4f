// SPDX-License-Identifier: Apache-2.0
// What the place of a chunk in a sector depends on, from the bitmaps of its records
// (docs/spec/03-record-encoding-and-sector.md, section 3.2).
//
// A bitmap is 2048 words of 32 s-buckets; a column is the same word of all records. Records are
// taken 32 at a time, a group, because words of a column are then a matrix that a warp can turn
// round:
//
//              column 0          column 1        ...  column 2047
//   record  0  s-buckets 0..31   32..63
//      ...                                                          group 0
//   record 31
//   record 32
//      ...                                                          group 1
//
// All sums are over whole numbers in a fixed order; nothing depends on the schedule.
#pragma once

#include "furrow/core/params.hpp"

#include "cuda/block_scan.cuh"
#include "cuda/kernels/transpose_bits.cuh"
#include "cuda/simt.cuh"

namespace furrow::cuda {

struct SectorShape {
  static constexpr unsigned kColumns = static_cast<unsigned>(kNumSBuckets / 32);
  static constexpr unsigned kGroup = 32;
  /// Neighbouring columns go to the warps of one block, so that a sector of 32 bytes is read once.
  static constexpr unsigned kThreads = 256;
  static constexpr unsigned kScanThreads = 1024;
  static constexpr unsigned kSizesPerThread = static_cast<unsigned>(kNumSBuckets) / kScanThreads;
  static constexpr unsigned kWordsPerThread = kColumns / kThreads;
};

struct SectorCountsView {
  const std::uint32_t* bitmaps;  // [n_records][2048]
  std::uint32_t n_records;
  std::uint16_t* earlier;  // [groups][65536]: records of earlier groups that use the s-bucket
  std::uint16_t* sizes;    // [65536]: all records that use it
};

/// One warp = one column, from the first record to the last; lane r reads record r of a group and
/// counts s-bucket r of the column. Any number of blocks of whole warps.
template <class Shape = SectorShape>
__global__ void __launch_bounds__(Shape::kThreads) count_s_buckets(SectorCountsView view) {
  THREADS_AT_MOST(Shape::kThreads);
  const std::uint32_t lane = threadIdx.x % 32;
  const std::uint32_t n_warps = gridDim.x * blockDim.x / 32;
  for (std::uint32_t column = (blockIdx.x * blockDim.x + threadIdx.x) / 32;
       column < SectorShape::kColumns; column += n_warps) {
    const std::uint32_t s_bucket = 32 * column + lane;
    std::uint32_t count = 0;
    for (std::uint32_t first = 0; first < view.n_records; first += SectorShape::kGroup) {
      const std::uint32_t record = first + lane;
      const std::uint32_t word =
          record < view.n_records
              ? view.bitmaps[std::size_t{record} * SectorShape::kColumns + column]
              : 0;
      view.earlier[std::size_t{first / SectorShape::kGroup} * kNumSBuckets + s_bucket] =
          static_cast<std::uint16_t>(count);
      count += static_cast<std::uint32_t>(__popc(transpose_bits(word)));
    }
    view.sizes[s_bucket] = static_cast<std::uint16_t>(count);
  }
}

/// `offset` of section 3.2 from the sizes, and behind it the number of all chunks. One block;
/// thread t sums the sizes 64 t to 64 t + 63.
template <class Shape = SectorShape>
__global__ void __launch_bounds__(Shape::kScanThreads)
    sum_s_buckets(const std::uint16_t* sizes, std::uint32_t* offsets) {
  THREADS_AT_MOST(Shape::kScanThreads);
  using Scan = BlockScan<Shape::kScanThreads>;
  SHARED(typename Scan::TempStorage, temp);
  const std::uint16_t* const mine = sizes + threadIdx.x * Shape::kSizesPerThread;
  std::uint32_t sum = 0;
  for (unsigned i = 0; i < Shape::kSizesPerThread; ++i) {
    sum += mine[i];
  }
  std::uint32_t offset = 0;
  std::uint32_t total = 0;
  Scan(temp).exclusive_sum(sum, offset, total);
  for (unsigned i = 0; i < Shape::kSizesPerThread; ++i) {
    offsets[threadIdx.x * Shape::kSizesPerThread + i] = offset;
    offset += mine[i];
  }
  if (threadIdx.x == 0) {
    offsets[kNumSBuckets] = total;
  }
}

/// Chunks that a record has before each of its columns: `before`, shape [n_records][2048]. One
/// block = one record at a time, blockDim.x = kThreads; thread t has the words 8 t to 8 t + 7.
template <class Shape = SectorShape>
__global__ void __launch_bounds__(Shape::kThreads)
    count_chunks_before(const std::uint32_t* bitmaps, std::uint32_t n_records,
                        std::uint16_t* before) {
  THREADS_AT_MOST(Shape::kThreads);
  using Scan = BlockScan<Shape::kThreads>;
  constexpr unsigned kWords = Shape::kWordsPerThread;
  SHARED(typename Scan::TempStorage, temp);
  for (std::uint32_t record = blockIdx.x; record < n_records; record += gridDim.x) {
    const std::size_t first =
        std::size_t{record} * SectorShape::kColumns + std::size_t{threadIdx.x} * kWords;
    std::uint32_t counts[kWords];
    std::uint32_t sum = 0;
#pragma unroll
    for (unsigned i = 0; i < kWords; ++i) {
      counts[i] = static_cast<std::uint32_t>(__popc(bitmaps[first + i]));
      sum += counts[i];
    }
    std::uint32_t chunk = 0;
    std::uint32_t total = 0;
    Scan(temp).exclusive_sum(sum, chunk, total);
#pragma unroll
    for (unsigned i = 0; i < kWords; ++i) {
      before[first + i] = static_cast<std::uint16_t>(chunk);
      chunk += counts[i];
    }
    __syncthreads();  // everybody is done with `temp` before the next record reuses it
  }
}

}  // namespace furrow::cuda
