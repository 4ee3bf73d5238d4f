// SPDX-License-Identifier: Apache-2.0
// A plotter in a cluster: sectors for whoever asks, of whatever farm
// (docs/spec/07-cluster-protocol.md, sections 7 and 11). It keeps nothing: what it has made goes to who
// asked for it, or nowhere.
//
//   farmer                                    node
//      │ ── free-instance ─────────────────────► │  in the group of all plotters while there is capacity
//      │ ◄── its identifier ──────────────────── │
//      │ ── plot-sector, by its identifier ────► │  takes a place, or answers Occupied
//      │ ◄── progress, then the sector ───────── │  the place is free again when the last byte is out
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <variant>
#include <vector>

#include "host/base/mutex.hpp"
#include "host/base/observer.hpp"
#include "host/base/permits.hpp"
#include "host/cluster/bus.hpp"
#include "host/cluster/identifiers.hpp"
#include "host/cluster/plotter_messages.hpp"
#include "host/cluster/stream_responder.hpp"
#include "host/node/plotting_elements.hpp"
#include "host/plotting/download_sector.hpp"
#include "host/plotting/plotted_sector.hpp"
#include "host/plotting/plotting_event.hpp"

namespace furrow::node {

/// A sector and what a farmer has to know of it.
struct MadeSector {
  PlottedSector plotted_sector;
  SectorBytes sector;
};

/// Plots a sector, and tells how far it is; none when a stop was requested. What it throws is the answer
/// to the farmer. Called by as many threads at once as the node has places.
using SectorMaker = std::function<std::optional<MadeSector>(
    const SectorPlan&, const Observer<const PlottingEvent&>&, const std::stop_token&)>;

/// What becomes of the requests of farmers.
struct NodeEvent {
  struct Accepted {};
  struct Occupied {};  ///< all places are taken; the farmer asks another one
  struct Delivered {
    std::chrono::duration<double> time;  ///< since it was accepted
  };
  struct Failed {
    std::string reason;  ///< as the farmer was told
  };
  struct Abandoned {
    std::string reason;  ///< why nobody takes the sector any more
  };
  struct Malformed {
    std::string reason;
  };

  std::variant<Accepted, Occupied, Delivered, Failed, Abandoned, Malformed> what;
  SectorIndex sector_index;  ///< not of Malformed
};

struct PlotterNodeOptions {
  /// Whose farmers it serves.
  Network network = Network::kAbundance;
  cluster::PlotterId id = {cluster::draw_ulid()};
  /// Sectors at a time, from the request to the last byte.
  std::size_t places = 3;
  /// Requests for larger sectors are answered with an error.
  std::uint16_t most_pieces_in_sector = 1000;
  std::chrono::milliseconds ping_interval = std::chrono::seconds(10);
  /// How often a full node looks whether it has a place again.
  std::chrono::milliseconds place_check_interval = std::chrono::seconds(1);
  /// How long farmers have, at the end, to take the message that their sectors will not come.
  std::chrono::milliseconds farewell = std::chrono::seconds(2);
  cluster::StreamResponderOptions stream = {};
  /// Farmers may ask from now on.
  Observer<> on_ready = {};
  Observer<const NodeEvent&> on_event = {};
};

/// The sector that a request is for. Throws InvalidArgument for numbers of which no sector can be made.
[[nodiscard]] SectorPlan plan_of(Network network, const cluster::PlotSectorRequest& request,
                                 std::uint16_t most_pieces_in_sector);

class PlotterNode {
 public:
  /// `bus` outlives it.
  PlotterNode(cluster::Bus& bus, SectorMaker make_sector, PlotterNodeOptions options);
  PlotterNode(const PlotterNode&) = delete;
  PlotterNode& operator=(const PlotterNode&) = delete;
  ~PlotterNode();

  /// Serves until `drain` is requested, then finishes what is under way. When `end` is requested, then or
  /// at once, what is not finished is answered with an error, so that farmers ask another plotter at once. Returns how many
  /// were. Throws BusError when the connection is lost for good.
  std::size_t run(const std::stop_token& drain, const std::stop_token& end);

 private:
  class Job;

  void tell(decltype(NodeEvent::what) what, SectorIndex sector_index) const;
  void offer(const std::stop_token& stop);
  void serve(cluster::BusSubscription& requests, const std::string& subject,
             const std::stop_token& stop);
  void take(const cluster::BusMessage& message);
  void refuse(const std::string& response_subject, const cluster::PlottingProgress& answer);
  std::size_t finish_jobs(const std::stop_token& end, bool is_disconnected);
  void end_of(std::atomic<bool>& is_over);

  cluster::Bus& bus_;
  const SectorMaker make_sector_;
  const PlotterNodeOptions options_;
  Permits places_;
  Mutex mutex_;
  ConditionVariable job_ended_;
  std::list<Job> jobs_;  // of the thread that runs
};

}  // namespace furrow::node
