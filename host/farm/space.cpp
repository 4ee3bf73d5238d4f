// SPDX-License-Identifier: Apache-2.0
#include "host/farm/space.hpp"

#include <algorithm>
#include <limits>
#include <string>

#include "host/primitives/piece_element.hpp"
#include "host/sector/sector_layout.hpp"
#include "host/sector/sector_metadata.hpp"

namespace furrow {
namespace {

constexpr std::uint64_t kReservedFarmInfo = 1'048'576;
constexpr std::uint64_t kIdentityFileSize = 32;
constexpr std::uint64_t kKnownPeersSize = 961'284;
constexpr std::uint64_t kFixedSpace =
    kReservedPlotMetadata + kReservedFarmInfo + kIdentityFileSize + kKnownPeersSize;

/// What a sector takes in plot.bin and metadata.bin together.
std::uint64_t bytes_per_sector(std::uint16_t pieces_in_sector) {
  return sector_size(Network::kAbundance, pieces_in_sector) + kSectorMetadataSize;
}

/// Smallest allocated space for which the formula gives `sector_count` sectors. All its steps are
/// monotonous, so it can be walked backwards.
std::uint64_t smallest_space(std::uint64_t sector_count, std::uint16_t pieces_in_sector,
                             unsigned cache_percentage) {
  const std::uint64_t usable = sector_count * bytes_per_sector(pieces_in_sector) + kDiskPageSize;
  const std::uint64_t plot_percentage = 100 - cache_percentage;
  return kFixedSpace + (usable + plot_percentage - 1) / plot_percentage * 100;
}

void check(std::uint16_t pieces_in_sector, unsigned cache_percentage) {
  if (pieces_in_sector == 0) {
    throw InvalidArgument("pieces in sector: expected at least 1, actual 0");
  }
  if (cache_percentage > 99) {
    throw InvalidArgument("cache percentage: expected 0 to 99, actual " +
                          std::to_string(cache_percentage));
  }
}

}  // namespace

SpaceDistribution SpaceDistribution::compute(std::uint64_t allocated_space,
                                             std::uint16_t pieces_in_sector,
                                             unsigned cache_percentage) {
  check(pieces_in_sector, cache_percentage);
  const std::uint64_t variable = allocated_space - std::min(allocated_space, kFixedSpace);
  const std::uint64_t usable = variable / 100 * (100 - cache_percentage);
  const std::uint64_t sectors =
      usable < kDiskPageSize ? 0 : (usable - kDiskPageSize) / bytes_per_sector(pieces_in_sector);
  if (sectors == 0) {
    throw InsufficientSpace(allocated_space, smallest_space(1, pieces_in_sector, cache_percentage));
  }
  if (sectors > kMaxSectors) {
    throw FarmTooLarge(sectors, sector_size(Network::kAbundance, pieces_in_sector));
  }

  SpaceDistribution result;
  result.sector_count = static_cast<std::uint16_t>(sectors);
  result.plot_file_size =
      round_up_to_page(sectors * sector_size(Network::kAbundance, pieces_in_sector));
  result.metadata_file_size = kReservedPlotMetadata + kSectorMetadataSize * sectors;
  if (cache_percentage > 0) {
    // The page subtracted from `usable` pays for the rounding of the plot file: nothing underflows.
    const std::uint64_t capacity =
        (variable - result.plot_file_size - kSectorMetadataSize * sectors) / kPieceElementSize;
    result.piece_cache_capacity = static_cast<std::uint32_t>(
        std::min<std::uint64_t>(capacity, std::numeric_limits<std::uint32_t>::max()));
    result.piece_cache_file_size = result.piece_cache_capacity * std::uint64_t{kPieceElementSize};
  }
  return result;
}

std::optional<SpaceDistribution> SpaceDistribution::compute_if_any(std::uint64_t allocated_space,
                                                                   std::uint16_t pieces_in_sector,
                                                                   unsigned cache_percentage) {
  try {
    return compute(allocated_space, pieces_in_sector, cache_percentage);
  } catch (const InsufficientSpace&) {
    return std::nullopt;
  } catch (const FarmTooLarge&) {
    return std::nullopt;
  }
}

std::uint64_t allocated_space_for_sectors(std::uint16_t sector_count,
                                          std::uint16_t pieces_in_sector,
                                          unsigned cache_percentage) {
  check(pieces_in_sector, cache_percentage);
  if (sector_count == 0 || sector_count > kMaxSectors) {
    throw InvalidArgument("sectors in farm: expected 1 to " + std::to_string(kMaxSectors) +
                          ", actual " + std::to_string(sector_count));
  }
  return smallest_space(sector_count, pieces_in_sector, cache_percentage);
}

InsufficientSpace::InsufficientSpace(std::uint64_t allocated_space, std::uint64_t minimum)
    : Error(ErrorKind::kInvalidArgument,
            "insufficient allocated space: expected at least " + std::to_string(minimum) +
                " bytes, actual " + std::to_string(allocated_space),
            {.expected = std::to_string(minimum), .actual = std::to_string(allocated_space)}),
      allocated_space_(allocated_space),
      minimum_(minimum) {}

FarmTooLarge::FarmTooLarge(std::uint64_t allocated_sectors, std::uint64_t sector_bytes)
    : Error(ErrorKind::kInvalidArgument,
            "farm too large: expected at most " + std::to_string(kMaxSectors) + " sectors (" +
                std::to_string(kMaxSectors * sector_bytes) + " bytes), actual " +
                std::to_string(allocated_sectors) + " (" +
                std::to_string(allocated_sectors * sector_bytes) + " bytes)",
            {.expected = std::to_string(kMaxSectors), .actual = std::to_string(allocated_sectors)}),
      allocated_sectors_(allocated_sectors),
      allocated_space_(allocated_sectors * sector_bytes),
      max_space_(kMaxSectors * sector_bytes) {}

}  // namespace furrow
