// SPDX-License-Identifier: Apache-2.0
// What `furrow plan` says beside memory: disk and time.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "host/farm/disk_forecast.hpp"

namespace furrow::cli {

/// What is known of a run before it begins.
struct PlotForecast {
  std::optional<DiskForecast> disk;  ///< none when nothing says how large the farm is to be
  std::string encoder;               ///< name of what was measured
  double records_per_second = 0;     ///< 0 when it was not measured

  /// Of encoding what is to be plotted; none when one of both is unknown.
  [[nodiscard]] std::optional<double> seconds() const;
};

[[nodiscard]] std::vector<std::string> forecast_lines(const PlotForecast& forecast);
/// Adds "disk" and "time" to the plan, those of them that are known.
void add_forecast(const PlotForecast& forecast, nlohmann::ordered_json& plan);

}  // namespace furrow::cli
