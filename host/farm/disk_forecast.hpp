// SPDX-License-Identifier: Apache-2.0
// What plotting a farm takes of its disk, told before anything is made.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

#include "host/farm/farm_options.hpp"

namespace furrow {

struct DiskForecast {
  std::uint16_t pieces_in_sector = 0;
  std::uint16_t sectors = 0;          ///< that the farm shall have
  std::uint16_t sectors_plotted = 0;  ///< of these, now; not those that are lost or dropped
  std::uint64_t farm_bytes = 0;       ///< of the files of the farm in the end, its allocated space
  /// The most that `state` and `index` beside them take.
  std::uint64_t beside_bytes = 0;
  std::uint64_t present_bytes = 0;  ///< what there is of all that on disk
  std::uint64_t free_bytes = 0;     ///< of the file system, for this user

  [[nodiscard]] std::uint16_t sectors_to_plot() const {
    return sectors > sectors_plotted ? static_cast<std::uint16_t>(sectors - sectors_plotted)
                                     : std::uint16_t{0};
  }
  /// That are still to be taken of the disk.
  [[nodiscard]] std::uint64_t needed_bytes() const {
    const std::uint64_t all = farm_bytes + beside_bytes;
    return all > present_bytes ? all - present_bytes : 0;
  }
  [[nodiscard]] bool fits() const { return needed_bytes() <= free_bytes; }
};

/// Of a farm that is opened with these options, in kPlot mode, and plotted up to `sectors`, or all
/// that there is room for. Changes nothing. Throws what plan_farm throws, and IoError when the file
/// system cannot be asked.
DiskForecast forecast_disk(const FarmOptions& options, std::optional<std::uint16_t> sectors = {});

/// The allocated space of the largest farm that leaves `bytes_left` free on its disk, with `state`
/// and `index`. What a farm that is there takes is counted as free. Throws InvalidArgument, naming
/// both numbers, when there is nothing left for it, and IoError.
std::uint64_t space_that_leaves(const std::filesystem::path& directory, std::uint64_t bytes_left,
                                std::uint16_t pieces_in_sector);

}  // namespace furrow
