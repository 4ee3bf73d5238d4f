// SPDX-License-Identifier: Apache-2.0
#include "host/plotter/plot_forecast.hpp"

#include <memory>

#include "host/plotter/plot_pieces.hpp"
#include "host/plotting/encoder_speed.hpp"

namespace furrow {
namespace {

/// Only what depends on the history needs the pieces.
std::optional<DiskForecast> disk_of(const PlotPlan& plan, const PlotObserver& observer) {
  const PlotRequest& request = plan.request;
  if (request.farm.directory.empty()) {
    return std::nullopt;
  }
  if (!std::holds_alternative<UntilCovered>(request.farm.size)) {
    return planned_disk(request.farm, std::nullopt);
  }
  if (request.pieces.manifest.has_value()) {
    return planned_disk(request.farm, history_of(Manifest::load(*request.pieces.manifest),
                                                 request.farm.genesis_root));
  }
  if (request.pieces.sources.empty()) {
    return planned_disk(request.farm, std::nullopt);
  }
  const PlotPieces pieces(request.pieces, plan.memory, observer, {});
  return planned_disk(request.farm, history_of(pieces.manifest(), request.farm.genesis_root));
}

}  // namespace

std::optional<double> PlotForecast::seconds() const {
  if (!disk.has_value() || records_per_second <= 0) {
    return std::nullopt;
  }
  return static_cast<double>(disk->sectors_to_plot()) * disk->pieces_in_sector / records_per_second;
}

PlotForecast forecast_plot(const PlotPlan& plan, bool measures_speed,
                           const PlotObserver& observer) {
  PlotForecast forecast;
  forecast.disk = disk_of(plan, observer);
  if (measures_speed) {
    const std::unique_ptr<EncoderPool> encoders = make_encoder_pool(
        plan.encoder, encoder_settings(plan.request.engine, plan.memory, observer.on_warning));
    forecast.encoder = encoders->name();
    forecast.records_per_second =
        measure_records_per_second(*encoders, records_at_a_time(plan.memory));
  }
  if (!plan.encoder.note.empty()) {
    observer.on_note(plan.encoder.note);
  }
  return forecast;
}

}  // namespace furrow
