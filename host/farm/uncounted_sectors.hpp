// SPDX-License-Identifier: Apache-2.0
// Sectors that metadata.bin describes, but does not count. Its count has no checksum: one changed
// bit makes 2 of 10, and plotting on would write over eight sound sectors. What a crash leaves is
// one such slot at most, because each is counted before the next one is written
// (host/farm/farm.hpp); it takes two crashes, both at that very moment, to leave more.
#pragma once

#include <cstdint>
#include <optional>

#include "furrow/types.hpp"

#include "host/farm/metadata_file.hpp"
#include "host/farm/plot_file.hpp"

namespace furrow {

/// Looks at the sectors from `counted` to `limit` - 1: a sector that is not counted has a sound
/// slot that holds something, and a contents map in plot.bin that is the one of this slot. (Bytes
/// that were cut off, and are zeros now, are no sector.) Throws UncountedSectors when there is more
/// than one, and IoError. Otherwise gives the one, if any. Reads every slot; writes nothing.
std::optional<SectorIndex> uncounted_sector(const MetadataFile& metadata, const PlotFile& plot,
                                            std::uint16_t pieces_in_sector, std::uint16_t counted,
                                            std::uint16_t limit);

}  // namespace furrow
