// SPDX-License-Identifier: Apache-2.0
// One plotting run, from its plan to what came of it.
#pragma once

#include <stop_token>

#include "host/base/gate.hpp"
#include "host/plotter/plot_observer.hpp"
#include "host/plotter/plot_plan.hpp"
#include "host/plotter/plot_summary.hpp"

namespace furrow {

/// Plots what is missing. The farm and the piece cache are made only when everything else is ready.
/// `gate` pauses plotting while it is closed. A stop request ends the run as plot_sectors says;
/// that is an outcome, not an error.
///
/// Throws what PlotPieces, make_encoder_pool, open_farm, PieceSupply::open_cache and plot_farm
/// throw, and FarmGone when the farm is not at its path in the end.
[[nodiscard]] PlotSummary run_plot(const PlotPlan& plan, const PlotObserver& observer, Gate& gate,
                                   const std::stop_token& stop);

}  // namespace furrow
