// SPDX-License-Identifier: Apache-2.0
// The pieces that a plotting run downloads, and rebuilds when no source has them.
#pragma once

#include <cstddef>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "host/base/mutex.hpp"
#include "host/pieces/piece_supply.hpp"
#include "host/plotter/piece_request.hpp"
#include "host/plotter/plot_observer.hpp"
#include "host/plotter/plot_summary.hpp"
#include "host/plotting/download_sector.hpp"
#include "host/plotting/memory_plan.hpp"

namespace furrow {

/// Pieces under way at the same time: as many as the request says when there are servers, or when
/// it names no source, so that any may be meant. Out of stores those of some batches for `devices`
/// cards, which want a sector while one thread would read a fifth of it, and of one for the CPU.
[[nodiscard]] std::size_t pieces_in_flight(const PieceRequest& request, std::size_t devices);

/// Tells the observer what is wrong with the sources. Thread-safe but for the constructor and
/// open_cache().
class PlotPieces {
 public:
  /// Throws what PieceSupply throws, after a stop request whatever. Makes nothing on disk.
  PlotPieces(const PieceRequest& request, const MemoryPlan& plan, PlotObserver observer,
             const std::stop_token& stop);

  /// Makes or opens the cache, if one is wanted: after what may still be refused. Before
  /// download_options().
  void open_cache() { supply_->open_cache(); }
  [[nodiscard]] const Manifest& manifest() const { return supply_->manifest(); }
  [[nodiscard]] DownloadOptions download_options();
  /// Fills in what the sources and the cache gave, and what was damaged or missing of stores, each
  /// once: the run had it from elsewhere or rebuilt it.
  void add_to(PlotSummary& summary) const;

 private:
  [[nodiscard]] PieceSupplyOptions supply_options(const PieceRequest& request,
                                                  const MemoryPlan& plan);
  void say(const PieceSourceEvent& event);
  void note_damage(const std::string& text);
  void say_faults() const;

  const PlotObserver observer_;
  const std::size_t pieces_in_flight_;
  const std::size_t batches_;
  mutable Mutex mutex_;
  std::vector<std::string> damage_ FURROW_GUARDED_BY(mutex_);
  std::optional<PieceSupply> supply_;  // last: it calls the others
};

}  // namespace furrow
