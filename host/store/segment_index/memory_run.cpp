// SPDX-License-Identifier: Apache-2.0
#include "host/store/segment_index/memory_run.hpp"

#include <algorithm>

namespace furrow {

MemoryRun::MemoryRun(std::vector<IndexEntry> entries, unsigned age)
    : entries_(std::move(entries)), filter_(entries_.size()), age_(age) {
  for (const IndexEntry& entry : entries_) {
    filter_.insert(BloomFilter::hash(entry.key));
    heights_.include(entry.height);
  }
}

std::vector<IndexEntry> MemoryRun::sorted(std::span<const IndexEntry> batch) {
  std::vector<IndexEntry> entries(batch.rbegin(), batch.rend());  // so that the last comes first
  std::stable_sort(entries.begin(), entries.end(), comes_before);
  entries.erase(std::unique(entries.begin(), entries.end(),
                            [](const IndexEntry& a, const IndexEntry& b) {
                              return !comes_before(a, b);  // sorted, so not before means equal
                            }),
                entries.end());
  return entries;
}

void MemoryRun::collect(const IndexKey& key, std::uint64_t hash, HeightWindow window,
                        std::vector<KeyVersion>& out) const {
  if (!window.overlaps(heights_) || !filter_.may_contain(hash)) {
    return;
  }
  auto entry = std::lower_bound(
      entries_.begin(), entries_.end(), key,
      [](const IndexEntry& a, const IndexKey& wanted) { return compare(a.key, wanted) < 0; });
  for (; entry != entries_.end() && entry->key == key; ++entry) {
    if (window.contains(entry->height)) {
      out.push_back({entry->height, entry->kind, entry->id});
    }
  }
}

}  // namespace furrow
