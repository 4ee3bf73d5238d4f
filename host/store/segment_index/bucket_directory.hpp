// SPDX-License-Identifier: Apache-2.0
// Directory of a segment (docs/spec/08-storage-components.md, section 3.4): which buckets, each
// about 4 KB of entries, may hold a key. It keeps the first key of every bucket, so buckets are of
// equal size whatever the distribution of the keys. The first 8 bytes stand apart as integers: they
// decide nearly every comparison, and the search walks through them alone.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "host/store/segment_index/index_entry.hpp"

namespace furrow {

/// Buckets first to end - 1; none when they are equal.
struct BucketRange {
  std::uint32_t first = 0;
  std::uint32_t end = 0;
};

/// Thread-compatible; questions may run at once.
class BucketDirectory {
 public:
  /// Appends a bucket; buckets come in the order of their keys.
  void add_bucket(const IndexKey& first_key);
  /// All buckets in which entries of the key may stand.
  [[nodiscard]] BucketRange find(const IndexKey& key) const;
  /// Whether the key is the first of the bucket (0), or stands before it (< 0) or behind it (> 0).
  [[nodiscard]] int compare_with_first(const IndexKey& key, std::uint32_t bucket) const;

  [[nodiscard]] std::uint32_t size() const { return static_cast<std::uint32_t>(prefixes_.size()); }
  [[nodiscard]] std::size_t memory_bytes() const {
    return prefixes_.capacity() * sizeof(std::uint64_t) + rests_.capacity() * sizeof(Rest);
  }
  /// Gives back memory beyond what the buckets need.
  void shrink();

 private:
  using Rest = std::array<std::uint8_t, IndexKey::size() - 8>;
  std::vector<std::uint64_t> prefixes_;
  std::vector<Rest> rests_;
};

}  // namespace furrow
