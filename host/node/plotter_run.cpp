// SPDX-License-Identifier: Apache-2.0
#include "host/node/plotter_run.hpp"

#include <memory>
#include <optional>
#include <utility>

#include "host/base/mutex.hpp"
#include "host/base/permits.hpp"
#include "host/base/sleep.hpp"
#include "host/base/threads.hpp"
#include "host/node/cluster_piece_getter.hpp"
#include "host/node/super_segment_headers.hpp"
#include "host/plotter/plot_pieces.hpp"
#include "host/plotting/encoder_choice.hpp"
#include "host/plotting/plot_sector.hpp"

namespace furrow::node {
namespace {

/// Counts what happens, and passes it on.
class Counting {
 public:
  explicit Counting(const PlotterObserver& observer) : observer_(observer) {}

  void take(const NodeEvent& event) {
    {
      const Lock lock(mutex_);
      std::visit([this](const auto& what) FURROW_REQUIRES(mutex_) { count(what); }, event.what);
    }
    observer_.on_event(event);
  }
  [[nodiscard]] PlotterSummary summary() const {
    const Lock lock(mutex_);
    return summary_;
  }

 private:
  void count(const NodeEvent::Accepted&) const {}
  void count(const NodeEvent::Occupied&) FURROW_REQUIRES(mutex_) { ++summary_.occupied; }
  void count(const NodeEvent::Delivered&) FURROW_REQUIRES(mutex_) { ++summary_.delivered; }
  void count(const NodeEvent::Failed&) FURROW_REQUIRES(mutex_) { ++summary_.failed; }
  void count(const NodeEvent::Abandoned&) FURROW_REQUIRES(mutex_) { ++summary_.abandoned; }
  void count(const NodeEvent::Malformed&) FURROW_REQUIRES(mutex_) { ++summary_.malformed; }

  const PlotterObserver& observer_;
  mutable Mutex mutex_;
  PlotterSummary summary_ FURROW_GUARDED_BY(mutex_);
};

/// The cluster as the last source of pieces, and how many it gave that nobody could verify.
class ClusterSource {
 public:
  ClusterSource(cluster::Bus& bus, const PlotterRequest& request, const PlotterObserver& observer,
                const std::stop_token& stop)
      : headers_(bus), stop_(stop) {
    getter_ = std::make_unique<ClusterPieceGetter>(
        bus, headers_,
        ClusterPieceGetterOptions{
            .pieces = {.cache_group = request.cache_group, .on_warning = observer.on_warning}});
    known_ = getter_.get();
  }

  /// To be made once.
  [[nodiscard]] FurtherPieceSource source() {
    return {.make =
                [this] {
                  return PieceSource{"the cluster", std::move(getter_), true};
                },
            .identity = [this](SegmentIndex segment) { return known_->identity(segment, stop_); }};
  }
  [[nodiscard]] std::uint64_t unverified() const { return known_->unverified(); }

 private:
  SuperSegmentHeaders headers_;
  const std::stop_token stop_;
  std::unique_ptr<ClusterPieceGetter> getter_;
  ClusterPieceGetter* known_;  // also when somebody else owns it
};

/// What the sectors of a node share. The memory of a sector is raw until it is laid out, and then that
/// of its bytes until they are delivered; both are counted, as the plan has it.
class Maker {
 public:
  Maker(PlotPieces& pieces, RecordsEncoder& encoders, const MemorySettings& memory, Gate& gate)
      : download_(pieces.download_options()),
        encoders_(encoders),
        gate_(gate),
        raw_(memory.sectors_in_memory),
        laid_out_(memory.output_buffers) {
    download_.turns = &turns_;
  }

  std::optional<MadeSector> make(const SectorPlan& plan,
                                 const Observer<const PlottingEvent&>& on_event,
                                 const std::stop_token& stop) {
    MadeSector made;
    const auto lay_out = [&](const EncodedSector& encoded) {
      if (std::optional<Permits::Permit> room = laid_out_.acquire(stop)) {
        made.sector.room = *std::move(room);
        lay_out_sector(encoded, made.sector.bytes);
      }
    };
    std::optional<PlottedSector> plotted = plot_sector(plan,
                                                       {.download = download_,
                                                        .encoder = encoders_,
                                                        .sectors = &raw_,
                                                        .gate = &gate_,
                                                        .on_event = on_event},
                                                       lay_out, stop);
    if (!plotted.has_value() || made.sector.bytes.empty()) {
      return std::nullopt;
    }
    made.plotted_sector = *std::move(plotted);
    return made;
  }

 private:
  DownloadOptions download_;
  RecordsEncoder& encoders_;
  Gate& gate_;
  Permits turns_{1};
  Permits raw_;
  Permits laid_out_;
};

/// Requests an end when somebody has asked to stop and the time is over.
class DrainClock {
 public:
  DrainClock(std::chrono::milliseconds time, const std::stop_token& stop)
      : thread_(start_thread("drain", [this, time, stop](const std::stop_token& over) {
          wait_for_either(stop, over);
          if (!over.stop_requested() && sleep_for(time, over)) {
            end_.request_stop();
          }
        })) {}
  [[nodiscard]] std::stop_token end() const { return end_.get_token(); }

 private:
  static void wait_for_either(const std::stop_token& stop, const std::stop_token& over) {
    std::stop_source either;
    const auto wake = [&either] { either.request_stop(); };
    const std::stop_callback on_stop(stop, wake);
    const std::stop_callback on_over(over, wake);
    while (sleep_for(std::chrono::hours(1), either.get_token())) {
      // only one of the two ends it
    }
  }

  std::stop_source end_;
  std::jthread thread_;  // last: it uses the other
};

}  // namespace

PlotterSummary run_plotter(cluster::Bus& bus, const PlotterRequest& request,
                           const PlotterObserver& observer, Gate& gate,
                           const std::stop_token& stop) {
  const EncoderChoice choice = choose_encoder(request.engine.encoder, request.engine.devices);
  for (const std::string& line : choice.refused) {
    observer.on_warning(line);
  }
  if (!choice.note.empty()) {
    observer.on_note(choice.note);
  }
  DrainClock drain(request.drain_time, stop);
  ClusterSource from_cluster(bus, request, observer, drain.end());
  PieceRequest pieces_request = request.pieces;
  pieces_request.further = from_cluster.source();
  const MemoryPlan memory = plan_engine_memory(
      request.engine, choice, request.most_pieces_in_sector,
      pieces_in_flight(pieces_request, choice.devices.size()), observer.on_warning);
  std::optional<PlotPieces> pieces;
  try {
    pieces.emplace(pieces_request, memory,
                   PlotObserver{.on_warning = observer.on_warning, .on_note = observer.on_note},
                   stop);
  } catch (const Error&) {
    if (!stop.stop_requested()) {
      throw;
    }
    return {};  // while a server was asked for its manifest
  }
  EncoderSettings settings = encoder_settings(request.engine, memory, observer.on_warning);
  settings.gate = &gate;
  const std::unique_ptr<EncoderPool> encoders = make_encoder_pool(choice, std::move(settings));

  Maker maker(*pieces, *encoders, memory.settings, gate);
  Counting counting(observer);
  PlotterNodeOptions options;
  // Those whose bytes are on their way hold up nobody who encodes.
  options.places = memory.settings.sectors_in_memory + memory.settings.output_buffers;
  options.most_pieces_in_sector = request.most_pieces_in_sector;
  options.on_ready = [&] {
    observer.on_begin({.id = options.id.to_string(),
                       .encoder = encoders->name(),
                       .places = options.places,
                       .memory = memory.total()});
  };
  options.on_event = [&counting](const NodeEvent& event) { counting.take(event); };
  PlotterNode node(
      bus,
      [&maker](const SectorPlan& plan, const Observer<const PlottingEvent&>& on_event,
               const std::stop_token& end) { return maker.make(plan, on_event, end); },
      options);
  const std::size_t unfinished = node.run(stop, drain.end());
  PlotterSummary summary = counting.summary();
  summary.unfinished = unfinished;
  summary.unverified = from_cluster.unverified();
  return summary;
}

}  // namespace furrow::node
