// SPDX-License-Identifier: Apache-2.0
#include "host/farm/uncounted_sectors.hpp"

#include <algorithm>
#include <vector>

#include "host/farm/farm_errors.hpp"
#include "host/sector/contents_map.hpp"

namespace furrow {
namespace {

/// A half of the bitmap of the first piece. Half of all chunks of a piece are found, so that zeros
/// alone are bytes that nobody wrote; most sectors that are not there are known by them.
constexpr std::size_t kFirstLook = 4096;

/// Whether plot.bin has the sector that the slot describes.
bool has_bytes(const PlotFile& plot, const SectorMetadata& slot) {
  const SectorIndex index = slot.sector_index;
  try {
    plot.check_holds_sector(index);
    std::vector<std::uint8_t> bytes(kFirstLook);
    plot.read(index, 0, bytes);
    if (std::ranges::all_of(bytes, [](std::uint8_t byte) { return byte == 0; })) {
      return false;
    }
    bytes.resize(contents_map_size(slot.pieces_in_sector));
    plot.read(index, 0, bytes);
    return SectorContentsMap::parse(bytes, slot.pieces_in_sector, slot.network).s_bucket_sizes() ==
           slot.s_bucket_sizes;
  } catch (const IoError&) {
    throw;  // they may be readable another time
  } catch (const Error&) {
    return false;
  }
}

}  // namespace

std::optional<SectorIndex> uncounted_sector(const MetadataFile& metadata, const PlotFile& plot,
                                            std::uint16_t pieces_in_sector, std::uint16_t counted,
                                            std::uint16_t limit) {
  const auto read = [&](SectorIndex index) {
    return metadata.read_uncounted_slot(index, pieces_in_sector);
  };
  std::vector<SectorIndex> described;
  for (std::uint16_t i = counted; i < limit && metadata.has_slot(SectorIndex(i)); ++i) {
    if (read(SectorIndex(i)).has_value()) {
      described.emplace_back(i);
    }
  }
  // From the end, because what the count has to be is told by the last one.
  std::optional<SectorIndex> last;
  for (std::size_t n = described.size(); n > 0; --n) {
    const auto slot = read(described[n - 1]);  // again rather than kept: 131 kB each
    if (!slot.has_value() || !has_bytes(plot, *slot)) {
      continue;
    }
    if (last.has_value()) {
      const auto found = std::ranges::count_if(
          described, [&](SectorIndex index) { return index.value() <= last->value(); });
      throw UncountedSectors(metadata.file().path(), counted, static_cast<std::uint16_t>(found),
                             *last);
    }
    last = described[n - 1];
  }
  return last;
}

}  // namespace furrow
