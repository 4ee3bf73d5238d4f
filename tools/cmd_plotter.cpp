// SPDX-License-Identifier: Apache-2.0
#include <chrono>
#include <memory>

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <spdlog/spdlog.h>
#include <sys/resource.h>

#include "host/base/byte_size.hpp"
#include "host/base/counted.hpp"
#include "host/base/printable.hpp"
#include "host/node/plotter_run.hpp"
#include "tools/commands.hpp"
#include "tools/engine_options.hpp"
#include "tools/interrupt_watch.hpp"
#include "tools/json_text.hpp"
#include "tools/nats_options.hpp"
#include "tools/piece_options.hpp"
#include "tools/standard_output.hpp"

namespace furrow::cli {
namespace {

struct PlotterArguments {
  NatsArguments nats;
  PieceArguments pieces;
  EngineArguments engine;
  std::string cache_group;
  std::uint64_t most_pieces_in_sector = kMaxPiecesInSector;
  std::uint64_t drain_seconds = 60;
  int nice = 0;
  bool json = false;
};

/// One line for each thing that became of a request.
struct EventText {
  SectorIndex sector;

  void operator()(const node::NodeEvent::Accepted&) const {
    spdlog::info("sector {}: accepted", sector.value());
  }
  void operator()(const node::NodeEvent::Occupied&) const {
    spdlog::info("sector {}: all places are taken; the farmer asks another plotter",
                 sector.value());
  }
  void operator()(const node::NodeEvent::Delivered& event) const {
    spdlog::info("sector {}: delivered after {:.1f} s", sector.value(), event.time.count());
  }
  void operator()(const node::NodeEvent::Failed& event) const {
    spdlog::warn("sector {}: {}", sector.value(), event.reason);
  }
  void operator()(const node::NodeEvent::Abandoned& event) const {
    spdlog::warn("sector {}: nobody takes it any more: {}", sector.value(), event.reason);
  }
  void operator()(const node::NodeEvent::Malformed& event) const {
    spdlog::warn("a request was dropped: {}", event.reason);
  }
};

void print_beginning(const node::PlotterBeginning& beginning, bool json) {
  if (json) {
    print_result("{}\n", json_line({{"plotter", beginning.id},
                                    {"encoder", beginning.encoder},
                                    {"places", beginning.places},
                                    {"memory_bytes", beginning.memory}}));
  } else {
    print_result("plotter {}: {}, {} at a time, at most {}\n", beginning.id, beginning.encoder,
                 counted(beginning.places, "sector"), size_text(beginning.memory));
  }
  flush_results();  // a script waits for this line
}

void print_summary(const node::PlotterSummary& summary, bool json) {
  if (json) {
    print_result("{}\n", json_line({{"delivered", summary.delivered},
                                    {"failed", summary.failed},
                                    {"abandoned", summary.abandoned},
                                    {"occupied", summary.occupied},
                                    {"malformed", summary.malformed},
                                    {"unverified_pieces", summary.unverified},
                                    {"unfinished", summary.unfinished}}));
    return;
  }
  print_result("delivered {}; {} failed, {} abandoned, {} left unfinished\n",
               counted(summary.delivered, "sector"), summary.failed, summary.abandoned,
               summary.unfinished);
  if (summary.unverified != 0) {
    print_result(
        "{} taken unverified: the controller of the cluster gave no super segment headers\n",
        counted(summary.unverified, "piece was", "pieces were"));
  }
}

node::PlotterRequest plotter_request(const PlotterArguments& arguments) {
  node::PlotterRequest request;
  request.engine = engine_request(arguments.engine);
  request.pieces = piece_request(arguments.pieces);
  if (!arguments.cache_group.empty()) {
    request.cache_group = cluster::SubjectToken(arguments.cache_group, "--cache-group");
  }
  request.most_pieces_in_sector = static_cast<std::uint16_t>(arguments.most_pieces_in_sector);
  request.drain_time = std::chrono::seconds(arguments.drain_seconds);
  return request;
}

void run_plotter_command(const PlotterArguments& arguments, InterruptWatch& interrupts) {
  const node::PlotterRequest request = plotter_request(arguments);
  if (arguments.nice != 0 && ::setpriority(PRIO_PROCESS, 0, arguments.nice) != 0) {
    spdlog::warn("the priority stays as it is: {}", std::generic_category().message(errno));
  }
  const std::unique_ptr<cluster::Bus> bus = join_cluster(arguments.nats, "furrow plotter");
  const std::stop_token stop = interrupts.take_token();
  const node::PlotterSummary summary =
      run_plotter(*bus, request,
                  {.on_warning = [](const std::string& line) { spdlog::warn("{}", line); },
                   .on_note = [](const std::string& line) { spdlog::info("{}", line); },
                   .on_begin =
                       [&arguments](const node::PlotterBeginning& beginning) {
                         print_beginning(beginning, arguments.json);
                       },
                   .on_event =
                       [](const node::NodeEvent& event) {
                         std::visit(EventText{event.sector_index}, event.what);
                       }},
                  interrupts.gate(), stop);
  print_summary(summary, arguments.json);
}

}  // namespace

void add_plotter_command(Command app, InterruptWatch& interrupts) {
  const auto arguments = std::make_shared<PlotterArguments>();
  const Command command =
      app.add_command("plotter", "Plot sectors for the farmers of a cluster until interrupted");
  add_nats_options(command, arguments->nats);
  command.add_option("--cache-group", arguments->cache_group,
                     "Group whose caches are asked for pieces; any if not given");
  add_piece_options(command, arguments->pieces, false);
  add_engine_options(command, arguments->engine);
  command
      .add_option("--max-pieces-in-sector", arguments->most_pieces_in_sector,
                  "Largest sectors to plot: memory is planned for these")
      .in_range(std::uint64_t{1}, std::uint64_t{kMaxPiecesInSector})
      .with_default();
  command
      .add_option("--drain-seconds", arguments->drain_seconds,
                  "How long sectors under way may take at the end, before their farmers are told "
                  "to ask another plotter")
      .in_range(std::uint64_t{0}, std::uint64_t{86'400})
      .with_default();
  command
      .add_option("--nice", arguments->nice,
                  "Priority among processes: 19 is the lowest, and costs much on a busy machine")
      .in_range(-20, 19)
      .with_default();
  command.add_flag("--json", arguments->json,
                   "Print JSON: what the node is, and counts at the end");
  command.footer(
      "SIGINT and SIGTERM end it when what is under way is finished; a second one ends it at once. "
      "SIGUSR2 pauses plotting, and lets it go on.");
  command.run([arguments, &interrupts] { run_plotter_command(*arguments, interrupts); });
}

}  // namespace furrow::cli
