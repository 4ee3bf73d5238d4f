// SPDX-License-Identifier: Apache-2.0
#include "tools/plot_options.hpp"

#include <string>

#include <CLI/CLI.hpp>

#include "host/base/make_directory.hpp"
#include "host/farm/data_directories.hpp"
#include "host/farm/space.hpp"
#include "tools/create_option.hpp"
#include "tools/genesis_root_option.hpp"

namespace furrow::cli {

void add_plot_options(CLI::App& command, PlotOptions& options, PlotOptionsFor purpose) {
  const bool is_plotting = purpose == PlotOptionsFor::kPlotting;
  PlotTargetOptions& target = options.target;
  command.add_option("--farm", target.farm, "Directory of the farm; created when absent")
      ->required(is_plotting);
  add_create_option(command, target.create, &options.pieces.create);
  add_piece_options(command, options.pieces);
  command.get_option("--pieces")->required(is_plotting);
  CLI::Option* sectors = command.add_option(
      "--sectors", target.sectors, "Sectors that the farm shall have in all; more are kept");
  CLI::Option* size = command.add_option(
      "--size", target.size,
      "Space for the farm instead, such as 100GiB, or all-20GB for what leaves 20 GB of the disk "
      "free; all of it is plotted");
  CLI::Option* covered =
      command.add_flag("--until-covered", target.until_covered,
                       "As many sectors as rebuild the whole history from the farm alone");
  sectors->excludes(size)->excludes(covered);
  size->excludes(covered);
  command.add_option("--pieces-in-sector", target.pieces_in_sector,
                     "1 to 1000, fixed when the farm is created; 1000 if not given");
  command
      .add_option("--cache-percentage", target.cache_percentage,
                  "Share of the space for the piece cache of a farmer, 0 (for farms in a cluster) "
                  "to 99; if not given, that of the farm, and " +
                      std::to_string(kDefaultCachePercentage) + " for a new one")
      ->check(CLI::Range(0U, 99U));
  command.add_flag(
      "--shrink", target.shrink,
      "Drop plotted sectors, the last ones first, when size, sectors or share leave no "
      "room for them");
  add_genesis_root_option(command, target.genesis_root);
  add_engine_options(command, options.engine);
  command
      .add_option("--progress", options.progress,
                  "auto (a bar on a terminal, else lines), or json: an object a line on stdout")
      ->check(CLI::IsMember({"auto", "json"}))
      ->capture_default_str();
}

void check_places(const PlotOptions& options) {
  const std::string& farm = options.target.farm;
  const std::optional<std::string>& cache = options.pieces.cache;
  if (!farm.empty()) {
    require_own_place("--farm", farm, DataKind::kFarm);
  }
  if (cache.has_value()) {
    require_own_place("--piece-cache", *cache, DataKind::kPieceCache);
    if (!farm.empty()) {
      require_apart("--piece-cache", *cache, "--farm", farm);
    }
    check_directory_can_be_made(*cache, options.pieces.create);  // it is made after the farm
  }
}

MemoryPlan memory_plan_of(const PlotOptions& options, const EncoderChoice& choice) {
  // Without sources any may be meant, and servers take more.
  const std::size_t in_flight =
      options.pieces.sources.empty() ? options.pieces.in_flight : pieces_in_flight(options.pieces);
  return memory_plan(options.engine, choice, planned_pieces_in_sector(options.target), in_flight);
}

}  // namespace furrow::cli
