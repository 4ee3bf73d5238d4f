// SPDX-License-Identifier: Apache-2.0
// What a plotting run will take beside memory: disk and time.
#pragma once

#include <optional>
#include <string>

#include "host/farm/disk_forecast.hpp"
#include "host/plotter/plot_observer.hpp"
#include "host/plotter/plot_plan.hpp"

namespace furrow {

struct PlotForecast {
  std::optional<DiskForecast> disk;  ///< none when nothing says how large the farm is to be
  std::string encoder;               ///< name of what was measured
  double records_per_second = 0;     ///< 0 when it was not measured

  /// Of encoding what is to be plotted; none when one of both is unknown.
  [[nodiscard]] std::optional<double> seconds() const;
};

/// Forecasts disk and, if `measures_speed`, time, for which some records are encoded. A server is
/// asked for its manifest where the size depends on the history. Changes nothing on disk. Throws
/// what run_plot would, as far as that can be told.
[[nodiscard]] PlotForecast forecast_plot(const PlotPlan& plan, bool measures_speed,
                                         const PlotObserver& observer);

}  // namespace furrow
