// SPDX-License-Identifier: Apache-2.0
#include "host/farm/metadata_file.hpp"

#include <algorithm>
#include <array>
#include <thread>
#include <utility>
#include <vector>

#include "host/base/counted.hpp"
#include "host/farm/farm_errors.hpp"
#include "host/farm/file_age.hpp"

namespace furrow {
namespace {

/// Far longer than a write of a slot takes, once it has begun.
constexpr std::chrono::milliseconds kPause{20};
constexpr int kMostReads = 50;

}  // namespace

std::uint16_t MetadataFile::read_plotted_sector_count() const {
  const std::uint64_t size = file_.size();
  if (size < kHeaderSize) {
    throw FarmFileTooShort(file_.path(), "its header", kHeaderSize, size);
  }
  std::array<std::uint8_t, kHeaderSize> header{};
  std::array<std::uint8_t, kHeaderSize> before{};
  file_.read_at(0, header);
  do {
    before = header;
    file_.read_at(0, header);
  } while (header != before);  // a count of two bytes has no checksum
  if (header[0] != kVersion) {
    throw UnsupportedMetadataVersion(file_.path(), header[0]);
  }
  return static_cast<std::uint16_t>(header[1] | (header[2] << 8));
}

void MetadataFile::write_header(std::uint16_t plotted_sector_count) const {
  const std::array<std::uint8_t, kHeaderSize> header = {
      kVersion, static_cast<std::uint8_t>(plotted_sector_count & 0xFF),
      static_cast<std::uint8_t>(plotted_sector_count >> 8)};
  file_.write_at(0, header);
}

void MetadataFile::check_holds(std::uint16_t sector_count, const std::string& needed_for) const {
  const std::uint64_t expected = size_for(sector_count);
  const std::uint64_t actual = file_.size();
  if (actual < expected) {
    throw FarmFileTooShort(file_.path(), needed_for, expected, actual);
  }
}

SectorMetadata MetadataFile::read_slot(SectorIndex index, std::uint16_t pieces_in_sector) const {
  check_holds(static_cast<std::uint16_t>(index.value() + 1),
              "the slot of sector " + std::to_string(index.value()));
  SectorMetadata metadata = decode_slot(index);
  if (metadata.sector_index != index) {
    throw SlotMismatch(index, "sector index", index.value(), metadata.sector_index.value());
  }
  if (metadata.pieces_in_sector != pieces_in_sector) {
    throw SlotMismatch(index, "\"piecesInSector\" of single_disk_farm.json,", pieces_in_sector,
                       metadata.pieces_in_sector);
  }
  const std::uint16_t largest =
      *std::max_element(metadata.s_bucket_sizes.begin(), metadata.s_bucket_sizes.end());
  if (largest > pieces_in_sector) {
    throw DamagedSlot(index, "slot: expected at most " + counted(pieces_in_sector, "chunk") +
                                 " in an s-bucket, actual " + std::to_string(largest));
  }
  return metadata;
}

std::optional<SectorMetadata> MetadataFile::read_uncounted_slot(
    SectorIndex index, std::uint16_t pieces_in_sector) const {
  if (!has_slot(index)) {
    return std::nullopt;
  }
  std::vector<std::uint8_t> bytes(kSectorMetadataSize);
  file_.read_at(slot_offset(index.value()), bytes);
  if (std::ranges::all_of(bytes, [](std::uint8_t byte) { return byte == 0; })) {
    return std::nullopt;
  }
  try {
    SectorMetadata metadata = SectorMetadata::decode(Network::kAbundance, bytes, "slot");
    const bool is_of_this =
        metadata.sector_index == index && metadata.pieces_in_sector == pieces_in_sector;
    return is_of_this && !metadata.holds_nothing() ? std::optional(std::move(metadata))
                                                   : std::nullopt;
  } catch (const Error&) {
    return std::nullopt;  // what stands in the slot of a sector that does not exist has no meaning
  }
}

SectorMetadata MetadataFile::decode_slot(SectorIndex index) const {
  std::vector<std::uint8_t> bytes(kSectorMetadataSize);
  std::vector<std::uint8_t> before;
  for (int reads = 1;; ++reads) {
    file_.read_at(slot_offset(index.value()), bytes);
    try {
      return SectorMetadata::decode(Network::kAbundance, bytes, "slot");
    } catch (const ChecksumMismatch& error) {
      if (bytes == before || reads == kMostReads || !was_written_within(file_.path(), kSettling)) {
        throw DamagedSlot(index, error.what());
      }
    }
    before = bytes;
    std::this_thread::sleep_for(kPause);
  }
}

void MetadataFile::write_slot(const SectorMetadata& metadata) const {
  file_.write_at(slot_offset(metadata.sector_index.value()), metadata.encode());
}

}  // namespace furrow
