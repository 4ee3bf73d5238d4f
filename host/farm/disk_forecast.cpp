// SPDX-License-Identifier: Apache-2.0
#include "host/farm/disk_forecast.hpp"

#include <algorithm>
#include <cerrno>

#include <sys/stat.h>
#include <sys/statvfs.h>

#include "host/base/byte_size.hpp"
#include "host/farm/farm_open.hpp"
#include "host/pieces/piece_cache.hpp"
#include "host/sector/sector_layout.hpp"
#include "host/sector/sector_metadata.hpp"

namespace furrow {
namespace {

namespace fs = std::filesystem;

// docs/formats/farm-state.md and plotted-pieces.md, "Memory and disk".
constexpr std::uint64_t kStateCopies = 3;
constexpr std::uint64_t kIndexBytesPerPiece = 2 * 56;
constexpr std::uint64_t kFixedBeside = std::uint64_t{16} << 20;

std::uint64_t beside_sector(std::uint16_t pieces_in_sector) {
  return kStateCopies * kSectorMetadataSize + kIndexBytesPerPiece * pieces_in_sector;
}

/// Of the file or directory with that path, or of the first one above it that exists.
std::uint64_t free_bytes_at(const fs::path& path) {
  std::error_code absolute_failed;
  fs::path at = fs::absolute(path, absolute_failed);
  struct statvfs disk {};
  while (::statvfs(at.c_str(), &disk) != 0) {
    if (errno != ENOENT || at == at.parent_path()) {
      throw IoError("ask for the free space of", at.native(), errno);
    }
    at = at.parent_path();
  }
  return std::uint64_t{disk.f_bavail} * disk.f_frsize;
}

std::uint64_t bytes_on_disk(const fs::path& path) {
  struct stat status {};
  return ::lstat(path.c_str(), &status) == 0 ? static_cast<std::uint64_t>(status.st_blocks) * 512
                                             : 0;
}

/// Of what belongs to a farm in that directory.
std::uint64_t present_bytes_of(const fs::path& directory) {
  std::uint64_t bytes = 0;
  for (const char* name : {kPlotFileName, kMetadataFileName, kPieceCacheFileName}) {
    bytes += bytes_on_disk(directory / name);
  }
  for (const char* name : {kStateDirectoryName, kIndexDirectoryName}) {
    std::error_code ignored;
    for (fs::recursive_directory_iterator at(directory / name, ignored), end; at != end;
         at.increment(ignored)) {
      bytes += bytes_on_disk(at->path());
    }
  }
  return bytes;
}

}  // namespace

DiskForecast forecast_disk(const FarmOptions& options, std::optional<std::uint16_t> sectors) {
  const FarmPlan plan = plan_farm(options);
  DiskForecast result;
  result.pieces_in_sector = plan.pieces_in_sector;
  result.sectors = sectors.value_or(plan.sector_count);
  const std::size_t looked_at = std::min<std::size_t>(plan.is_plotted.size(), result.sectors);
  result.sectors_plotted = static_cast<std::uint16_t>(
      std::count(plan.is_plotted.begin(),
                 plan.is_plotted.begin() + static_cast<std::ptrdiff_t>(looked_at), true));
  result.farm_bytes = plan.allocated_space;
  result.beside_bytes =
      kFixedBeside + std::max<std::uint64_t>(result.sectors, plan.is_plotted.size()) *
                         beside_sector(result.pieces_in_sector);
  result.present_bytes = present_bytes_of(options.directory);
  result.free_bytes = free_bytes_at(options.directory);
  return result;
}

std::uint64_t space_that_leaves(const fs::path& directory, std::uint64_t bytes_left,
                                std::uint16_t pieces_in_sector) {
  const std::uint64_t available = free_bytes_at(directory) + present_bytes_of(directory);
  if (available < bytes_left || available - bytes_left <= kFixedBeside) {
    throw InvalidArgument("the disk of " + directory.native() + " has " + size_text(available) +
                          " for a farm; nothing is left of that when " + size_text(bytes_left) +
                          " shall stay free");
  }
  const std::uint64_t usable = available - bytes_left - kFixedBeside;
  const std::uint64_t sector =
      sector_size(Network::kAbundance, pieces_in_sector) + kSectorMetadataSize;
  const std::uint64_t with_beside = sector + beside_sector(pieces_in_sector);
  // By whole sectors first: the product of two numbers of bytes would overflow.
  return usable / with_beside * sector +
         static_cast<std::uint64_t>(static_cast<double>(usable % with_beside) *
                                    static_cast<double>(sector) / static_cast<double>(with_beside));
}

}  // namespace furrow
