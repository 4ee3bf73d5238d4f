// SPDX-License-Identifier: Apache-2.0
// K-way merge of sorted runs (docs/spec/08-storage-components.md, section 3.9). Holds one entry of
// each run, whatever their lengths.
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "host/store/segment_index/entry_source.hpp"
#include "host/store/segment_index/key_versions.hpp"

namespace furrow {

/// Calls `keep(const IndexEntry&)`, in order, with what has to be kept of all entries; `sources`
/// are newest first.
template <class Keep>
void merge_entries(std::span<const std::unique_ptr<EntrySource>> sources, SettledHeights settled,
                   Keep keep) {
  struct Head {
    const IndexEntry* entry;
    std::size_t source;
  };
  // The heap has its greatest element in front, so greater means later; of equals the newest first.
  const auto comes_later = [](const Head& a, const Head& b) {
    if (comes_before(*a.entry, *b.entry)) {
      return false;
    }
    return comes_before(*b.entry, *a.entry) || a.source > b.source;
  };
  std::vector<Head> heap;
  for (std::size_t i = 0; i < sources.size(); ++i) {
    if (const IndexEntry* entry = sources[i]->peek()) {
      heap.push_back({entry, i});
    }
  }
  std::make_heap(heap.begin(), heap.end(), comes_later);
  VersionFilter filter(settled);
  while (!heap.empty()) {
    std::pop_heap(heap.begin(), heap.end(), comes_later);
    Head& head = heap.back();
    filter.push(*head.entry, keep);
    sources[head.source]->advance();
    head.entry = sources[head.source]->peek();
    if (head.entry == nullptr) {
      heap.pop_back();
    } else {
      std::push_heap(heap.begin(), heap.end(), comes_later);
    }
  }
  filter.finish(keep);
}

}  // namespace furrow
