// SPDX-License-Identifier: Apache-2.0
#include "host/plotter/plot_run.hpp"

#include <algorithm>
#include <chrono>
#include <memory>
#include <utility>
#include <vector>

#include "host/plotter/plot_farm.hpp"
#include "host/plotter/plot_pieces.hpp"

namespace furrow {
namespace {

PlotBeginning beginning_of(const OpenedFarm& opened, std::size_t n_missing,
                           const Manifest& manifest, const EncoderPool& encoders) {
  return {.farm = opened.farm->directory(),
          .pieces_in_sector = opened.farm->pieces_in_sector(),
          .sector_size = opened.farm->sector_size(),
          .sectors = opened.sectors,
          .sectors_to_plot = n_missing,
          .segments = manifest.segments.size(),
          .encoder = encoders.name()};
}

/// Whoever is told of the beginning is told of the end, however that comes.
class Told {
 public:
  Told(const PlotObserver& observer, PlotMonitor& monitor) : observer_(observer) {
    observer_.on_begin(monitor);
  }
  Told(const Told&) = delete;
  Told& operator=(const Told&) = delete;
  ~Told() { observer_.on_end(); }

 private:
  const PlotObserver& observer_;
};

/// What a run has open while it plots.
struct Run {
  const PlotPlan& plan;
  const PlotObserver& observer;
  Gate& gate;
  EncoderPool& encoders;
  PlotPieces& pieces;
  Farm& farm;
};

/// Plots the sectors and says in the summary what came of them.
void plot(const Run& run, std::uint16_t sectors_present, const std::vector<SectorIndex>& missing,
          PlotSummary& summary, const std::stop_token& stop) {
  const MemorySettings& settings = run.plan.memory.settings;
  StageClock clock({.encoders = run.encoders.size(),
                    .layouts = std::min(settings.sectors_in_memory, settings.output_buffers)},
                   &run.gate, [&run] { return run.encoders.transfer_time(); });
  PlotMonitor monitor({.sectors = missing.size(),
                       .records = missing.size() * std::uint64_t{run.farm.pieces_in_sector()},
                       .sectors_present = sectors_present,
                       .pieces_in_sector = run.farm.pieces_in_sector()},
                      run.encoders, clock, run.gate);
  const PlotPipelineOptions options{
      .download = run.pieces.download_options(),
      .encoders = run.encoders,
      .sectors_in_memory = settings.sectors_in_memory,
      .output_buffers = settings.output_buffers,
      .gate = &run.gate,
      .clock = &clock,
      .on_event =
          [&](SectorIndex index, const PlottingEvent& event) {
            monitor.event(index, event);
            run.observer.on_event(index, event);
          },
      .on_record_done = [&](SectorIndex index) { monitor.record_done(index); }};
  PlotResult result;
  {
    const Told told(run.observer, monitor);
    result = plot_farm(run.farm, missing, run.pieces.manifest().history_size(), options, stop);
  }
  summary.outcome = result.outcome;
  summary.given_up = std::move(result.given_up);
  summary.sectors_plotted = monitor.sectors_done();
  summary.last_moment = monitor.moment();
  summary.shares = monitor.shares();
}

}  // namespace

PlotSummary run_plot(const PlotPlan& plan, const PlotObserver& observer, Gate& gate,
                     const std::stop_token& stop) {
  const auto start = std::chrono::steady_clock::now();
  const auto seconds = [start] {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  };
  PlotSummary summary;
  std::optional<PlotPieces> pieces;
  try {
    pieces.emplace(plan.request.pieces, plan.memory, observer, stop);
  } catch (const Error&) {
    if (!stop.stop_requested()) {
      throw;
    }
    summary.outcome = PlotOutcome::kCancelled;
    return summary;
  }
  // A card may have no room for its encoder; the farm comes after whatever may fail, and the cache
  // after the farm, which may be refused.
  EncoderSettings settings =
      encoder_settings(plan.request.engine, plan.memory, observer.on_warning);
  settings.gate = &gate;
  const std::unique_ptr<EncoderPool> encoders =
      make_encoder_pool(plan.encoder, std::move(settings));
  const OpenedFarm opened =
      open_farm(plan.request.farm, history_of(pieces->manifest(), plan.request.farm.genesis_root));
  pieces->open_cache();
  if (!plan.encoder.note.empty()) {
    observer.on_note(plan.encoder.note);
  }
  Farm& farm = *opened.farm;
  if (!farm.states_chain_parameters()) {
    observer.on_note(farm.directory().native() + " states no chain parameters (" + kChainFileName +
                     "): it is plotted as one of a development chain");
  }
  const std::vector<SectorIndex> missing = sectors_to_plot(farm, opened.sectors);
  observer.on_farm(beginning_of(opened, missing.size(), pieces->manifest(), *encoders));
  if (!missing.empty()) {
    plot({plan, observer, gate, *encoders, *pieces, farm},
         static_cast<std::uint16_t>(opened.sectors - missing.size()), missing, summary, stop);
  }
  pieces->add_to(summary);
  if (summary.outcome == PlotOutcome::kFinished) {
    farm.check_presence();  // what is said to be there is to be found there
    summary.farm = facts_of(farm);
  }
  summary.seconds = seconds();
  return summary;
}

}  // namespace furrow
