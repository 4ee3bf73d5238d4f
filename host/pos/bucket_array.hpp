// SPDX-License-Identifier: Apache-2.0
// Entries of one table, filed by bucket (docs/spec/02-proof-of-space.md, section 4;
// docs/spec/09-autonomys.md, section 5.1).
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <vector>

#include "host/pos/huge_array.hpp"
#include "host/pos/table_entry.hpp"

namespace furrow {

/// Buckets of one table after another: the memory stays. Entries must be appended in ascending
/// position where the rules cut buckets.
template <class Rules>
class BucketArray {
 public:
  static constexpr std::size_t kCapacity = Rules::kBucketEntries;

  explicit BucketArray(std::size_t n_buckets)
      : words_(n_buckets * kPlaces * kMaxEntryWords), sizes_(n_buckets) {}

  /// Empties all buckets and makes them ready for entries of `table`.
  void reset(unsigned table) {
    bucket_words_ = kPlaces * entry_words(table);
    std::fill(sizes_.begin(), sizes_.end(), std::uint16_t{0});
    overflowed_ = false;
  }

  /// Asks for the place that the next entry of `bucket` will take.
  template <std::size_t kWords>
  void prefetch(std::size_t bucket) const {
    __builtin_prefetch(words_.data() + (bucket * kPlaces + sizes_[bucket]) * kWords, 1);
  }

  /// Files an entry of kWords words. A bucket keeps its first kCapacity entries; they are the ones
  /// with the smallest positions because positions ascend.
  template <std::size_t kWords>
  void append(std::size_t bucket, const std::uint32_t* entry) {
    const std::size_t rank = sizes_[bucket];
    if (rank < kCapacity) [[likely]] {
      sizes_[bucket] = static_cast<std::uint16_t>(rank + 1);
      std::memcpy(words_.data() + (bucket * kPlaces + rank) * kWords, entry,
                  kWords * sizeof(std::uint32_t));
    } else if constexpr (!Rules::kCuts) {
      overflowed_ = true;
    }
  }

  /// Whether an entry was left out since reset() although the rules leave out none.
  [[nodiscard]] bool overflowed() const { return overflowed_; }

  /// Asks for all entries of a bucket.
  void prefetch_bucket(std::size_t bucket) const {
    constexpr std::size_t kLineWords = 16;
    const std::uint32_t* const begin = entries(bucket);
    const std::size_t n_words = sizes_[bucket] * (bucket_words_ / kPlaces);
    for (std::size_t i = 0; i < n_words; i += kLineWords) {
      __builtin_prefetch(begin + i);
    }
  }

  [[nodiscard]] const std::uint32_t* entries(std::size_t bucket) const {
    return words_.data() + bucket * bucket_words_;
  }
  [[nodiscard]] std::size_t size(std::size_t bucket) const { return sizes_[bucket]; }

 private:
  static constexpr std::size_t kPlaces = bucket_places<Rules>();
  static constexpr std::size_t kMaxEntryWords = 4;

  HugeArray<std::uint32_t> words_;
  std::vector<std::uint16_t> sizes_;
  std::size_t bucket_words_ = 0;
  bool overflowed_ = false;
};

}  // namespace furrow
