// SPDX-License-Identifier: Apache-2.0
#include <memory>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "host/plotter/plot_json.hpp"
#include "tools/commands.hpp"
#include "tools/json_text.hpp"
#include "tools/plan_text.hpp"
#include "tools/plot_options.hpp"
#include "tools/plot_text.hpp"
#include "tools/standard_output.hpp"

namespace furrow::cli {
namespace {

struct PlanArguments {
  PlotOptions plot;
  bool no_measure = false;
};

PlotForecast forecast_of(const PlotPlan& plan, bool measures_speed, const PlotObserver& observer) {
  try {
    return forecast_plot(plan, measures_speed, observer);
  } catch (const HistoryNotGiven&) {
    throw InvalidArgument("--until-covered depends on the history: give --pieces or --manifest");
  }
}

void run_plan(const PlanArguments& arguments) {
  const PlotObserver observer = logging_observer();
  const PlotPlan plan = plan_plot(plot_request(arguments.plot), observer);
  const PlotForecast forecast = forecast_of(plan, !arguments.no_measure, observer);
  if (arguments.plot.json) {
    print_result("{}\n", json_line(plan_json(plan.memory, forecast)));
    return;
  }
  for (const std::vector<std::string>& lines :
       {plan_lines(plan.memory), forecast_lines(forecast)}) {
    for (const std::string& line : lines) {
      print_result("{}\n", line);
    }
  }
}

}  // namespace

void add_plan_command(Command app) {
  const auto arguments = std::make_shared<PlanArguments>();
  const Command command = app.add_command(
      "plan", "Say how much memory, disk and time furrow plot takes with the same options");
  add_plot_options(command, arguments->plot, PlotOptionsFor::kPlanning);
  command.add_flag("--no-measure", arguments->no_measure,
                   "Leave out the time, for which some records are encoded");
  command.add_flag("--json", arguments->plot.json, "Print the plan as JSON");
  command.run([arguments] { run_plan(*arguments); });
}

}  // namespace furrow::cli
