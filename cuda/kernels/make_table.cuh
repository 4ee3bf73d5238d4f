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

#include "cuda/arch/threads_per_sm.hpp"
#include "cuda/kernels/bucket_frame.cuh"
#include "cuda/kernels/find_matches.cuh"

namespace furrow::cuda {

struct MakeTableShape {
  /// One thread for each match that a pair can have.
  static constexpr unsigned kThreads = core::pos::kReducedMatchesCount;
  /// Four blocks leave 56 registers to a thread, which is enough; a bound that the architecture
  /// cannot hold is an error of the assembler.
  static constexpr unsigned kBlocksPerSm =
      kThreadsPerSm / kThreads < 4 ? kThreadsPerSm / kThreads : 4;
  static constexpr std::uint32_t kPairsPerBlock = 8;
};

struct MakeTableShared {
  BucketFrame frames[2];
  BucketSortShared<MakeTableShape::kThreads> sort;
  MatchShared match;
  BlockScan<MakeTableShape::kThreads>::TempStorage scan;
};
static_assert(sizeof(MakeTableShared) <= 32 * 1024,
              "two blocks fit the 64 KiB of compute capability 7.5");

/// Files the entry of `kTable` that a match makes, or offers it to its s-bucket.
template <unsigned K, unsigned kTable>
__device__ void file_match(const ProofTablesRef<K>& tables, std::uint32_t pair, std::uint32_t index,
                           const BucketFrame& left, std::uint32_t left_rank,
                           const BucketFrame& right, std::uint32_t right_rank) {
  namespace pos = core::pos;
  const PackedEntry left_entry = left.entries[left_rank];
  constexpr unsigned kMetadataBits = pos::metadata_bits<K>(kTable - 1);
  const uint128 left_metadata = metadata_of<kMetadataBits>(left_entry);
  const uint128 right_metadata = metadata_of<kMetadataBits>(right.entries[right_rank]);
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
__global__ void __launch_bounds__(MakeTableShape::kThreads, MakeTableShape::kBlocksPerSm)
    make_table(ProofTablesBatch<K> batch) {
  THREADS_AT_MOST(MakeTableShape::kThreads);
  constexpr unsigned kThreads = MakeTableShape::kThreads;
  SHARED(MakeTableShared, s);
  const ProofTablesRef<K> tables = batch.record(blockIdx.y);
  const SourceTable<K, kTable> source{tables};
  const std::uint32_t first_pair = blockIdx.x * MakeTableShape::kPairsPerBlock;
  const std::uint32_t run_end = first_pair + MakeTableShape::kPairsPerBlock;
  const std::uint32_t end =
      run_end < ProofTablesRef<K>::kNumPairs ? run_end : ProofTablesRef<K>::kNumPairs;

  std::uint32_t n_made = 0;
  load_bucket<kThreads>(source, first_pair, s.frames[first_pair % 2], s.sort, s.scan);
  for (std::uint32_t pair = first_pair; pair < end; ++pair) {
    const BucketFrame& left = s.frames[pair % 2];
    BucketFrame& right = s.frames[(pair + 1) % 2];
    __syncthreads();  // nobody reads the frame and the matches of the pair before any more
    load_bucket<kThreads>(source, pair + 1, right, s.sort, s.scan);
    insert_right<kThreads>(right, s.match, s.scan);
    const TakenTargets taken = test_targets(pair % 2, left, s.match);
    const std::uint32_t n_matches = list_matches<kThreads>(pair % 2, taken, left, s.match, s.scan);
    __syncthreads();  // all matches are listed
    if (threadIdx.x < n_matches) {
      const std::uint32_t match = s.match.matches[threadIdx.x];
      file_match<K, kTable>(tables, pair, threadIdx.x, left, match >> 16, right, match & 0xFFFFU);
    }
    n_made += n_matches;
  }
  if (threadIdx.x == 0) {
    atomicAdd(&tables.counters()->matches[kTable], n_made);
  }
}

}  // namespace furrow::cuda
