// SPDX-License-Identifier: Apache-2.0
// metadata.bin: which sectors exist, and what is in them (docs/spec/06-farm-format.md,
// section 2.4).
//
//         0                u8   version, 0
//         1                u16  count of plotted sectors: 0 .. count-1 exist, all others do not
//         3                     zero up to 1048576
//   1048576 + 131116 * i        slot of sector i: SectorMetadata with its checksum
//
// Another process may be writing the file while it is read. So what is read of a file that was just
// written counts only when it is sound, or when it stays the same.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "host/base/file.hpp"
#include "host/farm/space.hpp"
#include "host/sector/sector_metadata.hpp"

namespace furrow {

/// Thread-safe for distinct slots; the header is one more such place.
class MetadataFile {
 public:
  static constexpr std::size_t kHeaderSize = 3;
  static constexpr std::uint8_t kVersion = 0;

  /// How long after a write whoever finds damage has to look again.
  static constexpr std::chrono::seconds kSettling{60};

  explicit MetadataFile(File file) : file_(std::move(file)) {}

  /// Bytes up to the end of the last of `sector_count` slots, not rounded.
  static constexpr std::uint64_t size_for(std::uint16_t sector_count) {
    return slot_offset(sector_count);
  }
  static constexpr std::uint64_t slot_offset(std::uint16_t index) {
    return kReservedPlotMetadata + std::uint64_t{index} * kSectorMetadataSize;
  }

  /// Throws FarmFileTooShort when there is no whole header and UnsupportedMetadataVersion.
  [[nodiscard]] std::uint16_t read_plotted_sector_count() const;
  void write_header(std::uint16_t plotted_sector_count) const;

  /// Throws FarmFileTooShort when the file ends before the last of `sector_count` slots, which are
  /// needed for what `needed_for` says.
  void check_holds(std::uint16_t sector_count, const std::string& needed_for) const;

  /// Reads a slot and checks that it is one of sector `index` of a farm with this many pieces in a
  /// sector. Throws DamagedSlot when its checksum does not hold or it contradicts itself,
  /// SlotMismatch when it is sound, but of another sector or size,
  /// FarmFileTooShort when the file ends before it, IoError when it cannot be read.
  [[nodiscard]] SectorMetadata read_slot(SectorIndex index, std::uint16_t pieces_in_sector) const;
  /// Whether the file reaches to the end of this slot.
  [[nodiscard]] bool has_slot(SectorIndex index) const {
    return file_.size() >= slot_offset(index.value()) + kSectorMetadataSize;
  }
  /// Of a sector that is not counted: what stands in its slot if that is sound, of this sector and
  /// size, and no marker of a lost one. Most such slots are zeros, so none is read twice: one that
  /// is just being written is not sound yet. Throws IoError.
  [[nodiscard]] std::optional<SectorMetadata> read_uncounted_slot(
      SectorIndex index, std::uint16_t pieces_in_sector) const;
  /// Writes the slot of metadata.sector_index.
  void write_slot(const SectorMetadata& metadata) const;

  void sync() const { file_.sync(); }
  [[nodiscard]] const File& file() const { return file_; }

 private:
  [[nodiscard]] SectorMetadata decode_slot(SectorIndex index) const;

  File file_;
};

}  // namespace furrow
