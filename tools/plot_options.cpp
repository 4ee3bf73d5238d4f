// SPDX-License-Identifier: Apache-2.0
#include "tools/plot_options.hpp"

#include <string_view>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "host/base/byte_size.hpp"
#include "host/farm/space.hpp"
#include "host/store/paged_store/rocksdb_backend.hpp"
#include "tools/create_option.hpp"
#include "tools/genesis_root_option.hpp"

namespace furrow::cli {
namespace {

void add_farm_options(Command command, PlotOptions& options, bool is_plotting) {
  command.add_option("--farm", options.farm, "Directory of the farm; created when absent")
      .required(is_plotting);
  add_create_option(command, options.create);
  const Option sectors = command.add_option(
      "--sectors", options.sectors, "Sectors that the farm shall have in all; more are kept");
  sectors.in_range(std::uint64_t{1}, std::uint64_t{kMaxSectors});
  const Option size = command.add_option(
      "--size", options.size,
      "Space for the farm instead, such as 100GiB, or all-20GB for what leaves 20 GB of the disk "
      "free; all of it is plotted");
  const Option covered =
      command.add_flag("--until-covered", options.until_covered,
                       "As many sectors as rebuild the whole history from the farm alone");
  sectors.excludes(size).excludes(covered);
  size.excludes(covered);
  command
      .add_option("--pieces-in-sector", options.pieces_in_sector,
                  "1 to 1000, fixed when the farm is created; 1000 if not given")
      .in_range(std::uint64_t{1}, std::uint64_t{kMaxPiecesInSector});
  command
      .add_option("--cache-percentage", options.cache_percentage,
                  fmt::format("Share of the space for the piece cache of a farmer, 0 (for farms in "
                              "a cluster) to 99; if not given, that of the farm, and {} for a new "
                              "one",
                              kDefaultCachePercentage))
      .in_range(std::uint64_t{0}, std::uint64_t{99});
  command.add_flag("--shrink", options.shrink,
                   "Drop plotted sectors, the last ones first, when size, sectors or share leave "
                   "no room for them");
  add_genesis_root_option(command, options.genesis_root);
}

/// "100GiB", "all", or "all-20GB".
FarmSize space_of(std::string_view text) {
  constexpr std::string_view kAll = "all";
  if (!text.starts_with(kAll)) {
    return SpaceInAll{parse_size(text)};
  }
  const std::string_view rest = text.substr(kAll.size());
  if (!rest.empty() && !rest.starts_with('-')) {
    throw InvalidArgument(
        fmt::format("--size '{}': expected a size, all, or all-SIZE, such as all-20GB", text));
  }
  return SpaceThatLeaves{rest.empty() ? 0 : parse_size(rest.substr(1))};
}

FarmSize size_of(const PlotOptions& options) {
  if (options.until_covered) {
    return UntilCovered{};
  }
  if (options.sectors.has_value()) {
    return SectorsInAll{static_cast<std::uint16_t>(*options.sectors)};  // in range, as checked
  }
  return options.size.has_value() ? space_of(*options.size) : FarmSize(SizeAsItIs{});
}

void warn(const std::string& line) {
  spdlog::warn("{}", line);
}

}  // namespace

void add_plot_options(Command command, PlotOptions& options, PlotOptionsFor purpose) {
  const bool is_plotting = purpose == PlotOptionsFor::kPlotting;
  add_farm_options(command, options, is_plotting);
  add_piece_options(command, options.pieces, is_plotting);
  const Option cache = command.add_option("--piece-cache", options.cache,
                                          "Directory to keep pieces in that may be wanted again");
  command.add_option("--piece-cache-size", options.cache_size, "Most space that the cache takes")
      .needs(cache)
      .with_default();
  add_engine_options(command, options.engine);
  command
      .add_option("--progress", options.progress,
                  "auto (a bar on a terminal, else lines), or json: an object a line on stdout")
      .one_of({"auto", "json"})
      .with_default();
}

PlotRequest plot_request(const PlotOptions& options) {
  PlotRequest request;
  request.farm = {
      .directory = options.farm,
      .make_directory = options.create,
      .size = size_of(options),
      .cache_percentage = options.cache_percentage,
      .may_drop_sectors = options.shrink,
      .state_backend =
          [](const std::filesystem::path& directory) { return open_rocksdb_backend(directory); },
      .on_warning = warn,
      .genesis_root = options.genesis_root};
  if (options.pieces_in_sector.has_value()) {
    request.farm.pieces_in_sector = static_cast<std::uint16_t>(*options.pieces_in_sector);
  }
  request.pieces = piece_request(options.pieces);
  request.pieces.cache_directory = options.cache;
  request.pieces.make_cache_directory = options.create;
  request.pieces.cache_bytes = parse_size(options.cache_size);
  request.engine = engine_request(options.engine);
  return request;
}

PlotObserver logging_observer() {
  return {.on_warning = warn, .on_note = [](const std::string& line) { spdlog::info("{}", line); }};
}

}  // namespace furrow::cli
