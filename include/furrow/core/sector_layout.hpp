// SPDX-License-Identifier: Apache-2.0
// Sizes and offsets of the regions of a sector (docs/spec/03-record-encoding-and-sector.md, section
// 4; docs/spec/09-autonomys.md, section 8.2). P is the number of pieces in the sector, R the size of
// its network's record metadata; regions follow one another without padding:
//
//   0                        contents map: P bitmaps of 8192 bytes, 32 bytes checksum
//   M = 8192 P + 32          record chunks, ordered by s-bucket, then by piece offset
//   M + 1048576 P            record metadata: P times what is no record of a piece, and its checksum
//   M + (1048576 + R) P      BLAKE3 of everything before
#pragma once

#include "furrow/core/network.hpp"

namespace furrow {

constexpr std::uint64_t contents_map_size(std::uint16_t pieces_in_sector) {
  return std::uint64_t{pieces_in_sector} * kFoundProofsSize + kHashSize;
}
constexpr std::uint64_t record_chunks_offset(std::uint16_t pieces_in_sector) {
  return contents_map_size(pieces_in_sector);
}
constexpr std::uint64_t record_metadata_offset(std::uint16_t pieces_in_sector) {
  return record_chunks_offset(pieces_in_sector) + std::uint64_t{pieces_in_sector} * kRecordSize;
}
constexpr std::uint64_t sector_checksum_offset(Network network, std::uint16_t pieces_in_sector) {
  return record_metadata_offset(pieces_in_sector) +
         std::uint64_t{pieces_in_sector} * traits_of(network).record_metadata_size();
}
constexpr std::uint64_t sector_size(Network network, std::uint16_t pieces_in_sector) {
  return sector_checksum_offset(network, pieces_in_sector) + kHashSize;
}
static_assert(sector_size(Network::kAbundance, 1000) == 1'057'784'064);
static_assert(sector_size(Network::kAutonomys, 1000) == 1'056'896'064);

}  // namespace furrow
