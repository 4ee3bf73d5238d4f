// SPDX-License-Identifier: Apache-2.0
// Farms whose sectors the plotters of a cluster make, from opening them to the last sector.
#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <filesystem>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "host/base/gate.hpp"
#include "host/base/observer.hpp"
#include "host/cluster/bus.hpp"
#include "host/node/cluster_chain.hpp"
#include "host/node/remote_plotting.hpp"
#include "host/plotter/farm_request.hpp"
#include "host/plotter/plot_observer.hpp"
#include "host/plotter/plot_summary.hpp"

namespace furrow::node {

struct ClusterFarmRequest {
  /// At least one. Their chain parameters are those of the controller's chain.
  std::vector<FarmRequest> farms = {};
  /// Sectors that are asked for at the same time, by all farms together; without it, as many as half of
  /// the memory that the machine has left takes, and 50 at most, which is the reference's number.
  std::optional<std::size_t> in_flight = {};
  /// Of each sector, that are read back, verified and encoded once more.
  std::size_t verify_records = 1;
  /// Of the first question to the controller, without which there is no farm.
  cluster::RequestOptions chain_request = {.timeout = std::chrono::seconds(30)};
  CurrentHistoryOptions history = {};
};

struct ClusterFarmBeginning {
  std::size_t in_flight = 0;
  std::uint64_t memory = 0;  ///< bytes, at most
};

/// As PlotObserver: called from any thread, possibly several at once.
struct ClusterFarmObserver {
  Observer<const std::string&> on_warning = {};
  Observer<const std::string&> on_note = {};
  /// A farm is open, and nothing of it is plotted yet.
  Observer<const PlotBeginning&> on_farm = {};
  /// All of them are, and now they are plotted.
  Observer<const ClusterFarmBeginning&> on_begin = {};
  /// Those of one farm do not overlap.
  Observer<const std::filesystem::path& /*farm*/, SectorIndex, const PlottingEvent&> on_event = {};
};

struct ClusterFarmSummary {
  struct OneFarm {
    std::filesystem::path directory;
    PlotSummary plot;                    ///< sources, cache and stages are none
    std::exception_ptr error = nullptr;  ///< that ended it before all was plotted
  };
  PlotOutcome outcome = PlotOutcome::kFinished;
  std::vector<OneFarm> farms;  ///< in the order of the request
  /// Sampled records of which the controller did not say whether the chain has them.
  std::uint64_t unverified = 0;
};

/// Plots what is missing of the farms. All are opened before anything is asked of a plotter; from then on
/// what goes wrong with one, such as its disk, ends that one alone. A stop request ends the run as
/// RemotePlotting says; that is an outcome, not an error.
///
/// Throws InvalidArgument when a farm is there twice, what ask_for_chain and open_farm throw, and
/// GenesisRootMismatch when a request names another chain than the controller.
ClusterFarmSummary run_cluster_farm(cluster::Bus& bus, const ClusterFarmRequest& request,
                                    const ClusterFarmObserver& observer, Gate& gate,
                                    const std::stop_token& stop);

}  // namespace furrow::node
