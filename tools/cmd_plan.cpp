#include <memory>
#include <string>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "tools/engine_options.hpp"
#include "tools/piece_options.hpp"
#include "tools/plan_text.hpp"
#include "tools/plot_target.hpp"

namespace furrow::cli {
namespace {

struct Arguments {
  PlotTargetOptions target;
  EngineOptions engine;
  std::size_t pieces_in_flight = PieceOptions().in_flight;
  bool json = false;
};

void run(const Arguments& arguments) {
  const EncoderChoice choice = chosen_encoder(arguments.engine);
  const MemoryPlan plan =
      memory_plan(arguments.engine, choice, planned_pieces_in_sector(arguments.target),
                  arguments.pieces_in_flight);
  if (arguments.json) {
    nlohmann::ordered_json result = plan_json(plan);
    result["pieces_in_sector"] = plan.settings.pieces_in_sector;
    result["sectors_in_memory"] = plan.settings.sectors_in_memory;
    result["output_buffers"] = plan.settings.output_buffers;
    result["pieces_in_flight"] = plan.settings.pieces_in_flight;
    result["threads"] = plan.settings.threads;
    result["devices"] = plan.settings.devices;
    fmt::print("{}\n", result.dump());
    return;
  }
  for (const std::string& line : plan_lines(plan)) {
    fmt::print("{}\n", line);
  }
}

}  // namespace

void add_plan_command(CLI::App& app) {
  const auto arguments = std::make_shared<Arguments>();
  CLI::App* command =
      app.add_subcommand("plan", "Say how much memory furrow plot takes with the same options");
  command->add_option("--farm", arguments->target.farm, "Farm whose sectors are meant");
  command->add_option("--pieces-in-sector", arguments->target.pieces_in_sector,
                      "1 to 1000; those of the farm, or 1000, if not given");
  add_in_flight_option(*command, arguments->pieces_in_flight);
  add_engine_options(*command, arguments->engine);
  command->add_flag("--json", arguments->json, "Print the plan as JSON");
  command->callback([arguments] { run(*arguments); });
}

}  // namespace furrow::cli
