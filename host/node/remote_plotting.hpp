// SPDX-License-Identifier: Apache-2.0
// Sectors made by the plotters of a cluster (docs/spec/07-cluster-protocol.md, section 7): for plot_farm
// what plot_sectors is on one machine.
//
//   next sector ─► W workers: gate ─ permit ─ free plotter ─ request ─ receive ─ check ─► write
//                                    │        one asks       again, of another plotter,
//                                    │        at a time      until it is right
//                                    until written: so many sectors are in memory at most
//
// A farm gives no sector up: whatever goes wrong with one, it is asked for again, as the reference does.
// A plotter whose sector was wrong is asked no more.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <optional>
#include <set>
#include <stop_token>
#include <string>

#include "host/base/gate.hpp"
#include "host/base/mutex.hpp"
#include "host/base/observer.hpp"
#include "host/base/permits.hpp"
#include "host/cluster/bus.hpp"
#include "host/cluster/request.hpp"
#include "host/cluster/subjects.hpp"
#include "host/node/sector_request.hpp"
#include "host/plotting/plot_pipeline.hpp"

namespace furrow::node {

/// Throws WrongSector for a sector that is not the one that was asked for.
using CheckReceived =
    std::function<void(const SectorPlan&, const ReceivedSector&, const std::stop_token&)>;

struct RemotePlottingOptions {
  /// Sectors that are asked for at the same time, by all farms together; at least 1.
  std::size_t in_flight = 1;
  std::chrono::milliseconds ping_timeout = SectorRequestOptions().ping_timeout;
  /// Of the question for a free plotter: one attempt. Whoever has capacity answers at once; somebody who
  /// listens to everything and answers nothing is not waited for.
  cluster::RequestOptions request = {.timeout = std::chrono::seconds(10),
                                     .most_delay = std::chrono::milliseconds(0)};
  /// The first pause after a question without a plotter, and after a sector that did not come; each
  /// further one is twice as long, up to the most.
  std::chrono::milliseconds least_pause = std::chrono::seconds(1);
  std::chrono::milliseconds most_pause_without_plotter = std::chrono::seconds(5);
  std::chrono::milliseconds most_pause_after_failure = std::chrono::seconds(60);
  /// Waited for before each sector.
  Gate* gate = nullptr;
  /// Gets a line when no plotter is to be found, and when one is found out. Called from any thread.
  Observer<const std::string&> on_warning = {};
};

/// Thread-safe: each farm calls make_sectors on a thread of its own.
class RemotePlotting {
 public:
  /// `bus` outlives it.
  RemotePlotting(cluster::Bus& bus, CheckReceived check, RemotePlottingOptions options);

  /// As MakeSectors, for a farm with that key. Sectors that are finished already when a stop is requested
  /// are still received and written. Throws what `next` and `write` throw, ResourceExhausted, and BusError
  /// when the connection is closed for good.
  PlotResult make_sectors(const PublicKey& public_key, const SectorSource& next,
                          const Observer<SectorIndex, const PlottingEvent&>& on_event,
                          const SectorSink& write, const std::stop_token& stop);

 private:
  class Farm;

  /// Waits for one that has capacity; none when a stop was requested.
  std::optional<cluster::SubjectToken> find_plotter(const std::stop_token& stop);
  std::optional<cluster::SubjectToken> ask_for_plotter(const std::stop_token& stop);
  [[nodiscard]] bool is_any_under_way() const;
  void distrust(const cluster::SubjectToken& plotter, const std::string& reason);

  cluster::Bus& bus_;
  const CheckReceived check_;
  const RemotePlottingOptions options_;
  Permits in_flight_;
  Permits asking_{1};  // who waits for a plotter does not multiply the questions
  mutable Mutex mutex_;
  std::set<std::string> distrusted_ FURROW_GUARDED_BY(mutex_);
  std::size_t under_way_ FURROW_GUARDED_BY(mutex_) = 0;  // requests that a plotter has
};

}  // namespace furrow::node
