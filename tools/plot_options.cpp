// SPDX-License-Identifier: Apache-2.0
#include "tools/plot_options.hpp"

#include <spdlog/spdlog.h>

#include "host/base/byte_size.hpp"

namespace furrow::cli {
namespace {

void warn(const std::string& line) {
  spdlog::warn("{}", line);
}

}  // namespace

void add_plot_options(Command command, PlotOptions& options, PlotOptionsFor purpose) {
  const bool is_plotting = purpose == PlotOptionsFor::kPlotting;
  command.add_option("--farm", options.farm, "Directory of the farm; created when absent")
      .required(is_plotting);
  add_farm_options(command, options.farm_arguments);
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
  request.farm = farm_request(options.farm, options.farm_arguments, warn);
  request.pieces = piece_request(options.pieces);
  request.pieces.cache_directory = options.cache;
  request.pieces.make_cache_directory = options.farm_arguments.create;
  request.pieces.cache_bytes = parse_size(options.cache_size);
  request.engine = engine_request(options.engine);
  return request;
}

PlotObserver logging_observer() {
  return {.on_warning = warn, .on_note = [](const std::string& line) { spdlog::info("{}", line); }};
}

}  // namespace furrow::cli
