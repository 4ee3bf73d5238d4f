// SPDX-License-Identifier: Apache-2.0
// Search for the entries of a key in blocks as they lie on disk.
#pragma once

#include <cstdint>
#include <cstring>

#include "host/store/segment_index/key_versions.hpp"
#include "host/store/segment_index/segment_format.hpp"

namespace furrow {

/// Calls `found(const KeyVersion&)` for the versions of the key in the window, in order, among the
/// first n entries from block `at` of the buffer on. Pre: these blocks are verified.
template <class Found>
void search_blocks(const EntryBlockBuffer& buffer, std::uint32_t at, std::uint32_t n_entries,
                   const IndexKey& key, HeightWindow window, Found found) {
  const auto entry_at = [&](std::uint32_t i) {
    return buffer.block(at + i / kEntriesPerBlock) + (i % kEntriesPerBlock) * kIndexEntrySize;
  };
  std::uint32_t low = 0;
  for (std::uint32_t high = n_entries; low < high;) {
    const std::uint32_t middle = low + (high - low) / 2;
    if (std::memcmp(entry_at(middle), key.data(), IndexKey::size()) < 0) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  for (; low < n_entries; ++low) {
    if (std::memcmp(entry_at(low), key.data(), IndexKey::size()) != 0) {
      return;
    }
    const IndexEntry entry = load_entry(entry_at(low));
    if (window.contains(entry.height)) {
      found(KeyVersion{entry.height, entry.kind, entry.id});
    }
  }
}

}  // namespace furrow
