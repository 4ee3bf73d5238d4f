// SPDX-License-Identifier: Apache-2.0
// plot.bin: sectors back to back from byte 0, without a header (docs/spec/06-farm-format.md,
// section 2.5). Sectors are no multiple of a disk page: neighbours share one.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "furrow/types.hpp"

#include "host/base/file.hpp"
#include "host/sector/sector_layout.hpp"

namespace furrow {

/// Thread-safe for distinct sectors.
class PlotFile {
 public:
  PlotFile(File file, std::uint16_t pieces_in_sector)
      : file_(std::move(file)),
        sector_size_(furrow::sector_size(Network::kAbundance, pieces_in_sector)) {}

  [[nodiscard]] std::uint64_t sector_size() const { return sector_size_; }
  /// Bytes up to the end of the last of `sector_count` sectors, not rounded.
  [[nodiscard]] std::uint64_t size_for(std::uint16_t sector_count) const {
    return sector_count * sector_size_;
  }

  /// Throws FarmFileTooShort when the file ends before the last of `sector_count` sectors, which
  /// are needed for what `needed_for` says.
  void check_holds(std::uint16_t sector_count, const std::string& needed_for) const;
  /// The same for all bytes of one sector.
  void check_holds_sector(SectorIndex index) const;

  /// Throws InvalidArgument when `bytes` is not exactly one sector.
  void write_sector_bytes(SectorIndex index, std::span<const std::uint8_t> bytes) const;
  /// Reads out.size() bytes at `offset` within a sector. Throws InvalidArgument when that reaches
  /// beyond the sector.
  void read(SectorIndex index, std::uint64_t offset, std::span<std::uint8_t> out) const;

  void sync() const { file_.sync(); }
  [[nodiscard]] const File& file() const { return file_; }

 private:
  File file_;
  std::uint64_t sector_size_;
};

}  // namespace furrow
