// SPDX-License-Identifier: Apache-2.0
// What came of a plotting run.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "furrow/types.hpp"

#include "host/pieces/piece_cache.hpp"
#include "host/pieces/source_state.hpp"
#include "host/plotter/plot_monitor.hpp"
#include "host/plotting/plot_pipeline.hpp"
#include "host/plotting/stage_clock.hpp"

namespace furrow {

class Farm;

struct PlotSummary {
  struct Source {
    std::string name;
    PieceSourceCounters counters;
  };
  struct Cache {
    std::filesystem::path path;
    PieceCacheCounters counters;
  };
  /// The farm at the end.
  struct FarmFacts {
    std::filesystem::path directory;
    std::uint16_t sectors = 0;
    std::uint16_t pieces_in_sector = 0;
    std::uint64_t allocated_space = 0;  ///< bytes
    unsigned cache_percentage = 0;
    /// The share for a piece cache with which a farmer finds all of the sectors: that of the farm,
    /// or the usual one where a small farm has as many with it; 0 when only a farmer without a
    /// cache of its own does.
    unsigned farmer_cache_percentage = 0;
    std::vector<SectorIndex> lost;  ///< sectors that hold nothing
  };

  PlotOutcome outcome = PlotOutcome::kFinished;
  /// The last moment, and the shares of the stages in all of the run; none when there was nothing
  /// to plot, or a stop was requested before it began.
  std::optional<PlotMoment> last_moment;
  StageShares shares;
  /// By this run.
  std::uint64_t sectors_plotted = 0;
  std::vector<GivenUpSector> given_up;
  /// What is damaged or missing of stores, each once; the run had it from elsewhere or rebuilt it.
  std::vector<std::string> damage;
  std::vector<Source> sources;
  std::optional<Cache> cache;
  /// Of a run that finished.
  FarmFacts farm;
  double seconds = 0;
};

/// As it is now.
[[nodiscard]] PlotSummary::FarmFacts facts_of(const Farm& farm);

}  // namespace furrow
