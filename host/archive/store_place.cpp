// SPDX-License-Identifier: Apache-2.0
#include "host/archive/store_place.hpp"

#include <limits>

namespace furrow {
namespace {

constexpr unsigned kSharedBit = 63;
constexpr unsigned kSegmentShift = 32;
constexpr std::uint64_t kSegmentMask = (std::uint64_t{1} << (kSharedBit - kSegmentShift)) - 1;

}  // namespace

EntryId StorePlace::id() const {
  return (std::uint64_t{is_shared} << kSharedBit) | (segment.value() << kSegmentShift) | offset;
}

StorePlace StorePlace::from_id(EntryId id) {
  return {.segment = SegmentIndex((id >> kSegmentShift) & kSegmentMask),
          .offset = static_cast<std::uint32_t>(id),
          .is_shared = (id >> kSharedBit) != 0};
}

SegmentPlaces places_in(const PackTable& table, SegmentIndex segment) {
  SegmentPlaces places;
  for (const PackEntry& entry : table.entries()) {
    const PieceIndex index(entry.header.key.value());
    const bool is_shared = entry.header.codec() == PackCodec::kReference;
    const std::uint64_t offset = (is_shared ? *table.find_stored(entry.header.hash) : entry).offset;
    if (segment_index_of(index) == segment && offset <= std::numeric_limits<std::uint32_t>::max()) {
      places[position_of(index).value()] = {
          .segment = segment, .offset = static_cast<std::uint32_t>(offset), .is_shared = is_shared};
    }
  }
  return places;
}

std::vector<IndexEntry> index_entries(const SegmentPlaces& places, SegmentIndex segment,
                                      const Hash& root) {
  const std::int32_t height = height_of(HistorySize::from_stored(segment.value()));
  std::vector<IndexEntry> entries;
  for (std::uint32_t position = 0; position < kNumPieces; ++position) {
    if (places[position]) {
      entries.push_back(
          {.key = piece_key(root, position), .height = height, .id = places[position]->id()});
    }
  }
  return entries;
}

}  // namespace furrow
