// SPDX-License-Identifier: Apache-2.0
#include "host/node/farm_run.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <random>
#include <set>
#include <system_error>
#include <utility>

#include "host/base/byte_size.hpp"
#include "host/base/foreign_error.hpp"
#include "host/base/machine_limits.hpp"
#include "host/base/threads.hpp"
#include "host/node/sector_check.hpp"
#include "host/node/super_segment_headers.hpp"
#include "host/plotter/plot_farm.hpp"
#include "host/sector/sector_layout.hpp"

namespace furrow::node {
namespace {

constexpr std::size_t kMostInFlight = 50;
/// Of one stream: a message that is taken and three that wait (stream_requester.cpp).
constexpr std::size_t kMessagesInMemory = 4;
/// Code, libraries, and each farm with its caches (memory_plan.cpp).
constexpr std::uint64_t kProgramBytes = std::uint64_t{96} << 20;

/// A farm of the run.
struct Plotted {
  OpenedFarm opened;
  std::vector<SectorIndex> missing;
};

std::uint64_t memory_of_a_sector(const std::vector<Plotted>& farms, const cluster::Bus& bus) {
  std::uint64_t largest = 0;
  for (const Plotted& farm : farms) {
    largest = std::max(largest, farm.opened.farm->sector_size());
  }
  return largest + kMessagesInMemory * bus.max_payload();
}

std::uint64_t memory_beside(const std::vector<Plotted>& farms, std::size_t verify_records) {
  return farms.size() * kProgramBytes +
         (verify_records == 0 ? 0 : 2 * proof_table_bytes(Network::kAbundance));
}

/// Sectors at a time, by what is asked for and by what the machine has.
std::size_t plan_in_flight(const std::optional<std::size_t>& wanted, std::uint64_t of_a_sector,
                           std::uint64_t beside, const ClusterFarmObserver& observer) {
  const MachineLimits machine = read_machine_limits();
  if (!wanted.has_value()) {
    const std::uint64_t half =
        machine.memory_available.value_or(of_a_sector * 2 * kMostInFlight) / 2;
    return std::clamp<std::size_t>(half / of_a_sector, 1, kMostInFlight);
  }
  const std::uint64_t planned = *wanted * of_a_sector + beside;
  if (machine.memory_available.has_value() && planned > *machine.memory_available) {
    observer.on_warning("memory: " + std::to_string(*wanted) + " sectors at a time may take " +
                        size_text(planned) + ", but " + machine.memory_source + " has " +
                        size_text(*machine.memory_available) +
                        " left; the system may end it when that is used up");
  }
  return *wanted;
}

FarmRequest with_chain(FarmRequest request, const cluster::FarmerAppInfo& chain) {
  if (request.genesis_root.has_value() && *request.genesis_root != chain.genesis_root) {
    throw GenesisRootMismatch("controller", *request.genesis_root, chain.genesis_root);
  }
  const FarmerProtocolInfo& info = chain.protocol_info;
  request.chain_parameters =
      ChainParameters{.max_pieces_in_sector = info.max_pieces_in_sector,
                      .recent_segments = info.recent_segments,
                      .recent_history_numerator = info.recent_history_numerator,
                      .recent_history_denominator = info.recent_history_denominator,
                      .min_sector_lifetime = info.min_sector_lifetime};
  return request;
}

/// One opened twice would be found in use, as if by somebody else.
void require_distinct(const std::vector<FarmRequest>& farms) {
  std::set<std::filesystem::path> known;
  for (const FarmRequest& farm : farms) {
    std::error_code error;
    const std::filesystem::path place = std::filesystem::weakly_canonical(farm.directory, error);
    if (!known.insert(error ? farm.directory : place).second) {
      throw InvalidArgument("farm " + farm.directory.native() + ": expected once, actual twice");
    }
  }
}

std::uint64_t any_seed() {
  std::random_device random;
  return std::uint64_t{random()} << 32 | random();
}

/// What the farms of a run share.
struct Run {
  RemotePlotting& plotting;
  CurrentHistory& history;
  const ClusterFarmObserver& observer;
};

void plot(const Run& run, const Plotted& plotted, ClusterFarmSummary::OneFarm& summary,
          const std::stop_token& stop) {
  const auto start = std::chrono::steady_clock::now();
  Farm& farm = *plotted.opened.farm;
  std::atomic<std::uint64_t> finished = 0;
  const auto on_event = [&](SectorIndex index, const PlottingEvent& event) {
    finished += std::holds_alternative<Finished>(event) ? 1U : 0U;
    run.observer.on_event(farm.directory(), index, event);
  };
  try {
    if (!plotted.missing.empty()) {
      summary.plot.outcome =
          plot_farm(
              farm, plotted.missing, [&] { return run.history.size(stop); }, on_event,
              [&](const SectorSource& next, const Observer<SectorIndex, const PlottingEvent&>& told,
                  const SectorSink& write, const std::stop_token& end) {
                return run.plotting.make_sectors(farm.identity().public_key(), next, told, write,
                                                 end);
              },
              stop)
              .outcome;
    }
    if (summary.plot.outcome == PlotOutcome::kFinished) {
      farm.check_presence();  // what is said to be there is to be found there
      summary.plot.farm = facts_of(farm);
    }
  } catch (...) {
    summary.error = std::current_exception();
    run.observer.on_warning("farm " + farm.directory().native() + ": " + message_of(summary.error));
  }
  summary.plot.sectors_plotted = finished;
  summary.plot.seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace

ClusterFarmSummary run_cluster_farm(cluster::Bus& bus, const ClusterFarmRequest& request,
                                    const ClusterFarmObserver& observer, Gate& gate,
                                    const std::stop_token& stop) {
  require_distinct(request.farms);
  ClusterFarmSummary summary;
  const auto chain = ask_for_chain(bus, request.chain_request, stop);
  if (!chain.has_value()) {
    summary.outcome = PlotOutcome::kCancelled;
    return summary;
  }
  if (chain->syncing) {
    observer.on_warning("the node of the controller is not synced: sectors are made of the " +
                        std::to_string(chain->protocol_info.history_size.count()) +
                        " segments that it knows so far");
  }
  CurrentHistory history(bus, *chain, request.history);
  std::vector<Plotted> farms;
  for (const FarmRequest& wanted : request.farms) {
    OpenedFarm opened =
        open_farm(with_chain(wanted, *chain), {chain->genesis_root, history.size(stop)});
    std::vector<SectorIndex> missing = sectors_to_plot(*opened.farm, opened.sectors);
    const Farm& farm = *opened.farm;
    observer.on_farm({.farm = farm.directory(),
                      .pieces_in_sector = farm.pieces_in_sector(),
                      .sector_size = farm.sector_size(),
                      .sectors = opened.sectors,
                      .sectors_to_plot = missing.size(),
                      .segments = chain->protocol_info.history_size.count(),
                      .encoder = "plotters of the cluster"});
    summary.farms.push_back({.directory = farm.directory(), .plot = {}});
    farms.push_back({std::move(opened), std::move(missing)});
  }

  const std::uint64_t of_a_sector = memory_of_a_sector(farms, bus);
  const std::uint64_t beside = memory_beside(farms, request.verify_records);
  const std::size_t in_flight = plan_in_flight(request.in_flight, of_a_sector, beside, observer);
  observer.on_begin({.in_flight = in_flight, .memory = in_flight * of_a_sector + beside});
  SuperSegmentHeaders headers(bus);
  SectorCheck check(headers, {.records = request.verify_records, .seed = any_seed()});
  RemotePlotting plotting(
      bus,
      [&check](const SectorPlan& plan, const ReceivedSector& sector, const std::stop_token& end) {
        check.check(plan, sector, end);
      },
      {.in_flight = in_flight, .gate = &gate, .on_warning = observer.on_warning});
  const Run run{plotting, history, observer};
  std::atomic<std::size_t> next = 0;
  run_workers(farms.size(), "cluster-farm", stop, [&](std::size_t, const std::stop_token& end) {
    for (std::size_t i = next++; i < farms.size(); i = next++) {
      plot(run, farms[i], summary.farms[i], end);
    }
  });
  summary.unverified = check.unverified();
  const bool is_cancelled = std::ranges::any_of(summary.farms, [](const auto& farm) {
    return farm.error == nullptr && farm.plot.outcome == PlotOutcome::kCancelled;
  });
  summary.outcome = is_cancelled ? PlotOutcome::kCancelled : PlotOutcome::kFinished;
  return summary;
}

}  // namespace furrow::node
