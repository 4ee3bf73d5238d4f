// SPDX-License-Identifier: Apache-2.0
#include <memory>
#include <optional>
#include <stop_token>

#include <nlohmann/json.hpp>

#include "host/plotter/plot_json.hpp"
#include "host/plotter/plot_run.hpp"
#include "tools/commands.hpp"
#include "tools/exit_code.hpp"
#include "tools/interrupt_watch.hpp"
#include "tools/json_text.hpp"
#include "tools/plot_options.hpp"
#include "tools/plot_progress.hpp"
#include "tools/plot_text.hpp"
#include "tools/standard_output.hpp"

namespace furrow::cli {
namespace {

bool prints_events(const PlotOptions& options) {
  return options.progress == "json";
}

ProgressStyle style_of(const PlotOptions& options) {
  return prints_events(options) ? ProgressStyle::kJson
         : options.json         ? ProgressStyle::kQuiet
                                : ProgressStyle::kText;
}

void print_summary(const PlotOptions& options, const PlotSummary& summary) {
  if (!options.json && !prints_events(options)) {
    for (const std::string& line : summary_lines(summary)) {
      print_result("{}\n", line);
    }
    return;
  }
  nlohmann::ordered_json result;
  if (prints_events(options)) {
    result["event"] = "summary";
  }
  result.update(summary_json(summary));
  print_result("{}\n", json_line(result));
}

PlotSummary plot(const PlotPlan& plan, PlotProgress& progress, InterruptWatch& interrupts,
                 const std::stop_token& stop) {
  try {
    return run_plot(plan, progress.observer(plan.memory), interrupts.gate(), stop);
  } catch (const NewFarmNeedsSize&) {
    throw new_farm_needs_size();
  }
}

void run_plot(const PlotOptions& options, InterruptWatch& interrupts) {
  const PlotPlan plan = plan_plot(plot_request(options), logging_observer());
  // Up to here there is nothing to tidy up, and a driver may hang: a signal ends it at once.
  const std::stop_token stop = interrupts.take_token();
  PlotProgress progress(style_of(options));
  const PlotSummary summary = plot(plan, progress, interrupts, stop);
  progress.finish(summary);
  if (summary.outcome == PlotOutcome::kCancelled) {
    throw Interrupted();
  }
  print_summary(options, summary);
  if (const std::optional<std::string> broken = what_is_broken(summary)) {
    throw DoneButBroken(*broken);
  }
}

}  // namespace

void add_plot_command(Command app, InterruptWatch& interrupts) {
  const auto options = std::make_shared<PlotOptions>();
  const Command command =
      app.add_command("plot", "Plot sectors of a farm from the pieces of stores and servers");
  add_plot_options(command, *options, PlotOptionsFor::kPlotting);
  command.add_flag("--json", options->json, "Print the summary as JSON and nothing else");
  command.footer(
      "SIGUSR2 pauses plotting, on a card within one batch of records, and lets it go on.");
  command.run([options, &interrupts] { run_plot(*options, interrupts); });
}

}  // namespace furrow::cli
