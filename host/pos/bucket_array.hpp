// Entries of one table, filed by bucket (docs/spec/02-proof-of-space.md, section 4). What matching
// and hashing need of an entry stands side by side, so both stream.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "furrow/core/pos.hpp"

namespace furrow {

/// The buckets of one table for the given K. Entries must be appended in ascending position.
template <unsigned K>
class BucketArray {
  static_assert(core::pos::metadata_bits<K>(3) <= 80, "metadata is held in 64 + 16 bits");

 public:
  static constexpr std::size_t kNumBuckets = core::pos::Params<K>::kNumBuckets;
  static constexpr std::size_t kCapacity = core::pos::kReducedBucketSize;

  /// Metadata and position of an entry; its residue is kept apart because matching needs nothing
  /// else.
  struct Entry {
    std::uint64_t metadata_low;
    std::uint16_t metadata_high;
    std::uint32_t position;

    [[nodiscard]] uint128 metadata() const {
      return (static_cast<uint128>(metadata_high) << 64) | metadata_low;
    }
  };

  BucketArray() : entries_(kNumBuckets * kCapacity), residues_(kNumBuckets * kCapacity), sizes_{} {}

  void clear() { sizes_.fill(0); }

  /// Files an entry. A bucket keeps its first 272 entries; they are the ones with the smallest
  /// positions because positions ascend.
  void append(std::uint32_t position, std::uint32_t y, uint128 metadata) {
    const std::uint32_t bucket = core::pos::bucket_of(y);
    const std::size_t rank = sizes_[bucket];
    if (rank == kCapacity) {
      return;
    }
    sizes_[bucket] = static_cast<std::uint16_t>(rank + 1);
    const std::size_t place = bucket * kCapacity + rank;
    residues_[place] = static_cast<std::uint16_t>(y - bucket * core::pos::kParamBC);
    entries_[place] = {static_cast<std::uint64_t>(metadata),
                       static_cast<std::uint16_t>(metadata >> 64), position};
  }

  [[nodiscard]] std::span<const std::uint16_t> residues(std::size_t bucket) const {
    return {residues_.data() + bucket * kCapacity, sizes_[bucket]};
  }
  [[nodiscard]] const Entry* entries(std::size_t bucket) const {
    return entries_.data() + bucket * kCapacity;
  }

 private:
  std::vector<Entry> entries_;
  std::vector<std::uint16_t> residues_;
  std::array<std::uint16_t, kNumBuckets> sizes_;
};

}  // namespace furrow
