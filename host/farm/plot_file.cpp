// SPDX-License-Identifier: Apache-2.0
#include "host/farm/plot_file.hpp"

#include <algorithm>
#include <string>

#include "furrow/errors.hpp"

#include "host/farm/farm_errors.hpp"

namespace furrow {
namespace {

/// Bytes of one write call: small enough that a crash between two of them can be tested.
constexpr std::size_t kWriteSize = std::size_t{1} << 20;

}  // namespace

void PlotFile::check_holds(std::uint16_t sector_count, const std::string& needed_for) const {
  const std::uint64_t expected = size_for(sector_count);
  const std::uint64_t actual = file_.size();
  if (actual < expected) {
    throw FarmFileTooShort(file_.path(), needed_for, expected, actual);
  }
}

void PlotFile::check_holds_sector(SectorIndex index) const {
  check_holds(static_cast<std::uint16_t>(index.value() + 1),
              "sector " + std::to_string(index.value()));
}

void PlotFile::write_sector_bytes(SectorIndex index, std::span<const std::uint8_t> bytes) const {
  if (bytes.size() != sector_size_) {
    throw InvalidArgument("sector " + std::to_string(index.value()) + ": expected " +
                          std::to_string(sector_size_) + " bytes, actual " +
                          std::to_string(bytes.size()));
  }
  std::uint64_t offset = index.value() * sector_size_;
  while (!bytes.empty()) {
    const std::size_t n = std::min(bytes.size(), kWriteSize);
    file_.write_at(offset, bytes.first(n));
    bytes = bytes.subspan(n);
    offset += n;
  }
}

void PlotFile::read(SectorIndex index, std::uint64_t offset, std::span<std::uint8_t> out) const {
  if (offset > sector_size_ || out.size() > sector_size_ - offset) {
    throw InvalidArgument("sector " + std::to_string(index.value()) + ": cannot read " +
                          std::to_string(out.size()) + " bytes at " + std::to_string(offset) +
                          ", it has " + std::to_string(sector_size_));
  }
  try {
    file_.read_at(index.value() * sector_size_ + offset, out);
  } catch (const IoError& error) {
    if (error.error_number() == 0) {  // the file ends before: it is damaged, the disk is not
      check_holds_sector(index);
    }
    throw;
  }
}

}  // namespace furrow
