// SPDX-License-Identifier: Apache-2.0
#include "tools/plot_forecast.hpp"

#include <cmath>

#include <fmt/format.h>

#include "host/base/byte_size.hpp"

namespace furrow::cli {
namespace {

/// "4 min", "5 h 12 min", "2 d 3 h": as exact as an estimate is.
std::string about(double seconds) {
  const auto minutes = static_cast<std::uint64_t>(std::ceil(seconds / 60));
  if (minutes < 60) {
    return fmt::format("{} min", minutes);
  }
  return minutes < 24 * 60
             ? fmt::format("{} h {} min", minutes / 60, minutes % 60)
             : fmt::format("{} d {} h", minutes / (24 * 60), minutes % (24 * 60) / 60);
}

}  // namespace

std::optional<double> PlotForecast::seconds() const {
  if (!disk.has_value() || records_per_second <= 0) {
    return std::nullopt;
  }
  return static_cast<double>(disk->sectors_to_plot()) * disk->pieces_in_sector / records_per_second;
}

std::vector<std::string> forecast_lines(const PlotForecast& forecast) {
  std::vector<std::string> lines;
  if (forecast.disk.has_value()) {
    const DiskForecast& disk = *forecast.disk;
    lines.push_back(
        fmt::format("disk: {} for {} sectors, at most {} beside them for state and index",
                    size_text(disk.farm_bytes), disk.sectors, size_text(disk.beside_bytes)));
    lines.push_back(fmt::format("disk: {} more at most, {} are free{}",
                                size_text(disk.needed_bytes()), size_text(disk.free_bytes),
                                disk.fits() ? "" : ": too little"));
  }
  if (forecast.records_per_second > 0) {
    std::string line = fmt::format("time: {:.2f} records/s with {}", forecast.records_per_second,
                                   forecast.encoder);
    if (const std::optional<double> seconds = forecast.seconds()) {
      line += fmt::format("; about {} for {} sectors, unless pieces or the disk are slower",
                          about(*seconds), forecast.disk->sectors_to_plot());
    }
    lines.push_back(std::move(line));
  }
  return lines;
}

void add_forecast(const PlotForecast& forecast, nlohmann::ordered_json& plan) {
  if (forecast.disk.has_value()) {
    const DiskForecast& disk = *forecast.disk;
    plan["disk"] = {{"sectors", disk.sectors},
                    {"sectors_plotted", disk.sectors_plotted},
                    {"farm_bytes", disk.farm_bytes},
                    {"beside_bytes", disk.beside_bytes},
                    {"present_bytes", disk.present_bytes},
                    {"needed_bytes", disk.needed_bytes()},
                    {"free_bytes", disk.free_bytes},
                    {"fits", disk.fits()}};
  }
  if (forecast.records_per_second > 0) {
    plan["time"] = {{"encoder", forecast.encoder},
                    {"records_per_second", forecast.records_per_second}};
    if (const std::optional<double> seconds = forecast.seconds()) {
      plan["time"]["seconds"] = *seconds;
    }
  }
}

}  // namespace furrow::cli
