// SPDX-License-Identifier: Apache-2.0
// Bytes of a sector from its encoded records (docs/spec/03-record-encoding-and-sector.md, section
// 4; docs/spec/09-autonomys.md, section 8).
#pragma once

#include <cstdint>
#include <span>

#include "furrow/piece.hpp"

#include "host/sector/contents_map.hpp"

namespace furrow {

/// Lays out a sector of P = map.pieces_in_sector() pieces: contents map, chunks in s-bucket order,
/// record metadata, checksum. `records` (shape [P][32768][32] bytes) are the encoded ones: chunk k
/// of record p belongs to the k-th s-bucket that the map gives it; those of plain chunks, if the network
/// has any, follow. `metadata` are P record metadata, one after another. Throws InvalidBytesLength when
/// `out` is not sector_size(P) bytes and InvalidArgument when records or metadata are not P in
/// number, or a record uses more than 32768 s-buckets. Every byte of `out` is written.
void assemble_sector(const SectorContentsMap& map, std::span<const Record> records,
                     std::span<const std::uint8_t> metadata, std::span<std::uint8_t> out);
/// For Abundance, with record metadata as they are in memory.
inline void assemble_sector(const SectorContentsMap& map, std::span<const Record> records,
                            std::span<const RecordMetadata> metadata, std::span<std::uint8_t> out) {
  assemble_sector(map, records,
                  {reinterpret_cast<const std::uint8_t*>(metadata.data()), metadata.size_bytes()},
                  out);
}

}  // namespace furrow
