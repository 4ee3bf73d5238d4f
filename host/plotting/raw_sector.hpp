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
  explicit RawSector(std::uint16_t pieces_in_sector, const BlockSource& memory = make_page_block)
      : metadata(pieces_in_sector),
        block_(memory(std::max<std::size_t>(1, pieces_in_sector * sizeof(Record)))) {}
  RawSector(RawSector&&) = default;
  RawSector& operator=(RawSector&&) = default;
  RawSector(const RawSector&) = delete;
  RawSector& operator=(const RawSector&) = delete;
  ~RawSector() = default;

  [[nodiscard]] std::span<Record> all_records() {
    return {reinterpret_cast<Record*>(block_.get()), metadata.size()};  // bytes without alignment
  }
  [[nodiscard]] std::span<const Record> all_records() const {
    return {reinterpret_cast<const Record*>(block_.get()), metadata.size()};
  }

  std::vector<RecordMetadata> metadata;

 private:
  MemoryBlock block_;
};

/// Bytes of memory that a sector of P pieces takes until it is laid out, its bitmaps included.
[[nodiscard]] constexpr std::uint64_t raw_sector_bytes(std::uint16_t pieces_in_sector) {
  return std::uint64_t{pieces_in_sector} *
         (sizeof(Record) + sizeof(RecordMetadata) + sizeof(FoundProofs));
}

}  // namespace furrow
