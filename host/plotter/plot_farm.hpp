// SPDX-License-Identifier: Apache-2.0
// Plotting sectors of a farm: the pipeline of host/plotting between the farm's keys and its files.
#pragma once

#include <chrono>
#include <span>
#include <stop_token>

#include "host/farm/farm.hpp"
#include "host/plotting/plot_pipeline.hpp"

namespace furrow {

/// How often plot_farm looks whether the farm is still there.
inline constexpr std::chrono::seconds kPresenceInterval{2};

/// Sectors among the first `count` of a farm that are not there or lost, ascending.
std::vector<SectorIndex> sectors_to_plot(const Farm& farm, std::uint16_t count);

/// Plots `sectors` with a history of that size, by the rules of the farm's chain, and writes each into the farm as soon as it is
/// complete. A sector is marked as being modified from before its download until it is written or
/// given up. Throws what plot_sectors and Farm::write_sector throw, and InvalidArgument when a
/// sector is being modified by somebody else; sectors that were written stay. A farm that goes from
/// its path while it is plotted ends the run within seconds, with FarmGone.
PlotResult plot_farm(Farm& farm, std::span<const SectorIndex> sectors, HistorySize history_size,
                     const PlotPipelineOptions& options, const std::stop_token& stop);

}  // namespace furrow
