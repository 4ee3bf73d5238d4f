// SPDX-License-Identifier: Apache-2.0
// Entries of one table, filed by bucket (docs/spec/02-proof-of-space.md, section 4).
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <vector>

#include "host/pos/huge_array.hpp"
#include "host/pos/table_entry.hpp"

namespace furrow {

/// Buckets of one table after another: the memory stays. Entries must be appended in ascending
/// position.
class BucketArray {
 public:
  static constexpr std::size_t kCapacity = core::pos::kReducedBucketSize;

  explicit BucketArray(std::size_t n_buckets)
      : words_(n_buckets * kCapacity * kMaxEntryWords), sizes_(n_buckets) {}

  /// Empties all buckets and makes them ready for entries of `table`.
  void reset(unsigned table) {
    bucket_words_ = kCapacity * entry_words(table);
    std::fill(sizes_.begin(), sizes_.end(), std::uint16_t{0});
  }

  /// Asks for the place that the next entry of `bucket` will take.
  template <std::size_t kWords>
  void prefetch(std::size_t bucket) const {
    __builtin_prefetch(words_.data() + (bucket * kCapacity + sizes_[bucket]) * kWords, 1);
  }

  /// Files an entry of kWords words. A bucket keeps its first 272 entries; they are the ones with
  /// the smallest positions because positions ascend. Returns the rank, kCapacity for a lost entry.
  template <std::size_t kWords>
  std::size_t append(std::size_t bucket, const std::uint32_t* entry) {
    const std::size_t rank = sizes_[bucket];
    if (rank < kCapacity) [[likely]] {
      sizes_[bucket] = static_cast<std::uint16_t>(rank + 1);
      std::memcpy(words_.data() + (bucket * kCapacity + rank) * kWords, entry,
                  kWords * sizeof(std::uint32_t));
    }
    return rank;
  }

  /// Asks for all entries of a bucket.
  void prefetch_bucket(std::size_t bucket) const {
    constexpr std::size_t kLineWords = 16;
    const std::uint32_t* const begin = entries(bucket);
    const std::size_t n_words = sizes_[bucket] * (bucket_words_ / kCapacity);
    for (std::size_t i = 0; i < n_words; i += kLineWords) {
      __builtin_prefetch(begin + i);
    }
  }

  [[nodiscard]] const std::uint32_t* entries(std::size_t bucket) const {
    return words_.data() + bucket * bucket_words_;
  }
  [[nodiscard]] std::size_t size(std::size_t bucket) const { return sizes_[bucket]; }

 private:
  static constexpr std::size_t kMaxEntryWords = 4;

  HugeArray<std::uint32_t> words_;
  std::vector<std::uint16_t> sizes_;
  std::size_t bucket_words_ = 0;
};

}  // namespace furrow
