// SPDX-License-Identifier: Apache-2.0
// Where the pieces of a store lie, and how the index of the store says it.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "furrow/types.hpp"

#include "host/store/pack_table.hpp"
#include "host/store/segment_index/index_entry.hpp"

namespace furrow {

/// The frame that holds a piece. As an id of the index:
///
///   63    shared: the frame was stored for an earlier piece of the segment that has the same bytes
///   62-32 segment, which is the number of the pack; below 2^31 - 2, so that no id is a reserved
///   one 31-0  byte of the pack at which the frame begins
///
/// Pieces name neither their index nor their position. Where records side by side are equal, those
/// of the padding for example, the pieces are equal, too; the pack stores them once. A shared frame
/// has the key of the first of them.
struct StorePlace {
  SegmentIndex segment;
  std::uint32_t offset = 0;
  bool is_shared = false;
  bool operator==(const StorePlace&) const = default;

  /// Pre: the segment is one that has a height.
  [[nodiscard]] EntryId id() const;
  static StorePlace from_id(EntryId id);
};

/// Places of the pieces of a segment by their positions.
using SegmentPlaces = std::array<std::optional<StorePlace>, kNumPieces>;

/// What the table of its pack says about the pieces of a segment.
SegmentPlaces places_in(const PackTable& table, SegmentIndex segment);

/// What the index is to know about a segment: for each piece its key (segment root and position) at
/// the height of the history that ends with the segment. Throws InvalidArgument when there is no
/// such height.
std::vector<IndexEntry> index_entries(const SegmentPlaces& places, SegmentIndex segment,
                                      const Hash& root);

}  // namespace furrow
