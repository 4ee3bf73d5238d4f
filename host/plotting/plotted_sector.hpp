// SPDX-License-Identifier: Apache-2.0
// What plotting a sector leaves behind besides its bytes (docs/spec/03-record-encoding-and-sector.md,
// section 4.2). As SCALE, which is how plotters and farmers of a cluster send it to one another (host/cluster):
//
//        0  32 bytes      sector id
//       32  u16           sector index
//       34  131116 bytes  sector metadata with its checksum
//   131150  compact       P, the number of pieces: 1, 2 or 4 bytes
//           P x u64       piece indexes by piece offset, duplicates included
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "furrow/types.hpp"

#include "host/sector/sector_metadata.hpp"

namespace furrow {

struct PlottedSector {
  SectorId sector_id;
  SectorIndex sector_index;
  SectorMetadata sector_metadata;
  std::vector<PieceIndex> piece_indexes;
  bool operator==(const PlottedSector&) const = default;

  [[nodiscard]] std::vector<std::uint8_t> encode() const;
  /// Of bytes that hold nothing else. Throws ScaleError when they are too few or too many, and where
  /// numbers contradict one another; ChecksumMismatch for the metadata. `what` names it in messages.
  static PlottedSector decode(Network network, std::span<const std::uint8_t> bytes,
                              const std::string& what);
};

}  // namespace furrow
