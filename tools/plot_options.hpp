// SPDX-License-Identifier: Apache-2.0
// The options of `furrow plot`, all of which `furrow plan` has as well, and what they ask for.
#pragma once

#include <optional>
#include <string>

#include "host/plotter/plot_observer.hpp"
#include "host/plotter/plot_request.hpp"
#include "tools/command.hpp"
#include "tools/engine_options.hpp"
#include "tools/farm_options.hpp"
#include "tools/piece_options.hpp"

namespace furrow::cli {

/// As the command line says it; plot_request() turns it into what it means.
struct PlotOptions {
  std::string farm;
  FarmArguments farm_arguments;  ///< its `create` is that of the cache, too

  PieceArguments pieces;
  std::optional<std::string> cache;
  std::string cache_size = "10GiB";

  EngineArguments engine;

  std::string progress = "auto";
  bool json = false;
};

/// A plan makes nothing, so that a farm and its pieces may be left open.
enum class PlotOptionsFor { kPlotting, kPlanning };

/// Adds the options to a command. `options` must live as long as the command.
void add_plot_options(Command command, PlotOptions& options, PlotOptionsFor purpose);

/// Throws InvalidArgument for what is no size, and what token_reader throws.
[[nodiscard]] PlotRequest plot_request(const PlotOptions& options);

/// Warnings and notes go to the log.
[[nodiscard]] PlotObserver logging_observer();

}  // namespace furrow::cli
