// SPDX-License-Identifier: Apache-2.0
// How many sectors hold a history. That follows from sector ids alone (docs/spec/01-primitives.md,
// section 9.4): nothing is read from the plot.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "furrow/types.hpp"

namespace furrow {

/// A sector that is plotted.
struct PlottedSectorId {
  SectorId sector_id;
  HistorySize history_size;
};

/// Smallest number of sectors with which a farm holds, of each segment of the history of
/// `info.history_size`, at least 128 of its 256 pieces, hence all of that history.
/// `shard_commitments_root` belongs to the same history size. `existing[i]` is sector i; all
/// sectors beyond its end, and those that are none (lost), are taken as plotted with
/// `info.history_size`. The result is not below existing.size(). Throws InvalidArgument when 65534
/// sectors are not enough, and when pieces_in_sector is 0.
std::uint16_t sectors_to_cover_history(
    const Hash& public_key_hash, const Hash& shard_commitments_root, const FarmerProtocolInfo& info,
    std::uint16_t pieces_in_sector, std::span<const std::optional<PlottedSectorId>> existing = {});

}  // namespace furrow
