// SPDX-License-Identifier: Apache-2.0
#include "host/plotter/plot_plan.hpp"

#include <filesystem>
#include <optional>
#include <utility>

#include "host/base/make_directory.hpp"
#include "host/farm/data_directories.hpp"
#include "host/plotter/plot_pieces.hpp"

namespace furrow {
namespace {

/// A farm and a piece cache are in places of their own, not one in the other.
void check_places(const PlotRequest& request) {
  const std::filesystem::path& farm = request.farm.directory;
  const std::optional<std::filesystem::path>& cache = request.pieces.cache_directory;
  if (!farm.empty()) {
    require_own_place("farm", farm, DataKind::kFarm);
  }
  if (cache.has_value()) {
    require_own_place("piece cache", *cache, DataKind::kPieceCache);
    if (!farm.empty()) {
      require_apart("piece cache", *cache, "farm", farm);
    }
    // It is made after the farm.
    check_directory_can_be_made(*cache, request.pieces.make_cache_directory);
  }
}

}  // namespace

PlotPlan plan_plot(PlotRequest request, const PlotObserver& observer) {
  check_places(request);
  EncoderChoice encoder = choose_encoder(request.engine.encoder, request.engine.devices);
  for (const std::string& line : encoder.refused) {
    observer.on_warning(line);
  }
  MemoryPlan memory = plan_engine_memory(
      request.engine, encoder, planned_pieces_in_sector(request.farm),
      pieces_in_flight(request.pieces, encoder.devices.size()), observer.on_warning);
  return {
      .request = std::move(request), .encoder = std::move(encoder), .memory = std::move(memory)};
}

}  // namespace furrow
