// SPDX-License-Identifier: Apache-2.0
// A sorted run of entries in memory: a batch as it was appended, or the merge of several.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "host/store/segment_index/bloom_filter.hpp"
#include "host/store/segment_index/key_versions.hpp"

namespace furrow {

/// Never changes, so lookups need no lock.
class MemoryRun {
 public:
  /// Pre: entries are sorted by comes_before, none equal; not empty.
  MemoryRun(std::vector<IndexEntry> entries, unsigned age);
  /// Sorts a batch; of entries equal but for the id the last one stays.
  static std::vector<IndexEntry> sorted(std::span<const IndexEntry> batch);

  [[nodiscard]] std::span<const IndexEntry> entries() const { return entries_; }
  [[nodiscard]] const HeightRange& heights() const { return heights_; }
  /// How many merges its entries have been through.
  [[nodiscard]] unsigned age() const { return age_; }
  [[nodiscard]] std::size_t memory_bytes() const {
    return entries_.capacity() * sizeof(IndexEntry) + filter_.memory_bytes();
  }

  /// Appends the versions of the key in the window to `out`.
  void collect(const IndexKey& key, std::uint64_t hash, HeightWindow window,
               std::vector<KeyVersion>& out) const;

 private:
  std::vector<IndexEntry> entries_;
  HeightRange heights_;
  BloomFilter filter_;
  unsigned age_;
};

}  // namespace furrow
