// SPDX-License-Identifier: Apache-2.0
#include <chrono>
#include <memory>
#include <set>
#include <string>

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <spdlog/spdlog.h>

#include "host/base/counted.hpp"
#include "host/node/piece_node.hpp"
#include "host/pieces/store_piece_getter.hpp"
#include "tools/commands.hpp"
#include "tools/compute_options.hpp"
#include "tools/interrupt_watch.hpp"
#include "tools/json_text.hpp"
#include "tools/nats_options.hpp"
#include "tools/standard_output.hpp"

namespace furrow::cli {
namespace {

struct ClusterPiecesArguments {
  NatsArguments nats;
  std::string store;
  std::string cache_group = node::default_cache_group().text();
  std::size_t max_streams = node::PieceNodeOptions().places;
  bool json = false;
};

void warn_of(const std::string& line) {
  spdlog::warn("{}", line);
}

/// What is missing or damaged, told of each pack, and of those that are absent the segments.
std::set<SegmentIndex> look_at_packs(const StorePieceGetter& store) {
  std::set<SegmentIndex> absent;
  for (const SegmentPackProblem& problem : store.check_files()) {
    spdlog::warn("{}", problem.message);
    if (problem.is_unreadable) {
      absent.insert(problem.segment);
    }
  }
  if (absent.size() == store.manifest().segments.size()) {
    throw Error(ErrorKind::kUnavailable, "the store has no pieces: none of its packs can be read");
  }
  return absent;
}

void print(const node::PieceNodeCounters& node, const node::PieceStock::Counters& pieces,
           bool json) {
  if (json) {
    const nlohmann::ordered_json result = {
        {"requests", node.requests},   {"streams", node.streams},   {"pieces", pieces.pieces},
        {"not_found", pieces.missing}, {"failed", pieces.failed},   {"malformed", node.malformed},
        {"abandoned", node.abandoned}, {"gave_way", node.gave_way}, {"dropped", node.dropped}};
    print_result("{}\n", json_line(result));
  } else {
    print_result(
        "gave {} in {} and {}; {} not found, {} failed; {} malformed, {} not acknowledged ({} in "
        "favour of others), {} dropped\n",
        counted(pieces.pieces, "piece"), counted(node.requests, "request"),
        counted(node.streams, "stream"), pieces.missing, pieces.failed,
        counted(node.malformed, "request"), counted(node.abandoned, "stream"), node.gave_way,
        node.dropped);
  }
}

void run_cluster_pieces(const ClusterPiecesArguments& arguments, const std::stop_token& stop) {
  const cluster::SubjectToken group(arguments.cache_group, "--cache-group");
  StorePieceGetter store(arguments.store, {.on_warning = warn_of, .on_missing_pack = warn_of});
  node::PieceStockOptions stocked;
  stocked.history_size = store.manifest().history_size();
  stocked.absent = look_at_packs(store);
  stocked.on_problem = [](const node::PieceProblem& problem) {
    if (!problem.is_missing) {  // of those that are, the pack is told of
      spdlog::warn("piece {}: {}", problem.piece_index.value(), problem.reason);
    }
  };
  node::PieceStock stock(store, stocked);
  const std::unique_ptr<cluster::Bus> bus = join_cluster(arguments.nats, "furrow cluster-pieces");
  node::PieceNodeOptions options;
  options.cache_group = group;
  options.places = arguments.max_streams;
  options.on_refused = [](const std::string& line) { spdlog::debug("{}", line); };
  options.on_ready = [&, cache = options.cache_id.to_string()] {
    if (arguments.json) {
      print_result("{}\n", json_line({{"serving", stock.n_pieces()},
                                      {"cache_group", group.text()},
                                      {"piece_cache", cache}}));
    } else {
      print_result("serving {} in cache group {} as cache {}\n", counted(stock.n_pieces(), "piece"),
                   group.text(), cache);
    }
    flush_results();  // a script waits for this line
  };
  node::PieceNode node(*bus, stock, node::ChainInfo(store.manifest()), options);
  node.run(stop);
  print(node.counters(), stock.counters(), arguments.json);
}

}  // namespace

void add_cluster_pieces_command(Command app, InterruptWatch& interrupts) {
  const auto arguments = std::make_shared<ClusterPiecesArguments>();
  const Command command = app.add_command(
      "cluster-pieces",
      "Be controller and cache of a cluster for the pieces of a store until interrupted");
  add_nats_options(command, arguments->nats);
  command.add_option("--store", arguments->store, "Store made by furrow archive").required();
  command
      .add_option("--cache-group", arguments->cache_group,
                  "Cache group that is answered for, besides the group _ of those who name none")
      .with_default();
  command
      .add_option("--max-streams", arguments->max_streams,
                  "Answers with many pieces at a time; when all places are taken, the requester "
                  "that takes longest to acknowledge gives way")
      .positive()
      .with_default();
  add_simd_option(command);
  command.add_flag("--json", arguments->json, "Print JSON: what is served, and counts at the end");
  command.run(
      [arguments, &interrupts] { run_cluster_pieces(*arguments, interrupts.take_token()); });
}

}  // namespace furrow::cli
