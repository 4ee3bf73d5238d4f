// SPDX-License-Identifier: Apache-2.0
#include "host/capi/farm.hpp"

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "host/capi/last_error.hpp"
#include "host/capi/sector_plan.hpp"
#include "host/capi/structs.hpp"

namespace furrow::capi {
namespace {

static_assert(FURROW_SECTOR_METADATA_SIZE == kSectorMetadataSize);
static_assert(FURROW_MAX_PIECES_IN_SECTOR == kMaxPiecesInSector);

constexpr std::uint32_t kCacheAsItIs = 255;

furrow_farm_options default_farm_options() {
  furrow_farm_options options{};
  options.cache_percentage = kCacheAsItIs;
  return options;
}

/// A number of the caller where 0 means that none is given.
std::optional<std::uint16_t> small_number(std::uint32_t value, const char* name) {
  if (value > std::numeric_limits<std::uint16_t>::max()) {
    refuse(std::string("furrow_farm_options: ") + name, "at most 65535", value);
  }
  return value != 0 ? std::optional(static_cast<std::uint16_t>(value)) : std::nullopt;
}

FarmOptions farm_options(const char* directory, const furrow_farm_options& given) {
  check_text(directory, "directory");
  if (given.allocated_space != 0 && given.min_sectors != 0) {
    refuse("furrow_farm_options", "allocated_space or min_sectors", std::string("both"));
  }
  if (given.mode == FURROW_FARM_READ && (given.allocated_space != 0 || given.min_sectors != 0)) {
    throw InvalidArgument(
        "furrow_farm_options: a farm that is open for reading only keeps its size: expected no "
        "allocated_space and no min_sectors");
  }
  FarmOptions options;
  options.directory = directory;
  switch (given.mode) {
    case FURROW_FARM_READ:
      options.mode = FarmMode::kReadOnly;
      break;
    case FURROW_FARM_PLOT:
      options.mode = FarmMode::kPlot;
      options.make_directory = MakeDirectory::kNever;
      break;
    case FURROW_FARM_CREATE:
      options.mode = FarmMode::kPlot;
      break;
    default:
      refuse("furrow_farm_options: mode", "0 to 2", static_cast<int>(given.mode));
  }
  options.pieces_in_sector = small_number(given.pieces_in_sector, "pieces_in_sector");
  options.min_sectors = small_number(given.min_sectors, "min_sectors");
  if (given.allocated_space != 0) {
    options.allocated_space = given.allocated_space;
  }
  if (given.cache_percentage != kCacheAsItIs) {
    options.cache_percentage = given.cache_percentage;
  }
  if (given.genesis_root != nullptr) {
    options.genesis_root = fixed_bytes<Hash>(given.genesis_root, "genesis_root");
  }
  if (given.chain != nullptr) {
    options.chain_parameters = read_chain_parameters(given.chain);
  }
  options.keep_index = true;
  return options;
}

std::shared_ptr<SharedFarm> open_farm(std::shared_ptr<Library> library, FarmOptions options) {
  auto farm = std::make_shared<SharedFarm>();
  options.on_warning = [library](const std::string& line) { library->warn(line); };
  farm->library = std::move(library);
  farm->farm = Farm::open(options);
  return farm;
}

SectorIndex sector_index_of(std::uint32_t index) {
  if (index > std::numeric_limits<std::uint16_t>::max()) {
    refuse("furrow: sector index", "at most 65535", index);
  }
  return SectorIndex(static_cast<std::uint16_t>(index));
}

}  // namespace

const PieceFinder& SharedFarm::finder() {
  const Lock lock(mutex_);
  if (finder_ == nullptr) {
    auto made = std::make_unique<const PieceFinder>(*farm);
    for (const std::string& remark : made->remarks()) {
      library->warn(remark);
    }
    finder_ = std::move(made);
  }
  return *finder_;
}

}  // namespace furrow::capi

using furrow::capi::Call;
using furrow::capi::check_pointer;
using furrow::capi::guarded;

extern "C" {

void furrow_farm_options_init(furrow_farm_options* options, size_t size) {
  furrow::capi::init_struct(options, size, furrow::capi::default_farm_options());
}

furrow_status furrow_farm_open(furrow_library* library, const char* directory,
                               const furrow_farm_options* options, furrow_farm** farm) {
  return guarded([&] {
    check_pointer(farm, "farm");
    *farm = nullptr;
    const Call call(library, "library");
    *farm = new furrow_farm(furrow::capi::open_farm(
        library->library(),
        furrow::capi::farm_options(
            directory, furrow::capi::read_struct_or(options, "furrow_farm_options",
                                                    furrow::capi::default_farm_options()))));
    return FURROW_OK;
  });
}

void furrow_farm_destroy(furrow_farm* farm) {
  furrow::capi::destroy(farm);
}

furrow_status furrow_farm_get_info(furrow_farm* farm, furrow_farm_info* info) {
  return guarded([&] {
    const Call call(farm, "farm");
    const furrow::Farm& open = *farm->core->farm;
    furrow_farm_info content{};
    const auto copy = [](const auto& from, std::uint8_t* to) {
      std::memcpy(to, from.data(), from.size());
    };
    copy(open.info().genesis_root, content.genesis_root);
    copy(open.info().public_key, content.public_key);
    copy(open.identity().public_key_hash(), content.public_key_hash);
    copy(open.info().shard_commitments_seed, content.shard_commitments_seed);
    furrow::capi::copy_text(open.info().id.to_string(), content.id);
    content.allocated_space = open.info().allocated_space;
    content.sector_size = open.sector_size();
    content.pieces_in_sector = open.pieces_in_sector();
    content.sector_count = open.sector_count();
    content.sector_room = open.target_sector_count();
    furrow::capi::write_struct(info, "furrow_farm_info", content);
    return FURROW_OK;
  });
}

furrow_status furrow_farm_get_sector(furrow_farm* farm, uint32_t sector_index,
                                     furrow_farm_sector* sector) {
  return guarded([&] {
    const Call call(farm, "farm");
    const furrow::Farm& open = *farm->core->farm;
    const furrow::SectorIndex index = furrow::capi::sector_index_of(sector_index);
    furrow_farm_sector content{};
    content.state = static_cast<furrow_sector_state>(open.sector_state(index));
    if (content.state == FURROW_SECTOR_PLOTTED) {
      const furrow::HistorySize history = open.history_size(index);
      content.history_size = history.count();
      std::memcpy(content.sector_id, open.sector_id(index, history).data(), FURROW_HASH_SIZE);
    }
    furrow::capi::write_struct(sector, "furrow_farm_sector", content);
    return FURROW_OK;
  });
}

furrow_status furrow_farm_sector_metadata(furrow_farm* farm, uint32_t sector_index,
                                          uint8_t* metadata) {
  return guarded([&] {
    const Call call(farm, "farm");
    check_pointer(metadata, "metadata");
    const furrow::Farm& open = *farm->core->farm;
    const furrow::SectorIndex index = furrow::capi::sector_index_of(sector_index);
    if (open.sector_state(index) != furrow::SectorState::kPlotted) {
      throw furrow::SectorHoldsNothing(index);
    }
    const std::vector<std::uint8_t> bytes = open.sector_metadata(index)->encode();
    std::copy(bytes.begin(), bytes.end(), metadata);
    return FURROW_OK;
  });
}

furrow_status furrow_farm_read_sector(furrow_farm* farm, uint32_t sector_index, uint64_t offset,
                                      uint8_t* bytes, size_t size) {
  return guarded([&] {
    const Call call(farm, "farm");
    if (size != 0) {
      check_pointer(bytes, "bytes");
    }
    const furrow::Farm& open = *farm->core->farm;
    const furrow::SectorIndex index = furrow::capi::sector_index_of(sector_index);
    if (index.value() >= open.sector_count()) {
      furrow::capi::refuse("furrow: sector index",
                           "less than " + std::to_string(open.sector_count()), sector_index);
    }
    if (size > open.sector_size() || offset > open.sector_size() - size) {
      furrow::capi::refuse("furrow: range in a sector",
                           "within " + std::to_string(open.sector_size()) + " bytes",
                           std::to_string(size) + " from offset " + std::to_string(offset) + " on");
    }
    open.read_sector_bytes(index, offset, {bytes, size});
    return FURROW_OK;
  });
}

furrow_status furrow_farm_plan_sector(furrow_farm* farm, uint32_t sector_index,
                                      uint64_t history_size, furrow_sector_plan* plan) {
  return guarded([&] {
    const Call call(farm, "farm");
    const furrow::Farm& open = *farm->core->farm;
    const furrow::SectorIndex index = furrow::capi::sector_index_of(sector_index);
    static_cast<void>(open.sector_state(index));  // throws when there is no room for it
    const furrow::HistorySize history =
        furrow::capi::segments(history_size, "furrow: history_size");
    furrow::capi::write_struct(
        plan, "furrow_sector_plan",
        furrow::capi::plan_of({.public_key_hash = open.identity().public_key_hash(),
                               .shard_commitments_root = open.shard_commitments_root(history),
                               .sector_index = index,
                               .protocol_info = open.chain_parameters().at(history),
                               .pieces_in_sector = open.pieces_in_sector()}));
    return FURROW_OK;
  });
}

furrow_status furrow_farm_write_sector(furrow_farm* farm, uint32_t sector_index,
                                       const uint8_t* sector, size_t sector_size,
                                       const uint8_t* metadata) {
  return guarded([&] {
    const Call call(farm, "farm");
    check_pointer(sector, "sector");
    check_pointer(metadata, "metadata");
    const furrow::SectorIndex index = furrow::capi::sector_index_of(sector_index);
    if (const std::uint64_t expected = farm->core->farm->sector_size(); sector_size != expected) {
      furrow::capi::refuse("furrow: sector_size", std::to_string(expected), sector_size);
    }
    const furrow::SectorMetadata decoded = furrow::SectorMetadata::decode(
        furrow::Network::kAbundance, {metadata, FURROW_SECTOR_METADATA_SIZE},
        "metadata of sector " + std::to_string(sector_index));
    farm->core->farm->write_sector(index, {sector, sector_size}, decoded);
    return FURROW_OK;
  });
}

furrow_status furrow_farm_find_piece(furrow_farm* farm, uint64_t piece_index,
                                     furrow_piece_place* places, size_t capacity, size_t* count) {
  return guarded([&] {
    const Call call(farm, "farm");
    check_pointer(count, "count");
    *count = 0;
    if (capacity != 0) {
      check_pointer(places, "places");
    }
    const std::vector<furrow::PiecePlace> found =
        farm->core->finder().find(furrow::PieceIndex(piece_index));
    for (std::size_t i = 0; i < std::min(capacity, found.size()); ++i) {
      places[i] = {found[i].sector.value(), found[i].offset.value()};
    }
    *count = found.size();
    return FURROW_OK;
  });
}

}  // extern "C"
