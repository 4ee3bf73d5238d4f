// SPDX-License-Identifier: Apache-2.0
#include "host/store/segment_index/index_snapshot.hpp"

#include <algorithm>
#include <numeric>
#include <string>

#include "furrow/errors.hpp"

namespace furrow {

std::uint64_t IndexSnapshot::entries_in_memory() const {
  return std::accumulate(
      runs.begin(), runs.end(), std::uint64_t{0},
      [](std::uint64_t sum, const auto& run) { return sum + run->entries().size(); });
}

std::uint64_t IndexSnapshot::entries_on_disk() const {
  return std::accumulate(
      segments.begin(), segments.end(), std::uint64_t{0},
      [](std::uint64_t sum, const auto& segment) { return sum + segment->entry_count(); });
}

SettledHeights IndexSnapshot::settled_in(std::size_t first, std::size_t end) const {
  SettledHeights settled;
  settled.before = horizon;
  for (std::size_t part = 0; part < first; ++part) {
    settled.before = std::min<std::int64_t>(settled.before, heights_of(part).min);
  }
  for (std::size_t part = end; part < part_count(); ++part) {
    settled.after = std::max<std::int64_t>(settled.after, heights_of(part).max);
  }
  settled.is_bottom = end == part_count();
  return settled;
}

void IndexSnapshot::check_window(HeightWindow window) const {
  if (window.before < horizon) {
    throw InvalidArgument("window of heights: expected to end at " + std::to_string(horizon) +
                          " or above, actual " + std::to_string(window.before) +
                          ": what was before the horizon is forgotten");
  }
}

bool IndexSnapshot::is_final(std::int32_t height, std::size_t part) const {
  for (; part < part_count(); ++part) {
    if (heights_of(part).max >= height) {
      return false;
    }
  }
  return true;
}

std::optional<EntryId> IndexSnapshot::lookup(const IndexKey& key, HeightWindow window) const {
  check_window(window);
  const std::uint64_t hash = BloomFilter::hash(key);
  std::vector<KeyVersion> versions;
  for (std::size_t part = 0; part < part_count(); ++part) {
    const std::size_t before = versions.size();
    if (part < runs.size()) {
      runs[part]->collect(key, hash, window, versions);
    } else {
      segments[part - runs.size()]->collect(key, hash, window, versions);
    }
    if (versions.size() > before) {
      const std::optional<std::int32_t> height = deciding_height(versions);
      if (height && is_final(*height, part + 1)) {
        break;
      }
    }
  }
  return decide(versions);
}

void IndexSnapshot::batch_lookup(std::span<const IndexKey> keys, std::span<EntryId> ids,
                                 HeightWindow window) const {
  check_window(window);
  if (keys.size() != ids.size()) {
    throw InvalidArgument("batch lookup: expected " + std::to_string(keys.size()) +
                          " ids, actual " + std::to_string(ids.size()));
  }
  std::vector<KeyQuery> pending;
  pending.reserve(keys.size());
  for (std::size_t slot = 0; slot < keys.size(); ++slot) {
    if (ids[slot] == kUnresolvedId) {
      pending.push_back({&keys[slot], BloomFilter::hash(keys[slot]), slot});
    }
  }
  enum class Progress : std::uint8_t { kNothing, kSome, kDone };
  std::vector<Progress> progress(keys.size(), Progress::kNothing);
  std::vector<FoundVersion> found;
  std::vector<KeyVersion> versions;
  for (std::size_t part = 0; part < part_count() && !pending.empty(); ++part) {
    const std::size_t before = found.size();
    if (part < runs.size()) {
      for (const KeyQuery& query : pending) {
        versions.clear();
        runs[part]->collect(*query.key, query.hash, window, versions);
        for (const KeyVersion& version : versions) {
          found.push_back({query.slot, version});
        }
      }
    } else {
      segments[part - runs.size()]->collect_batch(pending, window, found);
    }
    // A key whose first versions nothing older can touch is not asked about any more.
    bool is_any_done = false;
    for (std::size_t i = before; i < found.size();) {
      const std::size_t slot = found[i].slot;
      versions.clear();
      for (; i < found.size() && found[i].slot == slot; ++i) {
        versions.push_back(found[i].version);
      }
      const std::optional<std::int32_t> height = deciding_height(versions);
      if (progress[slot] == Progress::kNothing && height && is_final(*height, part + 1)) {
        progress[slot] = Progress::kDone;
        is_any_done = true;
      } else {
        progress[slot] = Progress::kSome;
      }
    }
    if (is_any_done) {
      std::erase_if(pending,
                    [&](const KeyQuery& query) { return progress[query.slot] == Progress::kDone; });
    }
  }
  std::stable_sort(found.begin(), found.end(),
                   [](const FoundVersion& a, const FoundVersion& b) { return a.slot < b.slot; });
  for (std::size_t i = 0; i < found.size();) {
    const std::size_t slot = found[i].slot;
    versions.clear();
    for (; i < found.size() && found[i].slot == slot; ++i) {
      versions.push_back(found[i].version);
    }
    ids[slot] = decide(versions).value_or(kUnresolvedId);
  }
}

}  // namespace furrow
