// SPDX-License-Identifier: Apache-2.0
#include "tools/plot_target.hpp"

#include <algorithm>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <spdlog/spdlog.h>

#include "host/base/counted.hpp"
#include "host/base/printable.hpp"
#include "host/farm/disk_forecast.hpp"
#include "host/farm/farm_create.hpp"
#include "host/farm/history_coverage.hpp"
#include "host/farm/shard_commitments.hpp"
#include "host/farm/space.hpp"
#include "host/store/paged_store/rocksdb_backend.hpp"
#include "tools/cli_support.hpp"

namespace furrow::cli {
namespace {

/// Pieces in sector when neither the farm nor the user says otherwise: the protocol's maximum.
constexpr std::uint16_t kDefaultPiecesInSector = kMaxPiecesInSector;

std::uint16_t checked(std::uint64_t value, std::uint64_t most, const char* what) {
  if (value == 0 || value > most) {
    throw InvalidArgument(fmt::format("{}: expected 1 to {}, actual {}", what, most, value));
  }
  return static_cast<std::uint16_t>(value);
}

FarmOptions farm_options(const PlotTargetOptions& wanted, const Manifest* manifest) {
  FarmOptions options;
  options.directory = wanted.farm;
  options.make_directory = wanted.create;
  options.mode = FarmMode::kPlot;
  options.state_backend = [](const std::filesystem::path& directory) {
    return open_rocksdb_backend(directory);
  };
  options.keep_index = true;
  options.on_warning = [](const std::string& warning) { spdlog::warn("{}", warning); };
  options.genesis_root =
      manifest != nullptr ? manifest->genesis_root(wanted.genesis_root) : wanted.genesis_root;
  if (wanted.pieces_in_sector.has_value()) {
    options.pieces_in_sector =
        checked(*wanted.pieces_in_sector, kMaxPiecesInSector, "--pieces-in-sector");
  }
  options.cache_percentage = wanted.cache_percentage;
  options.may_drop_sectors = wanted.shrink;
  return options;
}

std::uint16_t sectors_to_cover(const Farm& farm, const FarmerProtocolInfo& info) {
  std::vector<std::optional<PlottedSectorId>> existing;
  for (std::uint16_t i = 0; i < farm.sector_count(); ++i) {
    const SectorIndex index(i);
    existing.push_back(
        farm.sector_state(index) == SectorState::kPlotted
            ? std::optional(PlottedSectorId{farm.sector_id(index), farm.history_size(index)})
            : std::nullopt);
  }
  return sectors_to_cover_history(farm.identity().public_key_hash(),
                                  farm.shard_commitments_root(info.history_size), info,
                                  farm.pieces_in_sector(), existing);
}

/// The allocated space that --size stands for: a size, or "all" and "all-SIZE" for the largest farm
/// that leaves so much of its disk free. Pre: there is one. Throws InvalidArgument, and what
/// space_that_leaves throws.
std::uint64_t wanted_space(const PlotTargetOptions& wanted) {
  constexpr std::string_view kAll = "all";
  const std::string_view text = wanted.size.value();
  if (!text.starts_with(kAll)) {
    return parse_size(text);
  }
  const std::string_view rest = text.substr(kAll.size());
  if (!rest.empty() && !rest.starts_with('-')) {
    throw InvalidArgument(
        fmt::format("--size '{}': expected a size, all, or all-SIZE, such as all-20GB", text));
  }
  return space_that_leaves(wanted.farm, rest.empty() ? 0 : parse_size(rest.substr(1)),
                           planned_pieces_in_sector(wanted));
}

/// What the command line asks for, in the terms of the farm.
struct Wish {
  FarmOptions options;
  std::optional<std::uint16_t> sectors;  ///< to be plotted; all that there is room for if none
  bool depends_on_key = false;           ///< --until-covered, and there is no key yet
};

Wish wish_of(const PlotTargetOptions& wanted, const Manifest* manifest) {
  Wish wish{.options = farm_options(wanted, manifest), .sectors = {}};
  if (wanted.until_covered) {
    if (manifest == nullptr) {
      throw InvalidArgument("--until-covered depends on the history: give --pieces or --manifest");
    }
    if (is_farm_to_be_created(wanted.farm)) {
      wish.depends_on_key = true;
      return wish;
    }
    // It is only looked at: its growing may have been interrupted.
    wish.sectors =
        sectors_to_cover(*Farm::open({.directory = wanted.farm}), protocol_info(*manifest));
  } else if (wanted.sectors.has_value()) {
    wish.sectors = checked(*wanted.sectors, kMaxSectors, "--sectors");
  } else if (wanted.size.has_value()) {
    wish.options.allocated_space = wanted_space(wanted);
  }
  wish.options.min_sectors = wish.sectors;
  return wish;
}

bool names_size(const PlotTargetOptions& wanted) {
  return wanted.sectors.has_value() || wanted.size.has_value() || wanted.until_covered;
}

/// A new farm that covers the history: it gets its size when it has its key.
PlotTarget create_covering(FarmOptions options, const FarmerProtocolInfo& info) {
  options.sectors_of_new_farm = [&](const Identity& identity, std::uint16_t pieces_in_sector) {
    return sectors_to_cover_history(
        identity.public_key_hash(),
        ShardCommitmentsRoots(identity.shard_commitments_seed()).root(info.history_size), info,
        pieces_in_sector);
  };
  std::unique_ptr<Farm> farm = Farm::open(options);
  const std::uint16_t sectors = sectors_to_cover(*farm, info);
  if (sectors > farm->target_sector_count()) {  // somebody else was faster, and made it smaller
    farm.reset();
    options.min_sectors = sectors;
    farm = Farm::open(options);
  }
  return {std::move(farm), sectors};
}

/// A small farm has no cache because the share of it is less than a piece.
bool holds_as_many_with_default_share(const Farm& farm) {
  try {
    return SpaceDistribution::compute(farm.info().allocated_space, farm.pieces_in_sector(),
                                      kDefaultCachePercentage)
               .sector_count == farm.target_sector_count();
  } catch (const InsufficientSpace&) {
    return false;
  }
}

}  // namespace

FarmerProtocolInfo protocol_info(const Manifest& manifest) {
  FarmerProtocolInfo info;
  info.history_size = manifest.history_size();
  return info;
}

PlotTarget open_plot_target(const PlotTargetOptions& wanted, const Manifest& manifest) {
  if (!names_size(wanted) && is_farm_to_be_created(wanted.farm)) {
    throw InvalidArgument("a new farm needs a size: --sectors, --size or --until-covered");
  }
  const Wish wish = wish_of(wanted, &manifest);
  if (wish.depends_on_key) {
    return create_covering(wish.options, protocol_info(manifest));
  }
  std::unique_ptr<Farm> farm = Farm::open(wish.options);
  const std::uint16_t sectors = wish.sectors.value_or(farm->target_sector_count());
  return {std::move(farm), sectors};
}

std::optional<DiskForecast> planned_disk(const PlotTargetOptions& wanted,
                                         const Manifest* manifest) {
  if (!names_size(wanted) && is_farm_to_be_created(wanted.farm)) {
    return std::nullopt;
  }
  Wish wish = wish_of(wanted, manifest);
  if (wish.depends_on_key) {  // any will do to count the sectors
    wish.sectors = sectors_to_cover_history(Hash(), Hash(), protocol_info(*manifest),
                                            planned_pieces_in_sector(wanted));
    wish.options.min_sectors = wish.sectors;
  }
  return forecast_disk(wish.options, wish.sectors);
}

std::uint16_t planned_pieces_in_sector(const PlotTargetOptions& wanted) {
  if (wanted.pieces_in_sector.has_value()) {
    return checked(*wanted.pieces_in_sector, kMaxPiecesInSector, "--pieces-in-sector");
  }
  if (!wanted.farm.empty() && !is_farm_to_be_created(wanted.farm)) {
    return Farm::open({.directory = wanted.farm})->pieces_in_sector();
  }
  return kDefaultPiecesInSector;
}

std::string size_for_farmer(const Farm& farm) {
  const std::uint64_t size = farm.info().allocated_space;
  unsigned share = farm.cache_percentage();
  if (share == 0 && holds_as_many_with_default_share(farm)) {
    share = kDefaultCachePercentage;
  }
  const std::string farmer =
      share != 0 ? fmt::format("a farmer with --cache-percentage {}", share)
                 : "a farmer in a cluster, as nothing is left for a piece cache of its own";
  return fmt::format("path={},size={} opens it for {}", printable(farm.directory().native()), size,
                     farmer);
}

std::string sectors_that_are_lost(const Farm& farm) {
  constexpr std::size_t kMostNamed = 16;
  std::vector<unsigned> named;
  const std::vector<SectorIndex> lost = farm.sectors_in_state(SectorState::kLost);
  for (std::size_t i = 0; i < std::min(lost.size(), kMostNamed); ++i) {
    named.push_back(lost[i].value());
  }
  return lost.empty()
             ? ""
             : fmt::format("{} of {} {} nothing: {}{}; plot with --sectors {} or more to make them",
                           lost.size(), counted(farm.sector_count(), "sector"),
                           lost.size() == 1 ? "holds" : "hold", fmt::join(named, ", "),
                           lost.size() > kMostNamed ? ", ..." : "", lost.back().value() + 1);
}

}  // namespace furrow::cli
