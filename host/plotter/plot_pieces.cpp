// SPDX-License-Identifier: Apache-2.0
#include "host/plotter/plot_pieces.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "host/base/counted.hpp"
#include "host/base/url.hpp"
#include "host/pieces/source_errors.hpp"
#include "host/store/buffer_pool.hpp"

namespace furrow {

namespace {

/// Of a download out of stores, as far as there are threads: a store looks at each piece on the
/// thread that asks for it, and one thread takes 1000 pieces in some seconds.
constexpr std::size_t kMostBatches = 8;

bool are_stores(const PieceRequest& request) {
  return !request.sources.empty() && !request.further.make &&
         std::none_of(request.sources.begin(), request.sources.end(), is_url);
}

}  // namespace

std::size_t pieces_in_flight(const PieceRequest& request, std::size_t devices) {
  if (!are_stores(request)) {
    return request.in_flight;
  }
  return devices == 0 ? BufferPool::kSlots : kMostBatches * BufferPool::kSlots;
}

PlotPieces::PlotPieces(const PieceRequest& request, const MemoryPlan& plan, PlotObserver observer,
                       const std::stop_token& stop)
    : observer_(std::move(observer)),
      pieces_in_flight_(plan.settings.pieces_in_flight),
      batches_(are_stores(request) ? std::clamp<std::size_t>(pieces_in_flight_ / BufferPool::kSlots,
                                                             1, plan.settings.threads)
                                   : 1) {
  supply_.emplace(supply_options(request, plan), stop);
  if (supply_->is_manifest_from_server()) {
    observer_.on_warning(fmt::format(
        "{} alone says what the history is; a manifest of your own would decide instead",
        printable_url(request.sources.front())));
  }
}

PieceSupplyOptions PlotPieces::supply_options(const PieceRequest& request, const MemoryPlan& plan) {
  PieceSupplyOptions result;
  result.sources = request.sources;
  result.further = request.further;
  result.manifest = request.manifest;
  result.http.read_token = request.read_token;
  result.http.ca_file = request.ca_file;
  result.http.in_flight = plan.settings.pieces_in_flight;
  result.http.piece_time = request.piece_time;
  result.fallback.on_stall = [this](const PieceStall& stall) {
    observer_.on_warning(fmt::format("{} missing and none has come for {:.0f} s; {}",
                                     counted(stall.n_missing, "piece is", "pieces are"),
                                     std::chrono::duration<double>(stall.silent).count(),
                                     stall.source.empty()
                                         ? "the sources that are away are waited for"
                                         : stall.source + " is being asked"));
  };
  result.fallback.on_event = [this](const PieceSourceEvent& event) {
    say(event);
    if (event.change == PieceSourceEvent::Change::kGivenUp && !is_url(event.name)) {
      note_damage(event.message);
    }
  };
  result.fallback.on_bad_answer = [this](const PieceSource& source, PieceIndex index,
                                         const std::exception_ptr& error) {
    if (!source.may_return) {  // a store
      note_damage(fmt::format("piece {}: {}", index.value(), message_of(error)));
    }
  };
  result.fallback.on_faults = [this] { say_faults(); };
  result.recovery.compute.threads = plan.settings.threads;
  result.recovery.on_rebuild = [this](PieceIndex index, const std::exception_ptr& error) {
    observer_.on_warning(fmt::format("piece {}: {}; rebuilding it from the rest of its segment",
                                     index.value(),
                                     error == nullptr ? "no source has it" : message_of(error)));
  };
  result.recovery.on_failed_attempt = [this](const std::exception_ptr& error,
                                             std::chrono::milliseconds delay) {
    observer_.on_warning(fmt::format("{}; trying again in {:.0f} s", message_of(error),
                                     std::chrono::duration<double>(delay).count()));
  };
  result.cache_directory = request.cache_directory;
  result.make_cache_directory = request.make_cache_directory;
  result.cache_bytes = request.cache_bytes;
  result.on_warning = observer_.on_warning;
  result.on_missing_pack = [this](const std::string& line) {
    observer_.on_warning(line);
    note_damage(line);
  };
  return result;
}

DownloadOptions PlotPieces::download_options() {
  return {.piece_getter = supply_->getter(), .tail = pieces_in_flight_, .batches = batches_};
}

/// Those that need no attention are no warnings.
void PlotPieces::say(const PieceSourceEvent& event) {
  switch (event.change) {
    case PieceSourceEvent::Change::kAway:
      observer_.on_warning(event.name + " is away, and is asked again: " + event.message);
      break;
    case PieceSourceEvent::Change::kRefuses:
      observer_.on_warning(event.name + " refuses, and is asked again: " + event.message);
      break;
    case PieceSourceEvent::Change::kGivenUp:
      observer_.on_warning(event.name + " is given up: " + event.message);
      break;
    case PieceSourceEvent::Change::kBack:
      observer_.on_note(event.name + " answers again");
      break;
  }
}

/// Each once: a damaged piece that is drawn again is asked for again.
void PlotPieces::note_damage(const std::string& text) {
  const Lock lock(mutex_);
  if (std::find(damage_.begin(), damage_.end(), text) == damage_.end()) {
    damage_.push_back(text);
  }
}

void PlotPieces::say_faults() const {
  const PieceSources& sources = supply_->sources();
  for (std::size_t i = 0; i < sources.n_sources(); ++i) {
    const PieceSourceCounters counters = sources.counters(i);
    if (const std::string faults = faults_text(counters); !faults.empty()) {
      observer_.on_warning(fmt::format("{} so far: {}, {}", sources.name(i),
                                       counted(counters.found, "piece"), faults));
    }
  }
}

void PlotPieces::add_to(PlotSummary& summary) const {
  const PieceSources& sources = supply_->sources();
  for (std::size_t i = 0; i < sources.n_sources(); ++i) {
    summary.sources.push_back({sources.name(i), sources.counters(i)});
  }
  if (const PieceCache* cache = supply_->cache()) {
    summary.cache = PlotSummary::Cache{cache->path(), cache->counters()};
  }
  const Lock lock(mutex_);
  summary.damage = damage_;
}

}  // namespace furrow
