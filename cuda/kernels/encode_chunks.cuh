// SPDX-License-Identifier: Apache-2.0
// Masks of the chosen s-buckets and the encoded chunks: proofs are walked back, hashed and XORed at
// once, and never leave the block (docs/spec/02-proof-of-space.md, section 8;
// docs/spec/03-record-encoding-and-sector.md, section 2).
//
// A block makes kProofs neighbouring encoded chunks. A warp walks two proofs at a time, a lane four
// of the leaves of one: bit 3 of the lane chooses a side in table 7, bits 2 to 0 in tables 6 to 4,
// and an entry of table 3 has the four x that it is made of. Lanes with the same way up read the
// same words, so a step costs as many transactions as it has different entries. Then one thread
// takes one proof, hashes its 8 K bytes and masks one chunk. Grid: x = run of proofs, y = record.
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
  /// Lanes that walk one proof.
  static constexpr std::uint32_t kLanes = 16;
  static constexpr std::uint32_t kLeaves = core::pos::kProofEntries / kLanes;
};

struct EncodeChunksShared {
  std::uint32_t xs[core::pos::kProofEntries][EncodeChunksShape::kProofs + 1];
};

/// Index of the parent of an entry on one side, in the table before.
__device__ inline std::uint32_t parent_index(const Link& link, std::uint32_t side) {
  return (link.pair + side) * kSlotsPerBucket + (side != 0 ? link.right_slot : link.left_slot);
}

/// Metadata of the entry of table 3 that leaves 4 * lane to 4 * lane + 3 of the proof of a target
/// make: their x, of K bits each. `lane`: 0 to 15.
template <unsigned K>
__device__ uint128 walk_proof(const ProofTablesRef<K>& tables, unsigned long long target,
                              std::uint32_t lane) {
  std::uint32_t index = parent_index(unpack_target(target), (lane >> 3) & 1U);
#pragma unroll
  for (unsigned table = 6; table >= 5; --table) {
    index = parent_index(link_of(tables.entries(table)[index]), (lane >> (table - 4)) & 1U);
  }
  index = parent_index(unpack_link(tables.links()[index]), lane & 1U);
  return metadata_of<core::pos::metadata_bits<K>(3)>(tables.entries(3)[index]);
}

/// Leaf `i` of an entry of table 3, 0 to 3.
template <unsigned K>
__device__ std::uint32_t leaf_of(uint128 metadata, std::uint32_t i) {
  return static_cast<std::uint32_t>(metadata >> ((EncodeChunksShape::kLeaves - 1 - i) * K)) &
         ((1U << K) - 1);
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
  constexpr std::uint32_t kLanes = EncodeChunksShape::kLanes;
  constexpr std::uint32_t kLeaves = EncodeChunksShape::kLeaves;
  constexpr std::uint32_t kAtOnce = EncodeChunksShape::kThreads / kLanes;
  SHARED(EncodeChunksShared, s);
  const std::uint32_t record = blockIdx.y;
  const RecordStatus state = status[record];
  if (state.n_proofs < kNumChunks || state.n_overflows != 0) {
    return;  // the whole block: links may lead nowhere
  }
  const ProofTablesRef<K> tables = batch.record(record);
  const std::uint16_t* used_here = used + record * kNumChunks + blockIdx.x * kProofs;
  const std::uint32_t lane = threadIdx.x % kLanes;

#pragma unroll
  for (std::uint32_t first = 0; first < kProofs; first += kAtOnce) {
    const std::uint32_t proof = first + threadIdx.x / kLanes;
    const uint128 entry = walk_proof<K>(tables, tables.targets()[used_here[proof]], lane);
#pragma unroll
    for (std::uint32_t i = 0; i < kLeaves; ++i) {
      s.xs[kLeaves * lane + i][proof] = leaf_of<K>(entry, i);
    }
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
