// SPDX-License-Identifier: Apache-2.0
// Plotting as JSON: what `furrow plot --progress json` prints line by line, and what other faces
// give in the same words (docs/manual/plot.md).
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "host/plotter/plot_forecast.hpp"
#include "host/plotter/plot_monitor.hpp"
#include "host/plotter/plot_plan.hpp"
#include "host/plotter/plot_summary.hpp"

namespace furrow {

/// "memory_bytes" and "items" of the host and, when there are devices, "device_memory".
[[nodiscard]] nlohmann::ordered_json memory_json(const MemoryPlan& plan);

/// All of memory_json, the settings that follow from it, and "disk" and "time" as far as they are
/// known.
[[nodiscard]] nlohmann::ordered_json plan_json(const MemoryPlan& plan,
                                               const PlotForecast& forecast);

/// An object with "event": "sector".
[[nodiscard]] nlohmann::ordered_json event_json(SectorIndex index, const PlottingEvent& event);

/// An object with "event": "progress".
[[nodiscard]] nlohmann::ordered_json moment_json(const PlotMoment& moment);

/// An object with "event": "limit": what limited a stretch of so many seconds.
[[nodiscard]] nlohmann::ordered_json limit_json(const StageShares& shares, double seconds);

/// Of a run that finished.
[[nodiscard]] nlohmann::ordered_json summary_json(const PlotSummary& summary);

}  // namespace furrow
