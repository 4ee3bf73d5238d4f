// SPDX-License-Identifier: Apache-2.0
#include "host/sector/sector_metadata.hpp"

#include <algorithm>

#include "furrow/errors.hpp"

#include "host/base/hex.hpp"
#include "host/crypto/blake3.hpp"
#include "host/primitives/scale.hpp"

namespace furrow {

SectorMetadata SectorMetadata::expired_dummy(Network network, SectorIndex index,
                                             std::uint16_t pieces_in_sector) {
  SectorMetadata metadata;
  metadata.network = network;
  metadata.sector_index = index;
  metadata.pieces_in_sector = pieces_in_sector;
  metadata.history_size = HistorySize::from_count(1);
  return metadata;
}

bool SectorMetadata::holds_nothing() const {
  return std::all_of(s_bucket_sizes.begin(), s_bucket_sizes.end(),
                     [](std::uint16_t size) { return size == 0; });
}

std::vector<std::uint8_t> SectorMetadata::encode() const {
  ScaleWriter writer;
  writer.u16(sector_index.value()).u16(pieces_in_sector);
  for (const std::uint16_t size : s_bucket_sizes) {
    writer.u16(size);
  }
  writer.u64(history_size.number(network));
  return writer.raw(blake3(writer.bytes()).bytes).take();
}

SectorMetadata SectorMetadata::decode(Network network, std::span<const std::uint8_t> bytes,
                                      const std::string& what) {
  if (bytes.size() != kSectorMetadataSize) {
    throw InvalidBytesLength(what, kSectorMetadataSize, bytes.size());
  }
  const Hash actual = blake3(bytes.first(kSectorMetadataSize - kHashSize));
  const std::span<const std::uint8_t> stored = bytes.last(kHashSize);
  if (!std::equal(stored.begin(), stored.end(), actual.begin())) {
    throw ChecksumMismatch(what, to_hex(stored), to_hex(actual.bytes));
  }
  ScaleReader reader(bytes);
  SectorMetadata metadata;
  metadata.network = network;
  metadata.sector_index = SectorIndex(reader.u16());
  metadata.pieces_in_sector = reader.u16();
  for (std::uint16_t& size : metadata.s_bucket_sizes) {
    size = reader.u16();
  }
  const std::optional<HistorySize> history_size = HistorySize::from_number(network, reader.u64());
  if (!history_size.has_value()) {
    throw MalformedData(what + ": history size: expected at least 1 segment, actual 0",
                        {.expected = "at least 1", .actual = "0"});
  }
  metadata.history_size = *history_size;
  return metadata;
}

}  // namespace furrow
