// SPDX-License-Identifier: Apache-2.0
// All runs of an age-tiered index at one moment, and the answers they give together.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "host/store/segment_index/disk_segment.hpp"
#include "host/store/segment_index/memory_run.hpp"

namespace furrow {

/// Never changes once readers can see it. Parts are numbered newest first: memory runs, then
/// segments.
struct IndexSnapshot {
  std::int32_t horizon = std::numeric_limits<std::int32_t>::min();
  /// Newest first, so ages ascend.
  std::vector<std::shared_ptr<const MemoryRun>> runs;
  /// Newest first.
  std::vector<std::shared_ptr<const DiskSegment>> segments;

  [[nodiscard]] std::size_t part_count() const { return runs.size() + segments.size(); }
  [[nodiscard]] const HeightRange& heights_of(std::size_t part) const {
    return part < runs.size() ? runs[part]->heights() : segments[part - runs.size()]->heights();
  }
  [[nodiscard]] std::uint64_t entries_in_memory() const;
  [[nodiscard]] std::uint64_t entries_on_disk() const;

  /// Heights settled in a merge of the parts first to end - 1.
  [[nodiscard]] SettledHeights settled_in(std::size_t first, std::size_t end) const;

  /// Throws InvalidArgument when the window ends below the horizon, and what reading throws.
  [[nodiscard]] std::optional<EntryId> lookup(const IndexKey& key, HeightWindow window) const;
  /// Answers for those keys whose id is kUnresolvedId; others stay as they are.
  void batch_lookup(std::span<const IndexKey> keys, std::span<EntryId> ids,
                    HeightWindow window) const;

 private:
  void check_window(HeightWindow window) const;
  /// Whether a version that decides at `height` can still be changed by a part from `part` on.
  [[nodiscard]] bool is_final(std::int32_t height, std::size_t part) const;
};

}  // namespace furrow
