// SPDX-License-Identifier: Apache-2.0
// Which s-buckets have a proof, the first 32768 of them: bitmap, list and count
// (docs/spec/02-proof-of-space.md, section 8).
//
// One block for a record (grid x = record). Warp w looks at the s-buckets from 2048 w on, 32 at a
// time, and lane l keeps the votes 2 l and 2 l + 1, so that in thread order every thread holds the
// next 64 s-buckets; a prefix sum over their numbers of bits gives each proof its number.
#pragma once

#include "furrow/core/params.hpp"

#include "cuda/block_scan.cuh"
#include "cuda/kernels/proof_tables.cuh"
#include "cuda/record_status.hpp"

namespace furrow::cuda {

struct ChooseProofsShape {
  static constexpr unsigned kThreads = 1024;
};

struct ChooseProofsShared {
  BlockScan<ChooseProofsShape::kThreads>::TempStorage scan;
};

/// The lowest `n` set bits of `word`.
__host__ __device__ inline std::uint32_t lowest_bits_of(std::uint32_t word, std::uint32_t n) {
  std::uint32_t result = 0;
  for (; n > 0 && word != 0; --n, word &= word - 1) {
    result |= word & (~word + 1);
  }
  return result;
}

/// `found`: [n][2048] words, the bitmaps; `used`: [n][32768] the s-buckets with a bit, ascending,
/// undefined from the number of proofs on; `status`: [n].
template <unsigned K>
__global__ void __launch_bounds__(ChooseProofsShape::kThreads)
    choose_proofs(ProofTablesBatch<K> batch, std::uint32_t* found, std::uint16_t* used,
                  RecordStatus* status) {
  THREADS_AT_MOST(ChooseProofsShape::kThreads);
  constexpr unsigned kThreads = ChooseProofsShape::kThreads;
  constexpr std::uint32_t kMost = kNumChunks;
  static_assert(kThreads * 64 == kNumSBuckets);
  SHARED(ChooseProofsShared, s);
  const std::uint32_t record = blockIdx.x;
  const ProofTablesRef<K> tables = batch.record(record);
  const std::uint32_t lane = threadIdx.x % 32;
  const std::uint32_t first = threadIdx.x / 32 * 2048;

  std::uint32_t words[2] = {};
#pragma unroll 4
  for (std::uint32_t i = 0; i < 64; ++i) {
    const std::uint32_t vote =
        __ballot_sync(0xFFFFFFFFU, tables.targets()[first + 32 * i + lane] != kNoTarget);
    if (lane == i / 2) {
      words[i % 2] = vote;
    }
  }

  const auto n_here = static_cast<std::uint32_t>(__popc(words[0]) + __popc(words[1]));
  std::uint32_t before = 0;
  std::uint32_t total = 0;
  BlockScan<kThreads>(s.scan).exclusive_sum(n_here, before, total);

  std::uint32_t place = __shfl_sync(0xFFFFFFFFU, before, 0);
#pragma unroll
  for (std::uint32_t i = 0; i < 2; ++i) {
    const auto n = static_cast<std::uint32_t>(__popc(words[i]));
    if (before + n > kMost) {
      words[i] = lowest_bits_of(words[i], before < kMost ? kMost - before : 0);
    }
    found[record * (kNumSBuckets / 32) + 2 * threadIdx.x + i] = words[i];
    before += n;
  }
  // One lane for each bit of a word, so that neighbours write side by side.
#pragma unroll 2
  for (std::uint32_t i = 0; i < 64; ++i) {
    const std::uint32_t word = __shfl_sync(0xFFFFFFFFU, words[i % 2], static_cast<int>(i / 2));
    const std::uint32_t mine = 1U << lane;
    if ((word & mine) != 0) {
      used[record * kMost + place + static_cast<std::uint32_t>(__popc(word & (mine - 1)))] =
          static_cast<std::uint16_t>(first + 32 * i + lane);
    }
    place += static_cast<std::uint32_t>(__popc(word));
  }
  if (threadIdx.x == 0) {
    status[record] = {total < kMost ? total : kMost, tables.counters()->overflows};
  }
}

}  // namespace furrow::cuda
