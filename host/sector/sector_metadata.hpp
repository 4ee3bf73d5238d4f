// SPDX-License-Identifier: Apache-2.0
// Metadata of a sector, kept apart from it (docs/spec/03, section 4.1; docs/spec/06, section 2.4;
// docs/spec/09, section 8.3).
//
//        0  u16          sector index
//        2  u16          pieces in sector
//        4  65536 x u16  chunks in each s-bucket
//   131076  u64          history size, as the number of the network
//   131084               BLAKE3 of the bytes before, 32 bytes
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "furrow/types.hpp"

namespace furrow {

/// Bytes of the encoding, whatever the number of pieces.
inline constexpr std::size_t kSectorMetadataSize = 4 + 2 * kNumSBuckets + 8 + kHashSize;
static_assert(kSectorMetadataSize == 131'116);

struct SectorMetadata {
  /// Not in the bytes: whoever has them knows.
  Network network = Network::kAbundance;
  SectorIndex sector_index;
  std::uint16_t pieces_in_sector = 0;
  /// Chunks in each of the 65536 s-buckets, 0 to pieces_in_sector.
  std::vector<std::uint16_t> s_bucket_sizes = std::vector<std::uint16_t>(kNumSBuckets);
  HistorySize history_size;
  bool operator==(const SectorMetadata&) const = default;

  /// The marker "this sector is lost": decodes, holds no chunks, is expired (docs/spec/06, 2.4).
  static SectorMetadata expired_dummy(Network network, SectorIndex index,
                                      std::uint16_t pieces_in_sector);
  /// Whether no s-bucket holds a chunk, as in the dummy.
  [[nodiscard]] bool holds_nothing() const;

  /// The 131116 bytes, checksum included.
  [[nodiscard]] std::vector<std::uint8_t> encode() const;
  /// Throws InvalidBytesLength when `bytes` is no whole slot, ChecksumMismatch when its checksum is
  /// not that of its contents, and MalformedData for a history size that the network does not have;
  /// `what` names it in the message.
  static SectorMetadata decode(Network network, std::span<const std::uint8_t> bytes,
                               const std::string& what);
};

}  // namespace furrow
