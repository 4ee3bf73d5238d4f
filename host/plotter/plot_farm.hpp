// SPDX-License-Identifier: Apache-2.0
// Plotting sectors of a farm: whatever makes sectors, the pipeline of host/plotting or the plotters of a
// cluster, between the farm's keys and its files.
#pragma once

#include <chrono>
#include <functional>
#include <span>
#include <stop_token>

#include "host/farm/farm.hpp"
#include "host/plotting/plot_pipeline.hpp"

namespace furrow {

/// How often plot_farm looks whether the farm is still there.
inline constexpr std::chrono::seconds kPresenceInterval{2};

/// Sectors among the first `count` of a farm that are not there or lost, ascending.
std::vector<SectorIndex> sectors_to_plot(const Farm& farm, std::uint16_t count);

/// Makes the sectors of `next`, tells what becomes of each, and hands them to `write`, as plot_sectors does.
using MakeSectors = std::function<PlotResult(
    const SectorSource& next, const Observer<SectorIndex, const PlottingEvent&>& on_event,
    const SectorSink& write, const std::stop_token& stop)>;

/// Plots `sectors`, each with the history of the moment, by the rules of the farm's chain, and writes
/// each into the farm as soon as it is complete. A sector is marked as being modified from before its
/// download until it is written or given up (Failed). Throws what `history_size`, `make_sectors` and
/// Farm::write_sector throw, and InvalidArgument when a sector is being modified by somebody else;
/// sectors that were written stay. A farm that goes from its path while it is plotted ends the run
/// within seconds, with FarmGone.
PlotResult plot_farm(Farm& farm, std::span<const SectorIndex> sectors,
                     const std::function<HistorySize()>& history_size,
                     const Observer<SectorIndex, const PlottingEvent&>& on_event,
                     const MakeSectors& make_sectors, const std::stop_token& stop);

/// With a history of that size, on this machine. Throws what plot_sectors throws besides.
PlotResult plot_farm(Farm& farm, std::span<const SectorIndex> sectors, HistorySize history_size,
                     const PlotPipelineOptions& options, const std::stop_token& stop);

}  // namespace furrow
