// SPDX-License-Identifier: Apache-2.0
#include "host/plotter/farm_request.hpp"

#include <string>
#include <utility>
#include <vector>

#include "host/farm/farm_create.hpp"
#include "host/farm/history_coverage.hpp"
#include "host/farm/shard_commitments.hpp"
#include "host/farm/space.hpp"

namespace furrow {
namespace {

/// Pieces in sector when neither the farm nor the user says otherwise: the protocol's maximum.
constexpr std::uint16_t kDefaultPiecesInSector = kMaxPiecesInSector;

std::uint16_t checked(std::uint16_t value, std::uint16_t most, const char* what) {
  if (value == 0 || value > most) {
    throw InvalidArgument(
        std::string(what) + ": expected 1 to " + std::to_string(most) + ", actual " +
            std::to_string(value),
        {.expected = "1 to " + std::to_string(most), .actual = std::to_string(value)});
  }
  return value;
}

FarmOptions farm_options(const FarmRequest& request, const std::optional<FarmHistory>& history) {
  FarmOptions options;
  options.directory = request.directory;
  options.make_directory = request.make_directory;
  options.mode = FarmMode::kPlot;
  options.state_backend = request.state_backend;
  options.keep_index = true;
  options.on_warning = request.on_warning;
  options.genesis_root = history.has_value() ? history->genesis_root : request.genesis_root;
  if (request.pieces_in_sector.has_value()) {
    options.pieces_in_sector =
        checked(*request.pieces_in_sector, kMaxPiecesInSector, "pieces in sector");
  }
  options.chain_parameters = request.chain_parameters;
  options.cache_percentage = request.cache_percentage;
  options.may_drop_sectors = request.may_drop_sectors;
  return options;
}

/// With which a farm is made.
FarmerProtocolInfo info_of_new_farm(const FarmRequest& request, const FarmHistory& history) {
  return request.chain_parameters.value_or(ChainParameters()).at(history.size);
}

std::uint16_t sectors_to_cover(const Farm& farm, HistorySize history_size) {
  const FarmerProtocolInfo info = farm.chain_parameters().at(history_size);
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

/// What is asked for, in the terms of the farm.
struct Wish {
  FarmOptions options;
  std::optional<std::uint16_t> sectors;  ///< to be plotted; all that there is room for if none
  bool depends_on_key = false;           ///< UntilCovered, and there is no key yet
};

Wish wish_of(const FarmRequest& request, const std::optional<FarmHistory>& history) {
  Wish wish{.options = farm_options(request, history), .sectors = {}};
  if (std::holds_alternative<UntilCovered>(request.size)) {
    if (!history.has_value()) {
      throw HistoryNotGiven();
    }
    if (is_farm_to_be_created(request.directory)) {
      wish.depends_on_key = true;
      return wish;
    }
    // It is only looked at: its growing may have been interrupted.
    wish.sectors = sectors_to_cover(*Farm::open({.directory = request.directory}), history->size);
  } else if (const auto* sectors = std::get_if<SectorsInAll>(&request.size)) {
    wish.sectors = checked(sectors->count, kMaxSectors, "sectors");
  } else if (const auto* space = std::get_if<SpaceInAll>(&request.size)) {
    wish.options.allocated_space = space->bytes;
  } else if (const auto* rest = std::get_if<SpaceThatLeaves>(&request.size)) {
    wish.options.allocated_space =
        space_that_leaves(request.directory, rest->bytes, planned_pieces_in_sector(request));
  }
  wish.options.min_sectors = wish.sectors;
  return wish;
}

bool lacks_size(const FarmRequest& request) {
  return std::holds_alternative<SizeAsItIs>(request.size) &&
         is_farm_to_be_created(request.directory);
}

/// A new farm that covers the history: it gets its size when it has its key.
OpenedFarm create_covering(FarmOptions options, const FarmerProtocolInfo& info) {
  options.sectors_of_new_farm = [&](const Identity& identity, std::uint16_t pieces_in_sector) {
    return sectors_to_cover_history(
        identity.public_key_hash(),
        ShardCommitmentsRoots(identity.shard_commitments_seed()).root(info.history_size), info,
        pieces_in_sector);
  };
  std::unique_ptr<Farm> farm = Farm::open(options);
  const std::uint16_t sectors = sectors_to_cover(*farm, info.history_size);
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

NewFarmNeedsSize::NewFarmNeedsSize()
    : InvalidArgument("a new farm needs a size: sectors, space, or as much as covers the history") {
}

FarmHistory history_of(const Manifest& manifest, const std::optional<Hash>& genesis_root) {
  return {.genesis_root = manifest.genesis_root(genesis_root), .size = manifest.history_size()};
}

OpenedFarm open_farm(const FarmRequest& request, const FarmHistory& history) {
  if (lacks_size(request)) {
    throw NewFarmNeedsSize();
  }
  const Wish wish = wish_of(request, history);
  if (wish.depends_on_key) {
    return create_covering(wish.options, info_of_new_farm(request, history));
  }
  std::unique_ptr<Farm> farm = Farm::open(wish.options);
  const std::uint16_t sectors = wish.sectors.value_or(farm->target_sector_count());
  return {std::move(farm), sectors};
}

HistoryNotGiven::HistoryNotGiven()
    : InvalidArgument(
          "how many sectors cover the history depends on the history: expected a "
          "source of pieces or a manifest") {}

std::optional<DiskForecast> planned_disk(const FarmRequest& request,
                                         const std::optional<FarmHistory>& history) {
  if (lacks_size(request)) {
    return std::nullopt;
  }
  Wish wish = wish_of(request, history);
  if (wish.depends_on_key) {  // any will do to count the sectors
    wish.sectors = sectors_to_cover_history(Hash(), Hash(), info_of_new_farm(request, *history),
                                            planned_pieces_in_sector(request));
    wish.options.min_sectors = wish.sectors;
  }
  return forecast_disk(wish.options, wish.sectors);
}

std::uint16_t planned_pieces_in_sector(const FarmRequest& request) {
  if (request.pieces_in_sector.has_value()) {
    return checked(*request.pieces_in_sector, kMaxPiecesInSector, "pieces in sector");
  }
  if (!request.directory.empty() && !is_farm_to_be_created(request.directory)) {
    return Farm::open({.directory = request.directory})->pieces_in_sector();
  }
  return kDefaultPiecesInSector;
}

unsigned farmer_cache_percentage(const Farm& farm) {
  const unsigned share = farm.cache_percentage();
  return share == 0 && holds_as_many_with_default_share(farm) ? kDefaultCachePercentage : share;
}

}  // namespace furrow
