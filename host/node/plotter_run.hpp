// SPDX-License-Identifier: Apache-2.0
// A plotter node from its beginning to its end: what encodes and where pieces come from, the node over
// both, and how it ends.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <stop_token>
#include <string>

#include "host/base/gate.hpp"
#include "host/base/observer.hpp"
#include "host/cluster/bus.hpp"
#include "host/cluster/subjects.hpp"
#include "host/farm/farm_options.hpp"
#include "host/node/plotter_node.hpp"
#include "host/plotter/engine_request.hpp"
#include "host/plotter/piece_request.hpp"
#include "host/plotting/memory_plan.hpp"

namespace furrow::node {

struct PlotterRequest {
  EngineRequest engine;
  /// Asked before the cluster. Without a cache, and `further` is not used.
  PieceRequest pieces;
  /// Whose caches are asked.
  cluster::SubjectToken cache_group = cluster::global_cache_group();
  /// Memory is planned for sectors of so many; requests for larger ones are refused.
  std::uint16_t most_pieces_in_sector = kMaxPiecesInSector;
  /// How long sectors under way may take when the node is asked to end.
  std::chrono::seconds drain_time{60};
};

/// What the node is like, when it begins to serve.
struct PlotterBeginning {
  std::string id;
  std::string encoder;
  std::size_t places = 0;    ///< sectors at a time
  std::uint64_t memory = 0;  ///< bytes of the host, at most
};

/// As PlotObserver: called from any thread, possibly several at once.
struct PlotterObserver {
  Observer<const std::string&> on_warning = {};
  Observer<const std::string&> on_note = {};
  Observer<const PlotterBeginning&> on_begin = {};
  Observer<const NodeEvent&> on_event = {};
};

struct PlotterSummary {
  std::uint64_t delivered = 0;
  std::uint64_t failed = 0;      ///< the farmer was told why
  std::uint64_t abandoned = 0;   ///< nobody took the sector any more
  std::uint64_t occupied = 0;    ///< requests that found no place
  std::uint64_t malformed = 0;   ///< requests that are none
  std::uint64_t unverified = 0;  ///< pieces of which nobody knew whether they are right
  std::size_t unfinished = 0;    ///< sectors that were under way when the time was over
};

/// Serves until `stop` is requested, then as long as sectors are under way, but no longer than the drain
/// time. Throws what choose_encoder, plan_engine_memory, make_encoder_pool, PlotPieces and
/// PlotterNode::run throw.
PlotterSummary run_plotter(cluster::Bus& bus, const PlotterRequest& request,
                           const PlotterObserver& observer, Gate& gate,
                           const std::stop_token& stop);

}  // namespace furrow::node
