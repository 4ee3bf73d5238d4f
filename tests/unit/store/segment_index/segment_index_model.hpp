// SPDX-License-Identifier: Apache-2.0
// A slow, obvious index of entries, to compare the real one with, and ways to make entries.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "host/store/segment_index/index_entry.hpp"

namespace furrow::test {

/// Keys in their numeric order.
inline IndexKey numbered_key(std::uint64_t number) {
  IndexKey key;
  for (std::size_t i = 0; i < 8; ++i) {
    key.bytes[i] = static_cast<std::uint8_t>(number >> (56 - 8 * i));
  }
  key.bytes[35] = 0xE5;
  return key;
}

inline IndexEntry add(const IndexKey& key, std::int32_t height, EntryId id) {
  return {key, height, id, EntryKind::kAdd};
}
inline IndexEntry removal(const IndexKey& key, std::int32_t height) {
  return {key, height, 0, EntryKind::kDelete};
}

/// Entries 0 to n - 1: add of numbered_key(i) at height i % 251, with id 1000 + i.
inline std::vector<IndexEntry> numbered_entries(std::uint32_t n) {
  std::vector<IndexEntry> entries;
  for (std::uint32_t i = 0; i < n; ++i) {
    entries.push_back(add(numbered_key(i), static_cast<std::int32_t>(i % 251), 1000 + i));
  }
  return entries;
}

class IndexModel {
 public:
  void apply(const IndexEntry& entry) {
    State& state = keys_[entry.key][entry.height];
    if (entry.kind == EntryKind::kAdd) {
      state.add = entry.id;
    } else {
      state.is_deleted = true;
    }
  }

  [[nodiscard]] std::optional<EntryId> lookup(const IndexKey& key, HeightWindow window) const {
    const auto heights = keys_.find(key);
    if (heights == keys_.end()) {
      return std::nullopt;
    }
    std::optional<EntryId> answer;
    for (const auto& [height, state] : heights->second) {
      const bool is_cancelled = state.add && state.is_deleted;
      if (window.contains(height) && !is_cancelled) {
        answer = state.is_deleted ? kDeletedId : *state.add;
      }
    }
    return answer;
  }

  /// Whether the rules allow the entry: a key has one id at a height.
  [[nodiscard]] bool allows(const IndexEntry& entry) const {
    const auto heights = keys_.find(entry.key);
    if (entry.kind == EntryKind::kDelete || heights == keys_.end() ||
        !heights->second.contains(entry.height)) {
      return true;
    }
    const State& state = heights->second.at(entry.height);
    return !state.add || *state.add == entry.id;
  }

 private:
  struct State {
    std::optional<EntryId> add;
    bool is_deleted = false;
  };
  std::map<IndexKey, std::map<std::int32_t, State>> keys_;
};

/// Whether an index may answer so: what was removed may be forgotten altogether.
inline bool agree(std::optional<EntryId> model, std::optional<EntryId> index) {
  return model == index || (model == kDeletedId && !index);
}

/// The seed of a random test: fresh, or FURROW_TEST_SEED.
inline std::uint64_t random_seed() {
  const char* fixed = std::getenv("FURROW_TEST_SEED");
  return fixed != nullptr ? std::stoull(fixed) : std::random_device()();
}

}  // namespace furrow::test
