// SPDX-License-Identifier: Apache-2.0
// The farm that `furrow plot` shall work on, and how many sectors it shall have.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "host/archive/manifest.hpp"
#include "host/farm/disk_forecast.hpp"
#include "host/farm/farm.hpp"

namespace furrow::cli {

/// What the command line says of the farm.
struct PlotTargetOptions {
  std::string farm;
  MakeDirectory create = MakeDirectory::kLastOnly;  ///< of the farm
  std::optional<std::uint64_t> sectors;
  std::optional<std::string> size;
  bool until_covered = false;
  std::optional<std::uint64_t> pieces_in_sector;
  std::optional<unsigned> cache_percentage;
  bool shrink = false;
  std::optional<Hash> genesis_root;
};

/// An open farm and how many sectors it shall have in the end.
struct PlotTarget {
  std::unique_ptr<Farm> farm;
  std::uint16_t sectors;
};

FarmerProtocolInfo protocol_info(const Manifest& manifest);

/// What plotting such a farm takes of its disk; none when nothing says how large it is to be.
/// `manifest` is needed for `until_covered`. How many sectors cover the history depends on the key
/// of the farm: for a new one it is what another key would take, and differs by a few. Throws what
/// open_plot_target would, as far as that can be told without making or locking anything.
std::optional<DiskForecast> planned_disk(const PlotTargetOptions& wanted, const Manifest* manifest);

/// Opens the farm, or creates it, with room for what is wanted. Throws InvalidArgument for options
/// that make no farm, and what Farm::open throws; whatever it throws leaves no new farm.
PlotTarget open_plot_target(const PlotTargetOptions& wanted, const Manifest& manifest);

/// Pieces in a sector of the farm in that directory, or what is wanted for a new one. Throws
/// InvalidArgument for a number out of range, and what Farm::open throws.
std::uint16_t planned_pieces_in_sector(const PlotTargetOptions& wanted);

/// With which size a farmer has to open the farm to find all of its sectors, in one line.
std::string size_for_farmer(const Farm& farm);

/// Sectors of the farm that hold nothing, in one line that says what to do; empty when there are
/// none.
std::string sectors_that_are_lost(const Farm& farm);

}  // namespace furrow::cli
