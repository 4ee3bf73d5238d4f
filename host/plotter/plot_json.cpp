// SPDX-License-Identifier: Apache-2.0
#include "host/plotter/plot_json.hpp"

#include <array>
#include <cmath>
#include <cstddef>
#include <optional>
#include <utility>
#include <variant>

#include <nlohmann/json.hpp>

namespace furrow {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::array<std::pair<const char*, Stage>, kStages> kStageNames = {
    {{"pieces", Stage::kPieces},
     {"encoder", Stage::kEncoder},
     {"transfer", Stage::kTransfer},
     {"layout", Stage::kLayout},
     {"disk", Stage::kDisk}}};

/// Three digits are enough.
double rounded(double value) {
  return std::round(value * 1000) / 1000;
}

Json device_json(const DeviceMemoryPlan& device) {
  return {{"device", device.index},
          {"name", device.name},
          {"free_bytes", device.free_bytes},
          {"bytes", device.plan.device_bytes},
          {"least_bytes", device.plan.least_device_bytes},
          {"pinned_bytes", device.plan.pinned_bytes},
          {"lanes", device.plan.lanes},
          {"batch", device.plan.batch}};
}

Json disk_json(const DiskForecast& disk) {
  return {{"sectors", disk.sectors},
          {"sectors_plotted", disk.sectors_plotted},
          {"farm_bytes", disk.farm_bytes},
          {"beside_bytes", disk.beside_bytes},
          {"present_bytes", disk.present_bytes},
          {"needed_bytes", disk.needed_bytes()},
          {"free_bytes", disk.free_bytes},
          {"fits", disk.fits()}};
}

Json time_json(const PlotForecast& forecast) {
  Json result = {{"encoder", forecast.encoder},
                 {"records_per_second", forecast.records_per_second}};
  if (const std::optional<double> seconds = forecast.seconds()) {
    result["seconds"] = *seconds;
  }
  return result;
}

Json source_json(const PlotSummary::Source& source) {
  Json faults = Json::object();
  for (std::size_t fault = 0; fault < kPieceFaults; ++fault) {
    if (source.counters.faults[fault] != 0) {
      faults[name_of(static_cast<PieceFault>(fault))] = source.counters.faults[fault];
    }
  }
  return {{"name", source.name},
          {"pieces", source.counters.found},
          {"bytes", source.counters.bytes},
          {"not_found", source.counters.not_found},
          {"failed", source.counters.failed},
          {"faults", faults}};
}

}  // namespace

Json memory_json(const MemoryPlan& plan) {
  Json items = Json::array();
  for (const MemoryPlan::Item& item : plan.items) {
    items.push_back({{"what", item.what}, {"bytes", item.bytes}});
  }
  Json result = {{"memory_bytes", plan.total()}, {"items", items}, {"notes", plan.notes}};
  for (const DeviceMemoryPlan& device : plan.device_memory) {
    result["device_memory"].push_back(device_json(device));
  }
  return result;
}

Json plan_json(const MemoryPlan& plan, const PlotForecast& forecast) {
  Json result = memory_json(plan);
  result["pieces_in_sector"] = plan.settings.pieces_in_sector;
  result["sectors_in_memory"] = plan.settings.sectors_in_memory;
  result["output_buffers"] = plan.settings.output_buffers;
  result["pieces_in_flight"] = plan.settings.pieces_in_flight;
  result["threads"] = plan.settings.threads;
  result["devices"] = plan.settings.devices;
  if (forecast.disk.has_value()) {
    result["disk"] = disk_json(*forecast.disk);
  }
  if (forecast.records_per_second > 0) {
    result["time"] = time_json(forecast);
  }
  return result;
}

Json event_json(SectorIndex index, const PlottingEvent& event) {
  static constexpr std::array<const char*, std::variant_size_v<PlottingEvent>> kNames = {
      "downloading", "downloaded", "encoding", "encoded",
      "writing",     "finished",   "failed",   "trying_again"};
  Json result = {{"event", "sector"}, {"sector", index.value()}, {"state", kNames[event.index()]}};
  std::visit(
      [&](const auto& what) {
        if constexpr (requires { what.duration; }) {
          result["seconds"] = rounded(what.duration.count());
        } else if constexpr (requires { what.error; }) {
          result["error"] = what.error;
        }
      },
      event);
  return result;
}

Json moment_json(const PlotMoment& moment) {
  Json encoders = Json::array();
  for (const PlotMoment::Encoder& encoder : moment.encoders) {
    encoders.push_back({{"name", encoder.name},
                        {"records_per_second", rounded(encoder.records_per_second)},
                        {"transfer_seconds", rounded(encoder.transfer_seconds)},
                        {"lost", encoder.is_lost}});
  }
  return {{"event", "progress"},
          {"sectors", moment.sectors},
          {"sectors_total", moment.totals.sectors},
          {"records", moment.records},
          {"records_total", moment.totals.records},
          {"seconds", rounded(moment.seconds)},
          {"records_per_second", rounded(moment.records_per_second)},
          {"seconds_left",
           moment.seconds_left < 0 ? Json(nullptr) : Json(rounded(moment.seconds_left))},
          {"encoders", encoders}};
}

Json limit_json(const StageShares& shares, double seconds) {
  Json busy;
  Json waited;
  for (const auto& [name, stage] : kStageNames) {
    busy[name] = rounded(shares.busy_share(stage));
    waited[name] = rounded(shares.waited(stage));
  }
  return {{"event", "limit"},
          {"limited_by", shares.limit()},
          {"seconds", rounded(seconds)},
          {"busy", busy},
          {"waited", waited},
          {"gate", rounded(shares.gate)}};
}

Json summary_json(const PlotSummary& summary) {
  Json sources = Json::array();
  for (const PlotSummary::Source& source : summary.sources) {
    sources.push_back(source_json(source));
  }
  Json given_up = Json::array();
  for (const GivenUpSector& sector : summary.given_up) {
    given_up.push_back({{"sector", sector.sector_index.value()}, {"error", sector.error}});
  }
  return {{"farm", summary.farm.directory.native()},
          {"sectors", summary.farm.sectors},
          {"plotted_now", summary.sectors_plotted},
          {"pieces_in_sector", summary.farm.pieces_in_sector},
          {"allocated_space", summary.farm.allocated_space},
          {"cache_percentage", summary.farm.cache_percentage},
          {"damaged_pieces", summary.damage},
          {"sources", sources},
          {"given_up", given_up},
          {"seconds", summary.seconds}};
}

}  // namespace furrow
