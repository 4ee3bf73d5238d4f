// SPDX-License-Identifier: Apache-2.0
// Which s-buckets have a proof, the first 32768 of them: bitmap, list and count
// (docs/spec/02-proof-of-space.md, section 8).
//
// Two kernels, because a proof's number is how many come before it: the first makes a bit of each
// target, the second has a warp for 32 words of bits, which counts the bits of all words before its
// own. That is 8 KB at most, and less to wait for than one block that does all of it.
// Grids: x = run of s-buckets, y = record.
#pragma once

#include "furrow/core/params.hpp"

#include "cuda/kernels/proof_tables.cuh"
#include "cuda/kernels/warp_scan.cuh"
#include "cuda/record_status.hpp"

namespace furrow::cuda {

struct FindProofsShape {
  static constexpr unsigned kThreads = 256;
  static constexpr std::uint32_t kBlocks = kNumSBuckets / kThreads;
};

template <unsigned K>
__global__ void __launch_bounds__(FindProofsShape::kThreads)
    find_proofs(ProofTablesBatch<K> batch) {
  THREADS_AT_MOST(FindProofsShape::kThreads);
  const ProofTablesRef<K> tables = batch.record(blockIdx.y);
  const std::uint32_t s_bucket = blockIdx.x * FindProofsShape::kThreads + threadIdx.x;
  const std::uint32_t bits = __ballot_sync(0xFFFFFFFFU, tables.targets()[s_bucket] != kNoTarget);
  if (s_bucket % 32 == 0) {
    tables.has_proof()[s_bucket / 32] = bits;
  }
}

struct ChooseProofsShape {
  /// One warp.
  static constexpr unsigned kThreads = 32;
  static constexpr std::uint32_t kBlocks = kNumSBuckets / 32 / kThreads;
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
  constexpr std::uint32_t kMost = kNumChunks;
  const std::uint32_t record = blockIdx.y;
  const ProofTablesRef<K> tables = batch.record(record);
  const std::uint32_t lane = threadIdx.x;
  const auto count = [](std::uint32_t word) { return static_cast<std::uint32_t>(__popc(word)); };

  // Words before those of this warp, four at a time.
  const auto* const quads = reinterpret_cast<const uint4*>(tables.has_proof());
  std::uint32_t n_before = 0;
#pragma unroll 4
  for (std::uint32_t i = lane; i < blockIdx.x * 8; i += 32) {
    const uint4 quad = quads[i];
    n_before += count(quad.x) + count(quad.y) + count(quad.z) + count(quad.w);
  }
  std::uint32_t word = tables.has_proof()[32 * blockIdx.x + lane];
  const std::uint32_t n = count(word);
  const std::uint32_t before = warp_sum(n_before) + warp_exclusive_sum(lane, n);
  if (before + n > kMost) {
    word = lowest_bits_of(word, before < kMost ? kMost - before : 0);
  }
  found[record * (kNumSBuckets / 32) + 32 * blockIdx.x + lane] = word;

  // One lane for each bit of a word, so that neighbours write side by side.
#pragma unroll 4
  for (std::uint32_t i = 0; i < 32; ++i) {
    const std::uint32_t bits = __shfl_sync(0xFFFFFFFFU, word, static_cast<int>(i));
    const std::uint32_t place = __shfl_sync(0xFFFFFFFFU, before, static_cast<int>(i));
    const std::uint32_t mine = 1U << lane;
    if ((bits & mine) != 0) {
      used[record * kMost + place + count(bits & (mine - 1))] =
          static_cast<std::uint16_t>(32 * (32 * blockIdx.x + i) + lane);
    }
  }
  if (blockIdx.x == ChooseProofsShape::kBlocks - 1 && lane == 31) {
    const std::uint32_t total = before + n;
    status[record] = {total < kMost ? total : kMost, tables.counters()->overflows};
  }
}

}  // namespace furrow::cuda
