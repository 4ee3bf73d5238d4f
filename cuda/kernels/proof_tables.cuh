// SPDX-License-Identifier: Apache-2.0
// Device memory of the proof-of-space tables of one record, and the packed forms of what is in it.
//
// Entries of tables 1 to 6 are filed by bucket, in slots handed out by an atomic counter. Their
// order in a bucket is therefore that of arrival and means nothing: every entry carries its
// position, and whoever reads a bucket sorts by it first. A position is pair * 512 + index within
// the pair, which ascends exactly as the dense numbering does (docs/spec/02-proof-of-space.md,
// section 9).
//
//   table 1     u32   residue (14 bits) | low K - 6 bits of x << 14; the high 6 bits of x are those
//                     that end y
//   tables 2-6  uint4 metadata bits 0-31 | 32-63 | residue << 18 and what 18 bits lie below it |
//                     position
//                       tables 3, 4   metadata bits 64-79
//                       tables 5, 6   left slot << 9 | right slot: the pair is the position's
//   links       u32   for an entry of table 4, which has no room for them: pair << 18 | left slot
//                     << 9 | right slot
//   targets     u64   for an s-bucket: position << 18 | left slot << 9 | right slot of a match of
//                     table 6, the smallest of all; all bits set for none
//
// Slots lead straight to the two parents, so that walking a proof back is one load a step. It ends
// in table 3, whose metadata are the four x that an entry is made of.
#pragma once

#include "furrow/core/pos.hpp"

#include "cuda/simt.cuh"

namespace furrow::cuda {

/// Room of a bucket. Its size has mean 236 and deviation 15.4, so a bucket of 352 (7.5 deviations)
/// overflows about once in a thousand million records; 272 of the entries are used.
inline constexpr std::uint32_t kSlotsPerBucket = 352;
static_assert(kSlotsPerBucket <= 512, "a link has 9 bits for a slot");

/// Bits of a position that number the matches of a pair.
inline constexpr unsigned kMatchIndexBits = 9;
static_assert(core::pos::kReducedMatchesCount <= 1U << kMatchIndexBits);

inline constexpr unsigned long long kNoTarget = ~0ULL;

/// An entry of tables 1 to 6 as kernels handle it, and as it lies in memory from table 2 on.
struct PackedEntry {
  uint4 words;
};

/// Two slots, of the parents of an entry.
inline constexpr unsigned kSlotsBits = 18;

/// Where the slots of an entry's parents are to be found. Tables 2 and 3 need none.
__host__ __device__ constexpr bool has_links(unsigned table) {
  return table == 4;
}
__host__ __device__ constexpr bool has_slots(unsigned table) {
  return table == 5 || table == 6;
}

/// `slots`: for metadata of at most 64 bits.
__host__ __device__ inline PackedEntry pack_entry(std::uint32_t position, std::uint32_t residue,
                                                  uint128 metadata, std::uint32_t slots = 0) {
  PackedEntry entry;
  entry.words.x = static_cast<std::uint32_t>(metadata);
  entry.words.y = static_cast<std::uint32_t>(metadata >> 32);
  entry.words.z = static_cast<std::uint32_t>(metadata >> 64) | slots | residue << kSlotsBits;
  entry.words.w = position;
  return entry;
}
/// Metadata of at most `kBits` bits.
template <unsigned kBits>
__host__ __device__ inline uint128 metadata_of(const PackedEntry& entry) {
  // High words first: the other way round costs ptxas of sm_100 a spilled register in make_table.
  uint128 metadata = 0;
  if constexpr (kBits > 64) {
    metadata = static_cast<uint128>(entry.words.z & 0xFFFFU) << 64;
  }
  if constexpr (kBits > 32) {
    metadata |= static_cast<uint128>(entry.words.y) << 32;
  }
  return metadata | entry.words.x;
}
__host__ __device__ inline std::uint32_t residue_of(const PackedEntry& entry) {
  return entry.words.z >> kSlotsBits;
}
__host__ __device__ inline std::uint32_t position_of(const PackedEntry& entry) {
  return entry.words.w;
}

/// Table 1: `x` from its residue and bucket.
template <unsigned K>
__host__ __device__ inline std::uint32_t pack_table1(std::uint32_t residue, std::uint32_t x) {
  static_assert(K >= core::pos::kParamExt && 14 + K - core::pos::kParamExt <= 32);
  return residue | ((x & ((1U << (K - core::pos::kParamExt)) - 1)) << 14);
}
template <unsigned K>
__host__ __device__ inline std::uint32_t table1_x(std::uint32_t bucket, std::uint32_t packed) {
  const std::uint32_t y = bucket * core::pos::kParamBC + (packed & 0x3FFFU);
  return ((y & ((1U << core::pos::kParamExt) - 1)) << (K - core::pos::kParamExt)) | (packed >> 14);
}

/// The two parents of an entry: slots of bucket `pair` and of bucket `pair` + 1 one table before.
struct Link {
  std::uint32_t pair;
  std::uint32_t left_slot;
  std::uint32_t right_slot;
};
__host__ __device__ inline std::uint32_t pack_link(const Link& link) {
  return (link.pair << kSlotsBits) | (link.left_slot << 9) | link.right_slot;
}
__host__ __device__ inline std::uint32_t slots_of(std::uint32_t packed_link) {
  return packed_link & ((1U << kSlotsBits) - 1);
}
__host__ __device__ inline Link unpack_link(std::uint32_t packed) {
  return {packed >> kSlotsBits, (packed >> 9) & 511U, packed & 511U};
}

/// The link of an entry that has slots.
__host__ __device__ inline Link link_of(const PackedEntry& entry) {
  return {position_of(entry) >> kMatchIndexBits, (entry.words.z >> 9) & 511U, entry.words.z & 511U};
}

__host__ __device__ inline unsigned long long pack_target(std::uint32_t position,
                                                          std::uint32_t left_slot,
                                                          std::uint32_t right_slot) {
  return (static_cast<unsigned long long>(position) << 18) | (left_slot << 9) | right_slot;
}
__host__ __device__ inline Link unpack_target(unsigned long long packed) {
  return {static_cast<std::uint32_t>(packed >> (18 + kMatchIndexBits)),
          static_cast<std::uint32_t>(packed >> 9) & 511U,
          static_cast<std::uint32_t>(packed) & 511U};
}

/// What a record's tables report besides themselves.
struct TableCounters {
  /// Matches kept, by number of the table they make; for table 1 unused.
  std::uint32_t matches[core::pos::kNumTables + 1];
  /// Entries that found their bucket full. When it is not 0 the tables are not those of the seed.
  std::uint32_t overflows;
};

/// Where everything of one record lies, from one address on.
template <unsigned K>
class ProofTablesRef {
  using Params = core::pos::Params<K>;
  static_assert(Params::kNumBucketPairs <= 1U << 13, "a link has 13 bits for a pair");
  static_assert(core::pos::metadata_bits<K>(4) <= 80 && core::pos::metadata_bits<K>(5) <= 64);

 public:
  static constexpr std::uint32_t kNumBuckets = Params::kNumBuckets;
  static constexpr std::uint32_t kNumPairs = Params::kNumBucketPairs;
  static constexpr std::size_t kNumSlots = std::size_t{kNumBuckets} * kSlotsPerBucket;
  static constexpr std::size_t kNumTargets = std::size_t{1} << 16;

  __host__ __device__ explicit ProofTablesRef(std::byte* base) : base_(base) {}

  /// Entries of tables 2 to 6. Tables 3, 5 and 6 stay, because proofs are walked back through them;
  /// tables 2 and 4 make way for the next but one.
  __host__ __device__ PackedEntry* entries(unsigned table) const {
    return at<PackedEntry>(kEntriesAt + place_of(table) * kNumSlots * sizeof(PackedEntry));
  }
  /// Where table 5 will be.
  __host__ __device__ std::uint32_t* table1() const {
    return reinterpret_cast<std::uint32_t*>(entries(5));
  }
  /// Links of table 4.
  __host__ __device__ std::uint32_t* links() const { return at<std::uint32_t>(kLinksAt); }
  __host__ __device__ unsigned long long* targets() const {
    return at<unsigned long long>(kTargetsAt);
  }
  /// A bit for each target, whether there is one.
  __host__ __device__ std::uint32_t* has_proof() const { return at<std::uint32_t>(kHasProofAt); }
  /// Entries that asked for a slot, by bucket, of tables 1 to 6.
  __host__ __device__ std::uint32_t* bucket_sizes(unsigned table) const {
    return at<std::uint32_t>(kSizesAt + (table - 1) * kNumBuckets * sizeof(std::uint32_t));
  }
  __host__ __device__ TableCounters* counters() const { return at<TableCounters>(kCountersAt); }

  /// Words from bucket_sizes(1) on that must be zero before table 1 is made.
  static constexpr std::size_t kZeroWords =
      6 * std::size_t{kNumBuckets} + sizeof(TableCounters) / sizeof(std::uint32_t);
  /// Bytes of one record; a multiple of 256.
  __host__ __device__ static constexpr std::size_t bytes() { return kBytes; }

 private:
  template <class T>
  __host__ __device__ T* at(std::size_t offset) const {
    return reinterpret_cast<T*>(base_ + offset);
  }
  __host__ __device__ static constexpr std::size_t place_of(unsigned table) {
    return table % 2 == 0 ? 0 : table / 2;
  }
  // What every thread asks for comes first, within reach of an instruction's immediate.
  static constexpr std::size_t kSizesAt = 0;
  static constexpr std::size_t kCountersAt =
      kSizesAt + 6 * std::size_t{kNumBuckets} * sizeof(std::uint32_t);
  static constexpr std::size_t kEntriesAt = (kCountersAt + sizeof(TableCounters) + 255) / 256 * 256;
  static constexpr std::size_t kTargetsAt = kEntriesAt + 3 * kNumSlots * sizeof(PackedEntry);
  static constexpr std::size_t kHasProofAt = kTargetsAt + kNumTargets * sizeof(unsigned long long);
  static constexpr std::size_t kLinksAt = kHasProofAt + kNumTargets / 8;
  static constexpr std::size_t kBytes =
      (kLinksAt + kNumSlots * sizeof(std::uint32_t) + 255) / 256 * 256;

  std::byte* base_;
};

/// The tables of all records of a batch, one behind the other.
template <unsigned K>
class ProofTablesBatch {
 public:
  __host__ __device__ explicit ProofTablesBatch(std::byte* base) : base_(base) {}
  __host__ __device__ ProofTablesRef<K> record(std::uint32_t index) const {
    return ProofTablesRef<K>(base_ + index * ProofTablesRef<K>::bytes());
  }

 private:
  std::byte* base_;
};

/// Files an entry that arrives in a bucket: calls `file` with its slot, or counts it when the bucket is
/// full.
template <class File>
__device__ inline void file_in_bucket(std::uint32_t* bucket_size, TableCounters* counters,
                                      const File& file) {
  const std::uint32_t slot = atomicAdd(bucket_size, 1U);
  if (slot < kSlotsPerBucket) {
    file(slot);
  } else {
    atomicAdd(&counters->overflows, 1U);
  }
}

}  // namespace furrow::cuda
