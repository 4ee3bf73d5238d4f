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
#include "host/farm/space.hpp"
#include "host/pieces/piece_cache.hpp"
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

FarmOptions farm_options(const PlotTargetOptions& wanted, const Manifest& manifest) {
  FarmOptions options;
  options.directory = wanted.farm;
  options.make_directory = wanted.create;
  options.mode = FarmMode::kPlot;
  options.state_backend = [](const std::filesystem::path& directory) {
    return open_rocksdb_backend(directory);
  };
  options.keep_index = true;
  options.on_warning = [](const std::string& warning) { spdlog::warn("{}", warning); };
  options.genesis_root = manifest.genesis_root(wanted.genesis_root);
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

/// Opens the farm with room for `sectors`; a farm that is larger stays so.
std::unique_ptr<Farm> open_with_room(FarmOptions options, std::uint16_t sectors) {
  options.min_sectors = sectors;
  return Farm::open(options);
}

/// How many sectors cover the history depends on the key, so a new farm gets room for one sector
/// first; if it then cannot grow, it is removed again.
PlotTarget open_until_covered(FarmOptions options, const FarmerProtocolInfo& info) {
  const bool is_new = is_farm_to_be_created(options.directory);
  if (is_new && !options.cache_percentage) {
    options.cache_percentage = kDefaultCachePercentage;  // one sector may be too few to show it
  }
  const bool directory_is_new = !std::filesystem::exists(options.directory);
  // One that is there is only looked at: its growing may have been interrupted.
  const std::uint16_t sectors = sectors_to_cover(
      is_new ? *open_with_room(options, 1) : *Farm::open({.directory = options.directory}), info);
  try {
    return {open_with_room(options, sectors), sectors};
  } catch (...) {
    if (is_new) {
      std::error_code ignored;
      for (const char* name :
           {kStateDirectoryName, kIndexDirectoryName, kPieceCacheFileName, kPlotFileName,
            kMetadataFileName, kFarmInfoFileName, kIdentityFileName}) {
        std::filesystem::remove_all(options.directory / name, ignored);
      }
      if (directory_is_new) {
        std::filesystem::remove(options.directory, ignored);
      }
    }
    throw;
  }
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

PlotTarget open_plot_target(const PlotTargetOptions& wanted, const Manifest& manifest) {
  FarmOptions options = farm_options(wanted, manifest);
  if (wanted.until_covered) {
    return open_until_covered(options, protocol_info(manifest));
  }
  if (wanted.sectors.has_value()) {
    const std::uint16_t sectors = checked(*wanted.sectors, kMaxSectors, "--sectors");
    return {open_with_room(options, sectors), sectors};
  }
  if (wanted.size.has_value()) {
    options.allocated_space = wanted_space(wanted);
  } else if (is_farm_to_be_created(wanted.farm)) {
    throw InvalidArgument("a new farm needs a size: --sectors, --size or --until-covered");
  }
  std::unique_ptr<Farm> farm = Farm::open(options);
  const std::uint16_t sectors = farm->target_sector_count();
  return {std::move(farm), sectors};
}

std::optional<DiskForecast> planned_disk(const PlotTargetOptions& wanted,
                                         const Manifest* manifest) {
  FarmWish wish{.directory = wanted.farm,
                .pieces_in_sector = planned_pieces_in_sector(wanted),
                .cache_percentage = wanted.cache_percentage};
  if (wanted.sectors.has_value()) {
    wish.sectors = checked(*wanted.sectors, kMaxSectors, "--sectors");
  } else if (wanted.size.has_value()) {
    wish.allocated_space = wanted_space(wanted);
  } else if (wanted.until_covered) {
    if (manifest == nullptr) {
      throw InvalidArgument("--until-covered depends on the history: give --pieces or --manifest");
    }
    const FarmerProtocolInfo info = protocol_info(*manifest);
    // Any key will do to count the sectors of a farm that has none yet.
    wish.sectors = !is_farm_to_be_created(wanted.farm)
                       ? sectors_to_cover(*Farm::open({.directory = wanted.farm}), info)
                       : sectors_to_cover_history(Hash(), Hash(), info, wish.pieces_in_sector);
  }
  return forecast_disk(wish);
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
