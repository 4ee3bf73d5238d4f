// SPDX-License-Identifier: Apache-2.0
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <spdlog/spdlog.h>

#include "host/base/byte_size.hpp"
#include "host/base/counted.hpp"
#include "host/base/foreign_error.hpp"
#include "host/base/printable.hpp"
#include "host/node/farm_run.hpp"
#include "host/plotter/plot_json.hpp"
#include "tools/commands.hpp"
#include "tools/exit_code.hpp"
#include "tools/farm_options.hpp"
#include "tools/interrupt_watch.hpp"
#include "tools/json_text.hpp"
#include "tools/nats_options.hpp"
#include "tools/plot_options.hpp"
#include "tools/plot_text.hpp"
#include "tools/standard_output.hpp"

namespace furrow::cli {
namespace {

struct ClusterFarmArguments {
  NatsArguments nats;
  std::vector<std::string> farms;
  FarmArguments farm;
  std::optional<unsigned> in_flight;
  unsigned verify_records = static_cast<unsigned>(node::ClusterFarmRequest().verify_records);
  bool json = false;
};

nlohmann::ordered_json with_farm(nlohmann::ordered_json event, const std::filesystem::path& farm) {
  event["farm"] = printable(farm.native());
  return event;
}

/// What becomes of a sector: one line when it is there, one when it has to be asked for again.
struct FarmEventText {
  const std::filesystem::path& farm;
  SectorIndex sector;

  void operator()(const Finished& event) const {
    spdlog::info("farm {}: sector {} finished, {:.1f} s", printable(farm.native()), sector.value(),
                 event.duration.count());
  }
  void operator()(const TryingAgain& event) const {
    spdlog::warn("farm {}: sector {} is asked for again: {}", printable(farm.native()),
                 sector.value(), printable(event.error));
  }
  void operator()(const auto& /*event*/) const {}
};

node::ClusterFarmObserver observer_of(const ClusterFarmArguments& arguments) {
  node::ClusterFarmObserver observer;
  observer.on_warning = logging_observer().on_warning;
  if (arguments.json) {
    observer.on_farm = [](const PlotBeginning& beginning) {
      print_result("{}\n", json_line(with_farm({{"event", "farm"},
                                                {"sectors", beginning.sectors},
                                                {"sectors_to_plot", beginning.sectors_to_plot},
                                                {"pieces_in_sector", beginning.pieces_in_sector},
                                                {"segments", beginning.segments}},
                                               beginning.farm)));
    };
    observer.on_begin = [](const node::ClusterFarmBeginning& beginning) {
      print_result("{}\n", json_line({{"event", "begin"},
                                      {"in_flight", beginning.in_flight},
                                      {"memory_bytes", beginning.memory}}));
      flush_results();
    };
    observer.on_event = [](const std::filesystem::path& farm, SectorIndex sector,
                           const PlottingEvent& event) {
      print_result("{}\n", json_line(with_farm(event_json(sector, event), farm)));
      flush_results();
    };
    return observer;
  }
  observer.on_farm = [](const PlotBeginning& beginning) {
    print_result("{}\n", beginning_line(beginning));
  };
  observer.on_begin = [](const node::ClusterFarmBeginning& beginning) {
    print_result("{} at a time, at most {} of memory\n", counted(beginning.in_flight, "sector"),
                 size_text(beginning.memory));
    flush_results();
  };
  observer.on_event = [](const std::filesystem::path& farm, SectorIndex sector,
                         const PlottingEvent& event) {
    std::visit(FarmEventText{farm, sector}, event);
  };
  return observer;
}

void print_summary(const node::ClusterFarmSummary& summary, bool json) {
  if (!json) {
    for (const auto& farm : summary.farms) {
      if (farm.error == nullptr) {
        for (const std::string& line : summary_lines(farm.plot)) {
          print_result("{}\n", line);
        }
      }
    }
    if (summary.unverified != 0) {
      print_result("{} not verified: the controller of the cluster gave no super segment headers\n",
                   counted(summary.unverified, "sampled record was", "sampled records were"));
    }
    return;
  }
  nlohmann::ordered_json farms = nlohmann::ordered_json::array();
  for (const auto& farm : summary.farms) {
    nlohmann::ordered_json entry = {{"farm", printable(farm.directory.native())},
                                    {"sectors_plotted", farm.plot.sectors_plotted},
                                    {"seconds", farm.plot.seconds}};
    if (farm.error == nullptr) {
      entry["sectors"] = farm.plot.farm.sectors;
      entry["allocated_space"] = farm.plot.farm.allocated_space;
    } else {
      entry["error"] = printable(message_of(farm.error));
    }
    farms.push_back(std::move(entry));
  }
  print_result("{}\n", json_line({{"event", "summary"},
                                  {"farms", std::move(farms)},
                                  {"unverified_records", summary.unverified}}));
}

/// What went wrong with farms ends the command: with their error if there is but one, or else as one
/// sentence.
void throw_what_is_broken(const node::ClusterFarmSummary& summary) {
  std::size_t n_failed = 0;
  std::exception_ptr first;
  for (const auto& farm : summary.farms) {
    if (farm.error != nullptr && n_failed++ == 0) {
      first = farm.error;
    }
  }
  if (n_failed == summary.farms.size()) {
    std::rethrow_exception(first);
  }
  if (n_failed != 0) {
    throw DoneButBroken(fmt::format("{} of {} not plotted to the end, the first because: {}",
                                    n_failed == 1 ? "1 was" : fmt::format("{} were", n_failed),
                                    counted(summary.farms.size(), "farm"), message_of(first)));
  }
  for (const auto& farm : summary.farms) {
    if (const std::optional<std::string> broken = what_is_broken(farm.plot)) {
      throw DoneButBroken(*broken);
    }
  }
}

void run_cluster_farm_command(const ClusterFarmArguments& arguments, InterruptWatch& interrupts) {
  node::ClusterFarmRequest request;
  for (const std::string& farm : arguments.farms) {
    request.farms.push_back(farm_request(farm, arguments.farm, logging_observer().on_warning));
  }
  request.in_flight = arguments.in_flight;
  request.verify_records = arguments.verify_records;
  const std::unique_ptr<cluster::Bus> bus = join_cluster(arguments.nats, "furrow cluster-farm");
  const std::stop_token stop = interrupts.take_token();
  const node::ClusterFarmSummary summary = [&] {
    try {
      return run_cluster_farm(*bus, request, observer_of(arguments), interrupts.gate(), stop);
    } catch (const NewFarmNeedsSize&) {
      throw new_farm_needs_size();
    }
  }();
  if (summary.outcome == PlotOutcome::kCancelled) {
    throw Interrupted();
  }
  print_summary(summary, arguments.json);
  throw_what_is_broken(summary);
}

}  // namespace

void add_cluster_farm_command(Command app, InterruptWatch& interrupts) {
  const auto arguments = std::make_shared<ClusterFarmArguments>();
  const Command command =
      app.add_command("cluster-farm", "Plot sectors of farms by the plotters of a cluster");
  add_nats_options(command, arguments->nats);
  command
      .add_option("--farm", arguments->farms,
                  "Directory of a farm; created when absent; may be given several times, each with "
                  "the size that is said")
      .required()
      .one_word_each();
  add_farm_options(command, arguments->farm);
  command
      .add_option("--in-flight", arguments->in_flight,
                  "Sectors that are asked for at the same time, by all farms together; each may "
                  "take its size in memory. If not given, as many as half of the free memory has "
                  "room for, 50 at most")
      .in_range(std::uint64_t{1}, std::uint64_t{1000});
  command
      .add_option("--verify-records", arguments->verify_records,
                  "Of each sector that arrives, records that are read back, verified and encoded "
                  "once more on the CPU")
      .in_range(std::uint64_t{0}, std::uint64_t{kMaxPiecesInSector})
      .with_default();
  command.add_flag("--json", arguments->json,
                   "Print JSON: an object a line for what happens, and a summary");
  command.footer(
      "The first SIGINT or SIGTERM ends it when what is on its way has arrived; a second one ends "
      "it at once. SIGUSR2 pauses asking for sectors, and lets it go on.");
  command.run([arguments, &interrupts] { run_cluster_farm_command(*arguments, interrupts); });
}

}  // namespace furrow::cli
