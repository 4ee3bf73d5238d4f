// SPDX-License-Identifier: Apache-2.0
#include "host/plotting/plotted_sector.hpp"

#include <algorithm>

#include "host/primitives/scale.hpp"

namespace furrow {

std::vector<std::uint8_t> PlottedSector::encode() const {
  ScaleWriter out;
  out.raw(sector_id.bytes).u16(sector_index.value()).raw(sector_metadata.encode());
  out.compact(piece_indexes.size());
  for (const PieceIndex index : piece_indexes) {
    out.u64(index.value());
  }
  return out.take();
}

PlottedSector PlottedSector::decode(Network network, std::span<const std::uint8_t> bytes,
                                    const std::string& what) {
  const auto expect = [&what](std::uint64_t expected, std::uint64_t actual, const char* of) {
    if (actual != expected) {
      throw ScaleError(what, std::to_string(expected) + " " + of, std::to_string(actual));
    }
  };
  ScaleReader in(bytes);
  PlottedSector result;
  std::ranges::copy(in.raw(result.sector_id.bytes.size()), result.sector_id.bytes.begin());
  result.sector_index = SectorIndex(in.u16());
  result.sector_metadata = SectorMetadata::decode(network, in.raw(kSectorMetadataSize), what);
  const std::uint64_t n_pieces = in.compact();
  // Before there is memory for them.
  expect(result.sector_metadata.pieces_in_sector, n_pieces, "piece indexes, as its metadata says");
  expect(result.sector_metadata.sector_index.value(), result.sector_index.value(),
         "for its sector index, as its metadata says");
  for (std::uint64_t i = 0; i < n_pieces; ++i) {
    result.piece_indexes.emplace_back(in.u64());
  }
  expect(0, in.remaining(), "bytes behind it");
  return result;
}

}  // namespace furrow
