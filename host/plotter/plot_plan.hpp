// SPDX-License-Identifier: Apache-2.0
// What a request for a plotting run stands for, settled before anything is made. Every face plots
// in these steps, and only parses and prints: the program, the C interface, a plotter node.
//
//   PlotRequest ── plan_plot ──► PlotPlan ── forecast_plot ──► PlotForecast
//                                   └─────── run_plot ───────► PlotSummary
#pragma once

#include "host/plotter/plot_observer.hpp"
#include "host/plotter/plot_request.hpp"
#include "host/plotting/encoder_choice.hpp"
#include "host/plotting/memory_plan.hpp"

namespace furrow {

/// On this machine, at this moment.
struct PlotPlan {
  PlotRequest request;
  EncoderChoice encoder;
  MemoryPlan memory;
};

/// Refuses what can be refused before anything is made: places that hold something else, unknown
/// encoders and devices, limits that are too low. Makes nothing and starts no thread that stays; a
/// driver that hangs is left behind (device_query.hpp). Of the observer, on_warning is told.
///
/// Throws PlaceTaken, and what choose_encoder, plan_engine_memory, planned_pieces_in_sector and
/// check_directory_can_be_made throw.
[[nodiscard]] PlotPlan plan_plot(PlotRequest request, const PlotObserver& observer);

}  // namespace furrow
