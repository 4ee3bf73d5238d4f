// SPDX-License-Identifier: Apache-2.0
// How many sectors fit into the space given to a farm (docs/spec/06-farm-format.md, section 4).
#pragma once

#include <cstdint>
#include <optional>

#include "furrow/errors.hpp"

namespace furrow {

/// Index 65535 is never used.
inline constexpr std::uint16_t kMaxSectors = 65534;
/// Unit to which the files of a farm are rounded up.
inline constexpr std::uint64_t kDiskPageSize = 4096;
/// Space before the first slot of metadata.bin.
inline constexpr std::uint64_t kReservedPlotMetadata = 1'048'576;

/// Percentage of a farm that a piece cache gets unless somebody says otherwise: the smallest that
/// the reference farmer can be given, and its default. A farm that was made with less loses its
/// last sectors when that farmer opens it with the same size.
inline constexpr unsigned kDefaultCachePercentage = 1;

constexpr std::uint64_t round_up_to_page(std::uint64_t size) {
  return (size + kDiskPageSize - 1) / kDiskPageSize * kDiskPageSize;
}

struct SpaceDistribution {
  std::uint16_t sector_count = 0;
  std::uint64_t plot_file_size = 0;
  /// Before rounding up to a page.
  std::uint64_t metadata_file_size = 0;
  /// In elements of 1049600 bytes, at most 2^32 - 1.
  std::uint32_t piece_cache_capacity = 0;
  /// Before rounding up to a page; 0 when there is to be no file.
  std::uint64_t piece_cache_file_size = 0;
  bool operator==(const SpaceDistribution&) const = default;

  /// Throws InvalidArgument when pieces_in_sector is 0 or cache_percentage above 99,
  /// InsufficientSpace when not even one sector fits, FarmTooLarge above 65534 sectors.
  static SpaceDistribution compute(std::uint64_t allocated_space, std::uint16_t pieces_in_sector,
                                   unsigned cache_percentage = 0);
  /// The same; none where it throws InsufficientSpace or FarmTooLarge.
  static std::optional<SpaceDistribution> compute_if_any(std::uint64_t allocated_space,
                                                         std::uint16_t pieces_in_sector,
                                                         unsigned cache_percentage);
};

/// Smallest allocated space that gives `sector_count` sectors and that share to a piece cache.
/// Throws InvalidArgument when sector_count is 0 or above 65534, pieces_in_sector is 0 or
/// cache_percentage above 99.
std::uint64_t allocated_space_for_sectors(std::uint16_t sector_count,
                                          std::uint16_t pieces_in_sector,
                                          unsigned cache_percentage = 0);

/// The space holds no sector.
class InsufficientSpace : public Error {
 public:
  InsufficientSpace(std::uint64_t allocated_space, std::uint64_t minimum);
  [[nodiscard]] std::uint64_t allocated_space() const noexcept { return allocated_space_; }
  /// Exactly the smallest allocated space that would be accepted.
  [[nodiscard]] std::uint64_t minimum() const noexcept { return minimum_; }

 private:
  std::uint64_t allocated_space_;
  std::uint64_t minimum_;
};

/// The space holds more sectors than can be numbered.
class FarmTooLarge : public Error {
 public:
  /// Sizes are those of the sectors alone.
  FarmTooLarge(std::uint64_t allocated_sectors, std::uint64_t sector_bytes);
  [[nodiscard]] std::uint64_t allocated_sectors() const noexcept { return allocated_sectors_; }
  [[nodiscard]] std::uint64_t allocated_space() const noexcept { return allocated_space_; }
  [[nodiscard]] std::uint64_t max_sectors() const noexcept { return kMaxSectors; }
  [[nodiscard]] std::uint64_t max_space() const noexcept { return max_space_; }

 private:
  std::uint64_t allocated_sectors_;
  std::uint64_t allocated_space_;
  std::uint64_t max_space_;
};

}  // namespace furrow
