// SPDX-License-Identifier: Apache-2.0
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "host/plotting/encoder_speed.hpp"
#include "tools/cli_support.hpp"
#include "tools/json_text.hpp"
#include "tools/plan_text.hpp"
#include "tools/plot_forecast.hpp"
#include "tools/plot_options.hpp"
#include "tools/standard_output.hpp"

namespace furrow::cli {
namespace {

struct Arguments {
  PlotOptions plot;
  bool no_measure = false;
};

/// Only what depends on the history needs the pieces.
std::optional<DiskForecast> disk_of(const PlotOptions& plot, const EncoderChoice& choice,
                                    const MemoryPlan& plan) {
  if (plot.target.farm.empty()) {
    return std::nullopt;
  }
  if (plot.target.until_covered && plot.pieces.manifest.has_value()) {
    const Manifest manifest = Manifest::load(*plot.pieces.manifest);
    return planned_disk(plot.target, &manifest);
  }
  if (!plot.target.until_covered || plot.pieces.sources.empty()) {
    return planned_disk(plot.target, nullptr);
  }
  return planned_disk(plot.target, &PlotPieces(plot.pieces, choice.mode, plan, {}).manifest());
}

/// As many records as are encoded at a time: one on each thread, or all batches of the devices.
std::size_t records_at_a_time(const MemoryPlan& plan) {
  std::size_t n = 0;
  for (const DeviceMemoryPlan& device : plan.device_memory) {
    n += device.plan.lanes * device.plan.batch;
  }
  return n != 0 ? n : plan.settings.threads;
}

void run(const Arguments& arguments) {
  const PlotOptions& plot = arguments.plot;
  check_places(plot);
  const EncoderChoice choice = chosen_encoder(plot.engine);
  const MemoryPlan plan = memory_plan_of(plot, choice);
  PlotForecast forecast;
  forecast.disk = disk_of(plot, choice, plan);
  if (!arguments.no_measure) {
    const std::unique_ptr<EncoderPool> encoders =
        make_encoder_pool(choice, encoder_settings(plot.engine, plan));
    forecast.encoder = encoders->name();
    forecast.records_per_second = measure_records_per_second(*encoders, records_at_a_time(plan));
  }
  say_note(choice);
  if (plot.json) {
    nlohmann::ordered_json result = plan_json(plan);
    result["pieces_in_sector"] = plan.settings.pieces_in_sector;
    result["sectors_in_memory"] = plan.settings.sectors_in_memory;
    result["output_buffers"] = plan.settings.output_buffers;
    result["pieces_in_flight"] = plan.settings.pieces_in_flight;
    result["threads"] = plan.settings.threads;
    result["devices"] = plan.settings.devices;
    add_forecast(forecast, result);
    print_result("{}\n", json_line(result));
    return;
  }
  for (const std::vector<std::string>& lines : {plan_lines(plan), forecast_lines(forecast)}) {
    for (const std::string& line : lines) {
      print_result("{}\n", line);
    }
  }
}

}  // namespace

void add_plan_command(CLI::App& app) {
  const auto arguments = std::make_shared<Arguments>();
  CLI::App* command = app.add_subcommand(
      "plan", "Say how much memory, disk and time furrow plot takes with the same options");
  add_plot_options(*command, arguments->plot, PlotOptionsFor::kPlanning);
  command->add_flag("--no-measure", arguments->no_measure,
                    "Leave out the time, for which some records are encoded");
  command->add_flag("--json", arguments->plot.json, "Print the plan as JSON");
  command->callback([arguments] { run(*arguments); });
}

}  // namespace furrow::cli
