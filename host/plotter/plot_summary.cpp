// SPDX-License-Identifier: Apache-2.0
#include "host/plotter/plot_summary.hpp"

#include "host/farm/farm.hpp"
#include "host/plotter/farm_request.hpp"

namespace furrow {

PlotSummary::FarmFacts facts_of(const Farm& farm) {
  return {.directory = farm.directory(),
          .sectors = farm.sector_count(),
          .pieces_in_sector = farm.pieces_in_sector(),
          .allocated_space = farm.info().allocated_space,
          .cache_percentage = farm.cache_percentage(),
          .farmer_cache_percentage = farmer_cache_percentage(farm),
          .lost = farm.sectors_in_state(SectorState::kLost)};
}

}  // namespace furrow
