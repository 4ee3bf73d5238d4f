// SPDX-License-Identifier: Apache-2.0
// The farm that a plotting run works on, and how large it shall be: what a user may say of it, and
// what follows from that and from the history.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <variant>

#include "host/archive/manifest.hpp"
#include "host/farm/disk_forecast.hpp"
#include "host/farm/farm.hpp"

namespace furrow {

/// The size that a farm has; a new one has none.
struct SizeAsItIs {};
/// Sectors that the farm shall have in all, 1 to kMaxSectors; more are kept.
struct SectorsInAll {
  std::uint16_t count;
};
/// Bytes for the farm; all of it is plotted.
struct SpaceInAll {
  std::uint64_t bytes;
};
/// What leaves so many bytes of its disk free; all of it is plotted.
struct SpaceThatLeaves {
  std::uint64_t bytes;
};
/// As many sectors as rebuild the whole history from the farm alone.
struct UntilCovered {};
using FarmSize = std::variant<SizeAsItIs, SectorsInAll, SpaceInAll, SpaceThatLeaves, UntilCovered>;

struct FarmRequest {
  /// Created when absent; may be empty where nothing is plotted.
  std::filesystem::path directory;
  MakeDirectory make_directory = MakeDirectory::kLastOnly;
  FarmSize size = SizeAsItIs{};
  // As in FarmOptions.
  std::optional<std::uint16_t> pieces_in_sector = {};
  std::optional<unsigned> cache_percentage = {};
  bool may_drop_sectors = false;
  std::function<std::unique_ptr<PagedBackend>(const std::filesystem::path& directory)>
      state_backend = {};
  Observer<const std::string&> on_warning = {};
  /// Of the chain that the history belongs to; else the history says it.
  std::optional<Hash> genesis_root = {};
  /// What that chain has decided; else the farm says it, and for a new one it is a development
  /// chain.
  std::optional<ChainParameters> chain_parameters = {};
};

/// What the sectors of a farm are made of.
struct FarmHistory {
  Hash genesis_root;  ///< of the chain
  HistorySize size;
};

/// That of an archive, where `genesis_root` is what somebody says of its chain. Throws
/// GenesisRootMismatch when the manifest names another one. Pre: the manifest is valid.
[[nodiscard]] FarmHistory history_of(const Manifest& manifest,
                                     const std::optional<Hash>& genesis_root);

/// A farm that is not there yet, and no word about its size.
class NewFarmNeedsSize : public InvalidArgument {
 public:
  NewFarmNeedsSize();
};

/// UntilCovered, and nothing says what the history is.
class HistoryNotGiven : public InvalidArgument {
 public:
  HistoryNotGiven();
};

/// An open farm and how many sectors it shall have in the end.
struct OpenedFarm {
  std::unique_ptr<Farm> farm;
  std::uint16_t sectors;
};

/// What plotting such a farm takes of its disk; none when nothing says how large it is to be.
/// `history` is needed for UntilCovered, else HistoryNotGiven is thrown. How many sectors cover the
/// history depends on the key of the farm: for a new one it is what another key would take, and
/// differs by a few. Throws what open_farm would, as far as that can be told without making or
/// locking anything.
[[nodiscard]] std::optional<DiskForecast> planned_disk(const FarmRequest& request,
                                                       const std::optional<FarmHistory>& history);

/// Opens the farm, or creates it, with room for what is wanted. Throws InvalidArgument for a
/// request that makes no farm, NewFarmNeedsSize, and what Farm::open throws; whatever it throws
/// leaves no new farm.
[[nodiscard]] OpenedFarm open_farm(const FarmRequest& request, const FarmHistory& history);

/// Pieces in a sector of the farm in that directory, or what is wanted for a new one. Throws
/// InvalidArgument for a number out of range, and what Farm::open throws.
[[nodiscard]] std::uint16_t planned_pieces_in_sector(const FarmRequest& request);

/// The share for a piece cache with which a farmer finds all sectors of the farm
/// (PlotSummary::FarmFacts::farmer_cache_percentage).
[[nodiscard]] unsigned farmer_cache_percentage(const Farm& farm);

}  // namespace furrow
