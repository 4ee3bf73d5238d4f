// SPDX-License-Identifier: Apache-2.0
// Masks of the chosen s-buckets and the encoded chunks: proofs are walked back, hashed and XORed at
// once, and never leave the block (docs/spec/02-proof-of-space.md, section 8;
// docs/spec/03-record-encoding-and-sector.md, section 2).
//
// A block makes kProofs neighbouring encoded chunks. A warp walks one proof at a time, a lane the
// two leaves 2 l and 2 l + 1: bit 4 of the lane chooses a side in table 7, bits 3 to 0 in tables 6
// to 3, and table 2 gives both leaves. Lanes with the same way up read the same words, so a step
// costs as many transactions as it has different links. Then one thread takes one proof, hashes its
// 8 K bytes and masks one chunk. Grid: x = run of proofs, y = record.
//
//   xs[leaf][proof], rows one word longer than there are proofs, against bank conflicts
#pragma once

#include "furrow/core/blake3.hpp"
#include "furrow/core/params.hpp"

#include "cuda/kernels/proof_tables.cuh"
#include "cuda/record_status.hpp"

namespace furrow::cuda {

struct EncodeChunksShape {
  static constexpr unsigned kThreads = 128;
  static constexpr std::uint32_t kProofs = 32;
};

struct EncodeChunksShared {
  std::uint32_t xs[core::pos::kProofEntries][EncodeChunksShape::kProofs + 1];
};

/// Index of the parent of an entry on one side, in the table before.
__device__ inline std::uint32_t parent_index(const Link& link, std::uint32_t side) {
  return (link.pair + side) * kSlotsPerBucket + (side != 0 ? link.right_slot : link.left_slot);
}

/// Values of x of leaves 2 * lane and 2 * lane + 1 of the proof of a target.
template <unsigned K>
__device__ void walk_proof(const ProofTablesRef<K>& tables, unsigned long long target,
                           std::uint32_t lane, std::uint32_t& x_left, std::uint32_t& x_right) {
  std::uint32_t index = parent_index(unpack_target(target), (lane >> 4) & 1U);
#pragma unroll
  for (unsigned table = 6; table >= 3; --table) {
    index = parent_index(unpack_link(tables.links(table)[index]), (lane >> (table - 3)) & 1U);
  }
  const Link leaves = unpack_link(tables.links(2)[index]);
  x_left = table1_x<K>(leaves.pair, tables.table1()[parent_index(leaves, 0)]);
  x_right = table1_x<K>(leaves.pair + 1, tables.table1()[parent_index(leaves, 1)]);
}

/// Hash of a proof: 64 values of x of K bits each, as one big-endian string of bits. `x(i)` gives
/// value i.
template <unsigned K, class X>
__device__ void hash_proof(const X& x, std::uint32_t* hash) {
  constexpr std::uint32_t kWords = 2 * K;
  constexpr std::uint32_t kBlocks = (kWords + 15) / 16;
  std::uint32_t chaining_value[8];
#pragma unroll
  for (unsigned i = 0; i < 8; ++i) {
    chaining_value[i] = core::blake3::iv(i);
  }
#pragma unroll
  for (std::uint32_t block = 0; block < kBlocks; ++block) {
    std::uint32_t message[16] = {};
#pragma unroll
    for (std::uint32_t i = 0; i < 16; ++i) {
      const std::uint32_t word = 16 * block + i;
      if (word < kWords) {
        // The values that word's 32 bits meet, shifted to where they lie in them.
        std::uint32_t bits = 0;
#pragma unroll
        for (std::uint32_t v = 32 * word / K; v <= (32 * word + 31) / K; ++v) {
          const int shift = static_cast<int>(32 * word + 32) - static_cast<int>((v + 1) * K);
          bits |= shift >= 0 ? x(v) << shift : x(v) >> -shift;
        }
        message[i] = core::swap_bytes(bits);
      }
    }
    const std::uint32_t length = block + 1 < kBlocks ? 64 : 4 * (kWords - 16 * block);
    const std::uint32_t flags =
        (block == 0 ? core::blake3::kChunkStart : 0) |
        (block + 1 == kBlocks ? core::blake3::kChunkEnd | core::blake3::kRoot : 0);
    std::uint32_t out[16];
    core::blake3::compress(chaining_value, message, 0, length, flags, out);
#pragma unroll
    for (unsigned i = 0; i < 8; ++i) {
      chaining_value[i] = out[i];
    }
  }
#pragma unroll
  for (unsigned i = 0; i < 8; ++i) {
    hash[i] = chaining_value[i];
  }
}

__host__ __device__ inline uint4 exclusive_or(const uint4& a, const std::uint32_t* b) {
  return {a.x ^ b[0], a.y ^ b[1], a.z ^ b[2], a.w ^ b[3]};
}

/// `used`: [n][32768] s-buckets; `status`: [n]; `source`, `parity`, `encoded`: [n][32768] chunks of
/// two uint4. A record without 32768 proofs, or with overflows, is left alone.
template <unsigned K>
__global__ void __launch_bounds__(EncodeChunksShape::kThreads)
    encode_chunks(ProofTablesBatch<K> batch, const std::uint16_t* used, const RecordStatus* status,
                  const uint4* source, const uint4* parity, uint4* encoded) {
  THREADS_AT_MOST(EncodeChunksShape::kThreads);
  constexpr std::uint32_t kProofs = EncodeChunksShape::kProofs;
  SHARED(EncodeChunksShared, s);
  const std::uint32_t record = blockIdx.y;
  const RecordStatus state = status[record];
  if (state.n_proofs < kNumChunks || state.n_overflows != 0) {
    return;  // the whole block: links may lead nowhere
  }
  const ProofTablesRef<K> tables = batch.record(record);
  const std::uint16_t* used_here = used + record * kNumChunks + blockIdx.x * kProofs;
  const std::uint32_t lane = threadIdx.x % 32;

#pragma unroll 4
  for (std::uint32_t proof = threadIdx.x / 32; proof < kProofs;
       proof += EncodeChunksShape::kThreads / 32) {
    std::uint32_t x_left = 0;
    std::uint32_t x_right = 0;
    walk_proof<K>(tables, tables.targets()[used_here[proof]], lane, x_left, x_right);
    s.xs[2 * lane][proof] = x_left;
    s.xs[2 * lane + 1][proof] = x_right;
  }
  __syncthreads();  // all leaves of all proofs are there before they are hashed

  if (threadIdx.x < kProofs) {
    std::uint32_t mask[8];
    hash_proof<K>([&](std::uint32_t i) { return s.xs[i][threadIdx.x]; }, mask);
    const std::uint32_t s_bucket = used_here[threadIdx.x];
    const uint4* chunk = s_bucket < kNumChunks
                             ? source + (record * kNumChunks + s_bucket) * 2
                             : parity + (record * kNumChunks + s_bucket - kNumChunks) * 2;
    uint4* out = encoded + (record * kNumChunks + blockIdx.x * kProofs + threadIdx.x) * 2;
    out[0] = exclusive_or(chunk[0], mask);
    out[1] = exclusive_or(chunk[1], mask + 4);
  }
}

}  // namespace furrow::cuda
