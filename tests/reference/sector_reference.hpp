// SPDX-License-Identifier: Apache-2.0
// Layout of a sector as docs/spec/03-record-encoding-and-sector.md, section 4, writes it down,
// without its checksums.
#pragma once

#include <cstdint>
#include <vector>

namespace furrow::reference {

/// Chunks region of a sector. `used[p]` is the bitmap of record p (8192 bytes), `encoded[p]` its
/// encoded record (1 MiB).
std::vector<std::uint8_t> sector_chunks(const std::vector<std::vector<std::uint8_t>>& used,
                                        const std::vector<std::vector<std::uint8_t>>& encoded);

/// Place of the chunk of (p, s) in that region, in chunks. Pre: record p uses s-bucket s.
std::size_t chunk_location(const std::vector<std::vector<std::uint8_t>>& used, std::size_t p,
                           std::size_t s);

}  // namespace furrow::reference
