// SPDX-License-Identifier: Apache-2.0
// What `furrow plot` and `furrow plan` say to people, as text.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "host/plotter/plot_forecast.hpp"
#include "host/plotter/plot_monitor.hpp"
#include "host/plotter/plot_observer.hpp"
#include "host/plotter/plot_summary.hpp"
#include "tools/progress_text.hpp"

namespace furrow::cli {

/// Disk and time, as far as they are known.
[[nodiscard]] std::vector<std::string> forecast_lines(const PlotForecast& forecast);

/// The farm, and what is to be done with it.
[[nodiscard]] std::string beginning_line(const PlotBeginning& beginning);

/// Of an event that is worth a line; empty for the others.
[[nodiscard]] std::string event_line(SectorIndex index, const PlottingEvent& event,
                                     const PlotMonitor& monitor);

[[nodiscard]] Standing standing_of(const PlotMoment& moment);

/// What each source gave, and the cache.
[[nodiscard]] std::vector<std::string> source_lines(const PlotSummary& summary);

/// How many sectors the farm has, and with which size a farmer has to open it to find all of them.
[[nodiscard]] std::vector<std::string> summary_lines(const PlotSummary& summary);

/// What is not as it should be at the end of a run that finished: sectors that were given up, a
/// store that is damaged, sectors that hold nothing; the gravest of them.
[[nodiscard]] std::optional<std::string> what_is_broken(const PlotSummary& summary);

}  // namespace furrow::cli
