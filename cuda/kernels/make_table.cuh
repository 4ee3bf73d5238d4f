// SPDX-License-Identifier: Apache-2.0
// Tables 2 to 7: match, hash and file, fused (docs/spec/02-proof-of-space.md, sections 4 to 7).
//
// A block works through kPairsPerBlock neighbouring pairs of buckets, so that a bucket that was the
// right one of a pair stays in shared memory as the left one of the next. For each pair: sort the
// right bucket by position, find the matches, then one thread takes one match: it hashes it and
// files the new entry in its bucket (tables 2 to 6) or offers it to its s-bucket (table 7). The hash
// is the most of the work, so only full warps do it: what is left of a pair's matches waits for
// those of the next. Grid: x = run of pairs, y = record.
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
  /// A bucket has 236 entries, a pair 236 matches on average. More threads would idle, and leave
  /// fewer registers to each of them.
  static constexpr unsigned kThreads = 256;
  static constexpr std::uint32_t kPairsPerBlock = 8;
};

/// What limits the blocks of a multiprocessor of the architecture being compiled for.
struct MakeTableTuning {
  /// Four blocks leave 64 registers to a thread. The search and the hash just fit; five would leave
  /// 48 and spill.
  static constexpr unsigned kMostBlocks = 4;
  /// Shared memory of a multiprocessor: 64 KiB for 7.5, which is enough for three blocks; 100 KiB, of
  /// which each block takes 1 KiB more than it asks for, for 8.6, 8.9 and 12.0; others have more.
  static constexpr unsigned kBlocksPerSm = kThreadsPerSm == 1024 ? 3 : kMostBlocks;
  static constexpr std::size_t kSharedBytes = kThreadsPerSm == 1024 ? 64 * 1024 : 96 * 1024;
};

/// What makes an entry: two entries that match.
struct MatchedEntries {
  PackedEntry left;   ///< with the link in place of its slot
  PackedEntry right;  ///< with the index of the match within its pair in place of its slot
};

struct MakeTableShared {
  BucketFrame frames[2];
  MatchShared match;
  /// Matches that wait for those of the next pair, so that only full warps hash. Warp 0 alone touches
  /// them.
  MatchedEntries waiting[31];
};
static_assert(MakeTableTuning::kBlocksPerSm * sizeof(MakeTableShared) <=
                  MakeTableTuning::kSharedBytes,
              "registers, threads and shared memory allow the same number of blocks");

/// Match `index` of a pair.
__device__ inline MatchedEntries match_of(std::uint32_t pair, std::uint32_t index,
                                          const BucketFrame& left, const BucketFrame& right,
                                          const MatchShared& s) {
  const MatchedRanks ranks = ranks_of(index, right, s);
  MatchedEntries match = {left.entries[ranks.left], right.entries[ranks.right]};
  match.left.words.w = pack_link({pair, match.left.words.w, match.right.words.w});
  match.right.words.w = index;
  return match;
}

/// Files the entry of `kTable` that a match makes, or offers it to its s-bucket.
template <unsigned K, unsigned kTable>
__device__ void file_match(const ProofTablesRef<K>& tables, const MatchedEntries& match) {
  namespace pos = core::pos;
  constexpr unsigned kMetadataBits = pos::metadata_bits<K>(kTable - 1);
  const uint128 left_metadata = metadata_of<kMetadataBits>(match.left);
  const uint128 right_metadata = metadata_of<kMetadataBits>(match.right);
  const std::uint32_t packed_link = match.left.words.w;
  const Link link = unpack_link(packed_link);
  std::uint32_t message[16] = {};
  pos::table_function_message<K>(kTable, link.pair * pos::kParamBC + residue_of(match.left),
                                 left_metadata, right_metadata, message);
  std::uint32_t hash[8];
  core::blake3::hash_single_block(message, pos::table_function_input_bytes<K>(kTable), hash);

  const std::uint32_t y = pos::y_from_hash<K>(hash[0]);
  const std::uint32_t position = (link.pair << kMatchIndexBits) | match.right.words.w;
  if constexpr (kTable == pos::kNumTables) {
    const std::uint32_t s_bucket = y >> pos::kParamExt;
    if (s_bucket < kNumSBuckets) {
      atomicMin(tables.targets() + s_bucket,
                pack_target(position, link.left_slot, link.right_slot));
    }
  } else {
    const std::uint32_t bucket = pos::bucket_of(y);
    file_in_bucket(
        tables.bucket_sizes(kTable) + bucket, tables.counters(), [&](std::uint32_t slot) {
          const std::uint32_t at = bucket * kSlotsPerBucket + slot;
          tables.entries(kTable)[at] = pack_entry(
              position, y - bucket * pos::kParamBC,
              pos::table_function_metadata<K>(kTable, left_metadata, right_metadata, hash),
              has_slots(kTable) ? slots_of(packed_link) : 0);
          if constexpr (has_links(kTable)) {
            tables.links()[at] = packed_link;
          }
        });
  }
}

template <unsigned K, unsigned kTable>
__global__ void __launch_bounds__(MakeTableShape::kThreads, MakeTableTuning::kBlocksPerSm)
    make_table(ProofTablesBatch<K> batch) {
  THREADS_AT_MOST(MakeTableShape::kThreads);
  constexpr unsigned kThreads = MakeTableShape::kThreads;
  SHARED(MakeTableShared, s);
  // What follows from these is the same in each turn of the loop, but the search has no registers
  // left to keep it in.
  const auto tables = [&] { return batch.record(opaque(blockIdx.y)); };
  const auto source = [&] { return SourceTable<K, kTable>{tables()}; };
  const auto first = [] { return opaque(blockIdx.x) * MakeTableShape::kPairsPerBlock; };

  std::uint32_t bucket = first();
  const auto is_last = [](std::uint32_t pair) {
    return pair % MakeTableShape::kPairsPerBlock == MakeTableShape::kPairsPerBlock - 1 ||
           pair == ProofTablesRef<K>::kNumPairs - 1;
  };
  std::uint32_t n_waiting = 0;
  clear_counts<kThreads>(threadIdx.x, s.match.sort);
#pragma unroll 1
  while (true) {
    const std::uint32_t thread = opaque(threadIdx.x);
    BucketFrame& right = s.frames[bucket % 2];
    __syncthreads();  // counts are cleared before entries are counted
    load_bucket<kThreads>(thread, source(), bucket, right, s.match.sort);
    __syncthreads();  // the frame is complete; nobody needs the counts any more
    if (bucket == first()) {
      // Nothing stands left of it.
      clear_counts<kThreads>(thread, s.match.sort);
      ++bucket;
      continue;
    }
    const std::uint32_t pair = bucket - 1;
    const BucketFrame& left = s.frames[pair % 2];
    const std::uint32_t n_matches = find_matches<kThreads>(thread, pair % 2, left, right, s.match);
    clear_counts<kThreads>(thread, s.match.sort);

    const std::uint32_t n_all = n_waiting + n_matches;
    const std::uint32_t n_ready = is_last(pair) ? n_all : n_all & ~31U;
#pragma unroll 1
    for (std::uint32_t number = thread; number < n_ready; number += kThreads) {
      file_match<K, kTable>(
          tables(), number < n_waiting ? s.waiting[number]
                                       : match_of(pair, number - n_waiting, left, right, s.match));
    }
    if (thread < 32) {
      __syncwarp();  // matches that waited are read before others take their places
      const std::uint32_t number = n_ready + thread;
      if (number >= n_waiting && number < n_all) {
        s.waiting[thread] = match_of(pair, number - n_waiting, left, right, s.match);
      }
      if (thread == 0) {
        atomicAdd(&tables().counters()->matches[kTable], n_matches);
      }
    }
    n_waiting = n_all - n_ready;
    if (is_last(pair)) {
      break;
    }
    ++bucket;
  }
}

}  // namespace furrow::cuda
