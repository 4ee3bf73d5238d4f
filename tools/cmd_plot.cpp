// SPDX-License-Identifier: Apache-2.0
#include <chrono>
#include <memory>
#include <optional>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "host/base/counted.hpp"
#include "host/base/printable.hpp"
#include "host/farm/plot_farm.hpp"
#include "tools/cli_support.hpp"
#include "tools/interrupt_watch.hpp"
#include "tools/json_text.hpp"
#include "tools/plot_options.hpp"
#include "tools/plot_progress.hpp"
#include "tools/standard_output.hpp"

namespace furrow::cli {
namespace {

using Arguments = PlotOptions;

ProgressStyle style_of(const Arguments& arguments) {
  return arguments.progress == "json" ? ProgressStyle::kJson
         : arguments.json             ? ProgressStyle::kQuiet
                                      : ProgressStyle::kText;
}

/// Plots what is missing and returns what had to be given up; throws Interrupted when it was asked
/// to stop.
std::vector<GivenUpSector> plot(const PlotTarget& target, const MemoryPlan& plan,
                                EncoderPool& encoders, PlotPieces& pieces, PlotProgress& progress,
                                const std::stop_token& stop, Gate& gate) {
  Farm& farm = *target.farm;
  const std::vector<SectorIndex> missing = sectors_to_plot(farm, target.sectors);
  progress.say(fmt::format("farm {}: {} of {} to plot, {} in each ({}), history of {}, encoder {}",
                           farm.directory().native(), missing.size(),
                           counted(target.sectors, "sector"),
                           counted(farm.pieces_in_sector(), "piece"), size_text(farm.sector_size()),
                           counted(pieces.manifest().segments.size(), "segment"), encoders.name()));
  progress.plan(plan);
  if (missing.empty()) {
    progress.say(
        "of the sectors that are there the slots were read, their bytes were not: furrow scrub "
        "checks them, and docs/manual/damaged-farm.md says how a broken one is plotted again");
    return {};
  }
  StageClock clock(encoders.size(), &gate, [&encoders] { return encoders.transfer_time(); });
  const PlotProgress::Showing showing =
      progress.start({.sectors = missing.size(),
                      .records = missing.size() * std::uint64_t{farm.pieces_in_sector()},
                      .sectors_present = target.sectors - missing.size(),
                      .pieces_in_sector = farm.pieces_in_sector()},
                     encoders, clock, gate);
  const PlotPipelineOptions options{
      .download = pieces.download_options(),
      .encoders = encoders,
      .sectors_in_memory = plan.settings.sectors_in_memory,
      .output_buffers = plan.settings.output_buffers,
      .gate = &gate,
      .clock = &clock,
      .on_event = [&](SectorIndex index,
                      const PlottingEvent& event) { progress.event(index, event); },
      .on_record_done = [&](SectorIndex index) { progress.record_done(index); }};
  PlotResult result = plot_farm(farm, missing, protocol_info(pieces.manifest()), options, stop);
  progress.finish();
  for (const std::string& line : pieces.report()) {
    progress.say(line);
  }
  if (result.outcome == PlotOutcome::kCancelled) {
    throw Interrupted();
  }
  return std::move(result.given_up);
}

nlohmann::ordered_json sources_json(const PieceSources& sources) {
  nlohmann::ordered_json result = nlohmann::ordered_json::array();
  for (std::size_t i = 0; i < sources.n_sources(); ++i) {
    const PieceSourceCounters counters = sources.counters(i);
    nlohmann::ordered_json faults = nlohmann::ordered_json::object();
    for (std::size_t fault = 0; fault < kPieceFaults; ++fault) {
      if (counters.faults[fault] != 0) {
        faults[name_of(static_cast<PieceFault>(fault))] = counters.faults[fault];
      }
    }
    result.push_back({{"name", sources.name(i)},
                      {"pieces", counters.found},
                      {"bytes", counters.bytes},
                      {"not_found", counters.not_found},
                      {"failed", counters.failed},
                      {"faults", faults}});
  }
  return result;
}

void print_summary(const Arguments& arguments, const Farm& farm, const PlotProgress& progress,
                   const PlotPieces& pieces, const std::vector<GivenUpSector>& given_up,
                   double seconds) {
  if (!arguments.json && arguments.progress != "json") {
    print_result("farm {} has {}; {} plotted now in {:.1f} s\n", printable(arguments.target.farm),
                 counted(farm.sector_count(), "sector"), progress.sectors_done(), seconds);
    print_result("{}\n", size_for_farmer(farm));
    return;
  }
  nlohmann::ordered_json result;
  if (arguments.progress == "json") {
    result["event"] = "summary";
  }
  result["farm"] = arguments.target.farm;
  result["sectors"] = farm.sector_count();
  result["plotted_now"] = progress.sectors_done();
  result["pieces_in_sector"] = farm.pieces_in_sector();
  result["allocated_space"] = farm.info().allocated_space;
  result["cache_percentage"] = farm.cache_percentage();
  result["damaged_pieces"] = pieces.damage();
  result["sources"] = sources_json(pieces.sources());
  result["given_up"] = nlohmann::ordered_json::array();
  for (const GivenUpSector& sector : given_up) {
    result["given_up"].push_back(
        {{"sector", sector.sector_index.value()}, {"error", sector.error}});
  }
  result["seconds"] = seconds;
  print_result("{}\n", json_line(result));
}

/// Throws, naming each, when there are any.
void refuse_given_up(const std::vector<GivenUpSector>& sectors) {
  if (sectors.empty()) {
    return;
  }
  std::string names;
  for (const GivenUpSector& sector : sectors) {
    names += fmt::format("{}{}", names.empty() ? "" : ", ", sector.sector_index.value());
  }
  throw SectorsGivenUp(fmt::format(
      "{} not plotted, because no encoder could encode {}: {}; the last error was: {}",
      sectors.size() == 1 ? "a sector was" : fmt::format("{} sectors were", sectors.size()),
      sectors.size() == 1 ? "it" : "them", names, sectors.back().error));
}

void run(const Arguments& arguments, InterruptWatch& interrupts) {
  const auto start = std::chrono::steady_clock::now();
  check_places(arguments);
  // Unknown names and sizes, and limits that are too low, are refused before anything is created.
  const EncoderChoice choice = chosen_encoder(arguments.engine);
  const MemoryPlan plan = memory_plan_of(arguments, choice);
  EncoderSettings settings = encoder_settings(arguments.engine, plan);
  settings.gate = &interrupts.gate();
  // Up to here there is nothing to tidy up, and a driver may hang: a signal ends it at once.
  const std::stop_token stop = interrupts.take_token();
  PlotPieces pieces(arguments.pieces, choice.mode, plan, stop);
  // A card may have no room for its encoder; the farm comes after whatever may fail, and the cache
  // after the farm, which may be refused.
  const std::unique_ptr<EncoderPool> encoders = make_encoder_pool(choice, std::move(settings));
  const PlotTarget target = open_plot_target(arguments.target, pieces.manifest());
  pieces.open_cache();
  say_note(choice);
  PlotProgress progress(style_of(arguments));
  const std::vector<GivenUpSector> given_up =
      plot(target, plan, *encoders, pieces, progress, stop, interrupts.gate());
  target.farm->check_presence();  // what is said to be there is to be found there
  print_summary(arguments, *target.farm, progress, pieces, given_up,
                std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  refuse_given_up(given_up);
  const std::vector<std::string> damage = pieces.damage();
  if (!damage.empty()) {
    throw DamagedStore(fmt::format(
        "a store of pieces is damaged in {} {}, the first one was {}; the farm is complete",
        damage.size(), damage.size() == 1 ? "place" : "places", damage.front()));
  }
  if (const std::string lost = sectors_that_are_lost(*target.farm); !lost.empty()) {
    throw DoneButBroken(fmt::format("farm {}: {}", printable(arguments.target.farm), lost));
  }
}

}  // namespace

void add_plot_command(CLI::App& app, InterruptWatch& interrupts) {
  const auto arguments = std::make_shared<Arguments>();
  CLI::App* command =
      app.add_subcommand("plot", "Plot sectors of a farm from the pieces of stores and servers");
  add_plot_options(*command, *arguments, PlotOptionsFor::kPlotting);
  command->add_flag("--json", arguments->json, "Print the summary as JSON and nothing else");
  command->footer(
      "SIGUSR2 pauses plotting, on a card within one batch of records, and lets it go on.");
  command->callback([arguments, &interrupts] { run(*arguments, interrupts); });
}

}  // namespace furrow::cli
