// SPDX-License-Identifier: Apache-2.0
// Chunks of encoded records to their places in a sector
// (docs/spec/03-record-encoding-and-sector.md, section 4).
//
// One warp = one column (32 s-buckets) of one group (32 records), see sector_counts.cuh; lane r
// moves the chunks of record r, one s-bucket after the other. The key of the order is (s-bucket,
// record): a place follows from counts alone. What a warp reads is 32 runs of about 16 chunks, and
// what it writes likewise, so nearly all of each cache line is used.
#pragma once

#include "cuda/kernels/sector_counts.cuh"

namespace furrow::cuda {

struct SectorLayoutView {
  const std::uint32_t* bitmaps;  // [n_records][2048]
  const std::uint16_t* earlier;  // [groups][65536]
  const std::uint32_t* offsets;  // [65537]
  const std::uint16_t* before;   // [n_records][2048]
  const uint4* records;          // [n_records][32768][2]
  uint4* chunks;                 // [n_records * 32768][2], the chunks region of the sector
  std::uint32_t n_records;
};

/// Places all chunks. Blocks of whole warps, any number of them; y strides over groups.
template <class Shape = SectorShape>
__global__ void __launch_bounds__(Shape::kThreads) place_chunks(SectorLayoutView view) {
  THREADS_AT_MOST(Shape::kThreads);
  const std::uint32_t lane = threadIdx.x % 32;
  const std::uint32_t lanes_below = (1U << lane) - 1;
  const std::uint32_t n_warps = gridDim.x * blockDim.x / 32;
  const std::uint32_t n_groups = (view.n_records + SectorShape::kGroup - 1) / SectorShape::kGroup;
  for (std::uint32_t group = blockIdx.y; group < n_groups; group += gridDim.y) {
    const std::uint32_t record = group * SectorShape::kGroup + lane;
    for (std::uint32_t column = (blockIdx.x * blockDim.x + threadIdx.x) / 32;
         column < SectorShape::kColumns; column += n_warps) {
      const std::uint32_t s_bucket = 32 * column + lane;
      const std::uint32_t group_place =
          view.offsets[s_bucket] + view.earlier[std::size_t{group} * kNumSBuckets + s_bucket];
      std::uint32_t word = 0;
      const uint4* next = nullptr;
      if (record < view.n_records) {
        const std::size_t at = std::size_t{record} * SectorShape::kColumns + column;
        word = view.bitmaps[at];
        next = view.records + 2 * (std::size_t{record} * kNumChunks + view.before[at]);
      }
#pragma unroll 4
      for (unsigned bit = 0; bit < 32; ++bit) {
        const bool is_used = ((word >> bit) & 1U) != 0;
        const std::uint32_t users = __ballot_sync(0xFFFFFFFFU, is_used);
        const std::uint32_t place = __shfl_sync(0xFFFFFFFFU, group_place, static_cast<int>(bit));
        if (is_used) {
          const std::uint32_t rank = static_cast<std::uint32_t>(__popc(users & lanes_below));
          uint4* const to = view.chunks + 2 * (std::size_t{place} + rank);
          to[0] = __ldg(next);
          to[1] = __ldg(next + 1);
          next += 2;
        }
      }
    }
  }
}

/// Zeros the part of the chunks region that no chunk was placed in; normally there is none.
/// Any launch shape will do.
template <class Shape = SectorShape>
__global__ void __launch_bounds__(Shape::kThreads) clear_unused_chunks(SectorLayoutView view) {
  THREADS_AT_MOST(Shape::kThreads);
  const std::uint64_t end = 2 * std::uint64_t{view.n_records} * kNumChunks;
  for (std::uint64_t i = 2 * std::uint64_t{view.offsets[kNumSBuckets]} +
                         std::uint64_t{blockIdx.x} * blockDim.x + threadIdx.x;
       i < end; i += std::uint64_t{gridDim.x} * blockDim.x) {
    view.chunks[i] = make_uint4(0, 0, 0, 0);
  }
}

}  // namespace furrow::cuda
