// SPDX-License-Identifier: Apache-2.0
// The options of `furrow plot`, all of which `furrow plan` has as well, and the plan that both make
// of them.
#pragma once

#include <string>

#include "tools/engine_options.hpp"
#include "tools/piece_options.hpp"
#include "tools/plot_target.hpp"

namespace furrow::cli {

struct PlotOptions {
  PlotTargetOptions target;
  EngineOptions engine;
  PieceOptions pieces;
  std::string progress = "auto";
  bool json = false;
};

/// A plan makes nothing, so that a farm and its pieces may be left open.
enum class PlotOptionsFor { kPlotting, kPlanning };

/// Adds the options to a command. `options` must live as long as the command.
void add_plot_options(CLI::App& command, PlotOptions& options, PlotOptionsFor purpose);

/// Refuses a farm and a piece cache in places that are used for something else, one in the other,
/// and a cache whose directory cannot be made. Throws PlaceTaken and what make_directory throws.
void check_places(const PlotOptions& options);

/// The memory of a run with these options, on this machine at this moment. Throws what memory_plan
/// and planned_pieces_in_sector throw.
MemoryPlan memory_plan_of(const PlotOptions& options, const EncoderChoice& choice);

}  // namespace furrow::cli
