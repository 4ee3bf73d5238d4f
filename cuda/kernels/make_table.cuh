// SPDX-License-Identifier: Apache-2.0
// Tables 2 to 7: match, hash and file, fused (docs/spec/02-proof-of-space.md, sections 4 to 7).
//
// A block works through kPairsPerBlock neighbouring pairs of buckets, so that a bucket that was the
// right one of a pair stays in shared memory as the left one of the next. For each pair: sort the
// right bucket by position, find the matches, then one thread takes one match: it hashes it and
// files the new entry in its bucket (tables 2 to 6) or offers it to its s-bucket (table 7). Grid: x
// = run of pairs, y = record.
//
// Order: a match's index within its pair follows specification order exactly (find_matches.cuh), so
// the position it gives the new entry is the same whatever the schedule. Arrival in buckets is by
// atomics and means nothing, because readers sort by position. An s-bucket takes the smallest
// position by an atomic minimum.
#pragma once

#include "furrow/core/blake3.hpp"
#include "furrow/core/params.hpp"

#include "cuda/arch/opaque.cuh"
#include "cuda/arch/threads_per_sm.hpp"
#include "cuda/kernels/bucket_frame.cuh"
#include "cuda/kernels/find_matches.cuh"

namespace furrow::cuda {

struct MakeTableShape {
  /// One thread for each match that a pair can have, and one for each bit of a right bucket.
  static constexpr unsigned kThreads = MatchRules::kMatches;
  static constexpr std::uint32_t kPairsPerBlock = 8;
};

/// What limits the blocks of a multiprocessor of the architecture being compiled for.
struct MakeTableTuning {
  /// Four blocks leave 56 registers to a thread. The search and the hash just fit; five would leave
  /// 40 and spill.
  static constexpr unsigned kMostBlocks = 4;
  /// Three are the most that 1024 threads of compute capability 7.5 allow.
  static constexpr unsigned kBlocksPerSm = kThreadsPerSm / MakeTableShape::kThreads < kMostBlocks
                                               ? kThreadsPerSm / MakeTableShape::kThreads
                                               : kMostBlocks;
  /// Shared memory of a multiprocessor: 64 KiB for 7.5; 100 KiB, of which each block takes 1 KiB
  /// more than it asks for, for 8.6, 8.9 and 12.0; others have more.
  static constexpr std::size_t kSharedBytes = kBlocksPerSm == 3 ? 64 * 1024 : 96 * 1024;
};

struct MakeTableShared {
  BucketFrame frames[2];
  MatchShared match;
};
static_assert(MakeTableTuning::kBlocksPerSm * sizeof(MakeTableShared) <=
                  MakeTableTuning::kSharedBytes,
              "registers, threads and shared memory allow the same number of blocks");

/// Files the entry of `kTable` that a match makes, or offers it to its s-bucket.
template <unsigned K, unsigned kTable>
__device__ void file_match(const ProofTablesRef<K>& tables, std::uint32_t pair, std::uint32_t index,
                           const BucketFrame& left, std::uint32_t left_rank,
                           const BucketFrame& right, std::uint32_t right_rank) {
  namespace pos = core::pos;
  const PackedEntry left_entry = left.entry(left_rank);
  constexpr unsigned kMetadataBits = pos::metadata_bits<K>(kTable - 1);
  const uint128 left_metadata = metadata_of<kMetadataBits>(left_entry);
  const uint128 right_metadata = metadata_of<kMetadataBits>(right.entry(right_rank));
  std::uint32_t message[16] = {};
  pos::table_function_message<K>(kTable, pair * pos::kParamBC + residue_of(left_entry),
                                 left_metadata, right_metadata, message);
  std::uint32_t hash[8];
  core::blake3::hash_single_block(message, pos::table_function_input_bytes<K>(kTable), hash);

  const std::uint32_t y = pos::y_from_hash<K>(hash[0]);
  const std::uint32_t position = (pair << kMatchIndexBits) | index;
  const std::uint32_t left_slot = left.slots[left_rank];
  const std::uint32_t right_slot = right.slots[right_rank];
  if constexpr (kTable == pos::kNumTables) {
    const std::uint32_t s_bucket = y >> pos::kParamExt;
    if (s_bucket < kNumSBuckets) {
      atomicMin(tables.targets() + s_bucket, pack_target(position, left_slot, right_slot));
    }
  } else {
    const std::uint32_t bucket = pos::bucket_of(y);
    const std::uint32_t slot = claim_slot(tables.bucket_sizes(kTable) + bucket, tables.counters());
    if (slot < kSlotsPerBucket) {
      const std::uint32_t at = bucket * kSlotsPerBucket + slot;
      const PackedEntry made =
          pack_entry(position, y - bucket * pos::kParamBC,
                     pos::table_function_metadata<K>(kTable, left_metadata, right_metadata, hash));
      if constexpr (has_short_entries(kTable)) {
        tables.short_entries(kTable)[at] = shorten(made);
      } else {
        tables.entries(kTable)[at] = made;
      }
      tables.links(kTable)[at] = pack_link({pair, left_slot, right_slot});
    }
  }
}

template <unsigned K, unsigned kTable>
__global__ void __launch_bounds__(MakeTableShape::kThreads, MakeTableTuning::kBlocksPerSm)
    make_table(ProofTablesBatch<K> batch) {
  THREADS_AT_MOST(MakeTableShape::kThreads);
  constexpr unsigned kThreads = MakeTableShape::kThreads;
  constexpr std::uint32_t kPairs = MakeTableShape::kPairsPerBlock;
  SHARED(MakeTableShared, s);
  // What follows from these is the same in each turn of the loop, but the search has no registers
  // left to keep it in.
  const auto tables = [&] { return batch.record(opaque(blockIdx.y)); };
  const auto source = [&] { return SourceTable<K, kTable>{tables()}; };
  const auto is_last = [&](std::uint32_t pair) {
    return pair % kPairs == kPairs - 1 || pair == ProofTablesRef<K>::kNumPairs - 1;
  };

  std::uint32_t pair = blockIdx.x * kPairs;
  clear_counts<kThreads>(opaque(threadIdx.x), s.match.sort);
  __syncthreads();  // counts are cleared before entries are counted
  load_bucket<kThreads>(opaque(threadIdx.x), source(), pair, s.frames[pair % 2], s.match.sort);
  __syncthreads();  // the frame is complete; nobody needs the counts any more
  clear_counts<kThreads>(opaque(threadIdx.x), s.match.sort);
  while (true) {
    const std::uint32_t thread = opaque(threadIdx.x);
    const BucketFrame& left = s.frames[pair % 2];
    BucketFrame& right = s.frames[(pair + 1) % 2];
    __syncthreads();  // counts are cleared before entries are counted
    load_bucket<kThreads>(thread, source(), pair + 1, right, s.match.sort);
    __syncthreads();  // both frames are complete
    const std::uint32_t n_matches = find_matches<kThreads>(thread, pair % 2, left, right, s.match);
    if (thread < n_matches) {
      const MatchedRanks ranks = match_of(thread, right, s.match);
      file_match<K, kTable>(tables(), pair, thread, left, ranks.left, right, ranks.right);
    }
    if (thread == 0) {
      atomicAdd(&tables().counters()->matches[kTable], n_matches);
    }
    if (is_last(pair)) {
      break;
    }
    ++pair;
  }
}

}  // namespace furrow::cuda
