// SPDX-License-Identifier: Apache-2.0
// Table 1: ChaCha8 keystream, y of each x, and filing by bucket
// (docs/spec/02-proof-of-space.md, sections 3 and 4).
//
// One block makes kTile neighbouring values of x, for which it needs exactly K * kTile / 512 whole
// blocks of keystream: first a thread makes one block of keystream, then a thread cuts out the K
// bits of one x at a time. Grid: x = tile, y = record.
//
// Order: slots are given in order of arrival; readers sort a bucket by x, which every entry
// carries.
#pragma once

#include "furrow/core/chacha8.hpp"

#include "cuda/kernels/proof_tables.cuh"

namespace furrow::cuda {

struct FillTable1Shape {
  static constexpr unsigned kThreads = 128;
  static constexpr std::uint32_t kTile = 2048;
};

/// Keystream of a tile, bytes in stream order: each word is big-endian. One more word, so that the
/// last x can be read as part of 64 bits.
template <unsigned K>
struct FillTable1Shared {
  static constexpr std::uint32_t kWords = FillTable1Shape::kTile / 32 * K;
  std::uint32_t keystream[kWords + 1];
};

template <unsigned K>
__global__ void __launch_bounds__(FillTable1Shape::kThreads)
    fill_table1(const std::uint32_t* seeds, ProofTablesBatch<K> batch) {
  THREADS_AT_MOST(FillTable1Shape::kThreads);
  constexpr std::uint32_t kTile = FillTable1Shape::kTile;
  constexpr std::uint32_t kStreamBlocks = FillTable1Shared<K>::kWords / 16;
  static_assert(core::pos::Params<K>::kTable1Entries % kTile == 0);
  SHARED(FillTable1Shared<K>, s);
  const ProofTablesRef<K> tables = batch.record(blockIdx.y);
  const std::uint32_t* seed = seeds + 8 * blockIdx.y;

  for (std::uint32_t i = threadIdx.x; i < kStreamBlocks; i += blockDim.x) {
    std::uint32_t words[16];
    core::chacha8::keystream_block(seed, blockIdx.x * kStreamBlocks + i, words);
#pragma unroll
    for (unsigned w = 0; w < 16; ++w) {
      s.keystream[16 * i + w] = core::swap_bytes(words[w]);
    }
  }
  if (threadIdx.x == 0) {
    s.keystream[FillTable1Shared<K>::kWords] = 0;
  }
  __syncthreads();  // the keystream of the tile is complete before anyone cuts bits out of it

  for (std::uint32_t i = threadIdx.x; i < kTile; i += blockDim.x) {
    const std::uint32_t bit = i * K;
    const std::uint32_t bits =
        __funnelshift_l(s.keystream[bit / 32 + 1], s.keystream[bit / 32], bit % 32) >> (32 - K);
    const std::uint32_t x = blockIdx.x * kTile + i;
    const std::uint32_t y = core::pos::table1_y<K>(bits, x);
    const std::uint32_t bucket = core::pos::bucket_of(y);
    file_in_bucket(tables.bucket_sizes(1) + bucket, tables.counters(), [&](std::uint32_t slot) {
      tables.table1()[bucket * kSlotsPerBucket + slot] =
          pack_table1<K>(y - bucket * core::pos::kParamBC, x);
    });
  }
}

}  // namespace furrow::cuda
