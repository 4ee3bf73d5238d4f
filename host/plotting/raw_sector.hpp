// SPDX-License-Identifier: Apache-2.0
// The memory of a sector on its way from pieces to bytes: its records, downloaded first and encoded in
// place later (docs/spec/03-record-encoding-and-sector.md, section 6.1).
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "furrow/piece.hpp"
#include "furrow/types.hpp"

#include "host/base/memory_block.hpp"

namespace furrow {

/// Records and record metadata of a sector, by piece offset. Move-only.
class RawSector {
 public:
  /// Without room.
  RawSector() = default;
  /// What the records hold is unspecified. They lie in plain memory: encoders copy from there into
  /// staging memory of their own, so pinned memory would gain nothing.
  RawSector(Network network, std::uint16_t pieces_in_sector,
            const BlockSource& memory = make_page_block)
      : network_(network),
        pieces_in_sector_(pieces_in_sector),
        metadata_(pieces_in_sector * traits_of(network).record_metadata_size()),
        block_(memory(std::max<std::size_t>(1, pieces_in_sector * sizeof(Record)))) {}
  RawSector(RawSector&&) = default;
  RawSector& operator=(RawSector&&) = default;
  RawSector(const RawSector&) = delete;
  RawSector& operator=(const RawSector&) = delete;
  ~RawSector() = default;

  [[nodiscard]] Network network() const { return network_; }
  [[nodiscard]] std::uint16_t pieces_in_sector() const { return pieces_in_sector_; }

  [[nodiscard]] std::span<Record> all_records() {
    return {reinterpret_cast<Record*>(block_.get()), pieces_in_sector_};  // bytes without alignment
  }
  [[nodiscard]] std::span<const Record> all_records() const {
    return {reinterpret_cast<const Record*>(block_.get()), pieces_in_sector_};
  }
  /// Record metadata one after another, as they stand in a sector.
  [[nodiscard]] std::span<const std::uint8_t> all_metadata() const { return metadata_; }

  /// Those at one offset. Pre: offset < pieces_in_sector().
  [[nodiscard]] std::span<const std::uint8_t> metadata_at(std::size_t offset) const {
    const std::size_t size = traits_of(network_).record_metadata_size();
    return all_metadata().subspan(offset * size, size);
  }

  /// Puts a piece whose BLAKE3 is `checksum` at `offset`. Pre: the piece is of network(), and
  /// offset < pieces_in_sector().
  template <class P>
  void put(std::size_t offset, const P& piece, const Hash& checksum) {
    all_records()[offset] = piece.record;
    const auto entry = record_metadata_of(piece, checksum);
    std::ranges::copy(bytes_of(entry),
                      metadata_.begin() + static_cast<std::ptrdiff_t>(offset * sizeof(entry)));
  }

 private:
  Network network_ = Network::kAbundance;
  std::uint16_t pieces_in_sector_ = 0;
  std::vector<std::uint8_t> metadata_;
  MemoryBlock block_;
};

/// Bytes of memory that a sector of P pieces takes until it is laid out, its bitmaps included.
[[nodiscard]] constexpr std::uint64_t raw_sector_bytes(Network network,
                                                       std::uint16_t pieces_in_sector) {
  return std::uint64_t{pieces_in_sector} *
         (sizeof(Record) + traits_of(network).record_metadata_size() + sizeof(FoundProofs));
}

}  // namespace furrow
