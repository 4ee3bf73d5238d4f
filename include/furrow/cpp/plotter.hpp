// SPDX-License-Identifier: Apache-2.0
/** @file
 * Plotters: sectors from a source of pieces, into buffers or into a farm (furrow/c/plotter.h). Part
 * of furrow/furrow.hpp. */
#ifndef FURROW_CPP_PLOTTER_HPP
#define FURROW_CPP_PLOTTER_HPP

#include <functional>
#include <optional>
#include <utility>

#include "furrow/cpp/encoder.hpp"
#include "furrow/cpp/farm.hpp"
#include "furrow/cpp/gate.hpp"
#include "furrow/cpp/piece_source.hpp"

namespace furrow {
inline namespace v0_1 {

/// See furrow_plotter_options.
struct PlotterOptions {
  /// Where it waits while it is closed; null: nowhere. Encoders have gates of their own, which may be
  /// the same.
  const Gate* gate = nullptr;
  /// Sectors in memory at the same time, from download to layout.
  std::uint32_t sectors_in_memory =
      detail::initialised(furrow_plotter_options_init).sectors_in_memory;
  /// Attempts to get pieces that the source did not give; 0: without end.
  std::uint32_t attempts = detail::initialised(furrow_plotter_options_init).attempts;
  /// Milliseconds before the second attempt, and at most.
  std::uint32_t first_delay_ms = detail::initialised(furrow_plotter_options_init).first_delay_ms;
  std::uint32_t longest_delay_ms =
      detail::initialised(furrow_plotter_options_init).longest_delay_ms;
};

/// Told of progress; of a record from threads of the library, several at once. When it throws it is
/// not called again, and the call throws that when it is over.
using OnPlotEvent = std::function<void(const furrow_plot_event& event)>;

/// A sector to plot into buffers; views that are empty are not wanted.
struct PlotSectorRequest {
  SectorPlan plan;
  /// sector_size() bytes.
  MutableBytes sector;
  /// FURROW_SECTOR_METADATA_SIZE bytes.
  MutableBytes metadata;
  /// As many as the plan has pieces.
  Span<std::uint64_t> piece_indices;
  /// plotted_sector_size() bytes.
  MutableBytes plotted_sector;
  const AbortFlag* abort = nullptr;
  OnPlotEvent on_event;
};

/// Sectors to plot into a farm.
struct PlotFarmRequest {
  /// Segments of history when the sectors are created, at least 1.
  std::uint64_t history_size = 0;
  /// 0: all that there is room for.
  std::uint32_t most_sectors = 0;
  /// Sectors that are encoded already are still written.
  const AbortFlag* abort = nullptr;
  OnPlotEvent on_event;
};

/// What came of plotting into a farm.
struct PlottedFarm {
  /// Sectors that the encoders failed with again and again; the others are plotted.
  std::size_t given_up = 0;
};

/// Several threads may plot with one at the same time.
class Plotter {
 public:
  /// Makes a plotter, which keeps what it needs of the others.
  Plotter(const Library& library, const Encoder& encoder, const PieceSource& source,
          const PlotterOptions& options = {})
      : Plotter(make(library, encoder, source, options)) {}

  /// Plots one sector. Outputs are written at the end alone.
  Outcome plot_sector(const PlotSectorRequest& request) {
    Progress progress{request.on_event, {}};
    furrow_plot_sector_request c = detail::initialised(furrow_plot_sector_request_init);
    c.plan = &request.plan;
    c.sector = detail::data_or_null(request.sector);
    c.sector_size = request.sector.size();
    c.metadata = detail::data_or_null(request.metadata);
    c.metadata_size = request.metadata.size();
    c.piece_indices = detail::data_or_null(request.piece_indices);
    c.piece_index_count = request.piece_indices.size();
    c.plotted_sector = detail::data_or_null(request.plotted_sector);
    c.plotted_sector_size = request.plotted_sector.size();
    c.abort_flag = detail::byte_of(request.abort);
    c.on_event = request.on_event ? told : nullptr;
    c.user = &progress;
    const furrow_status status = furrow_plotter_plot_sector(get(), &c);
    progress.thrown.rethrow();
    return detail::outcome_of(status);
  }

  /// Plots sectors into a farm that is open for plotting; each is durable before it is reported as
  /// finished.
  /// @return nothing when it was cancelled
  [[nodiscard]] std::optional<PlottedFarm> plot_farm(Farm& farm, const PlotFarmRequest& request) {
    Progress progress{request.on_event, {}};
    furrow_plot_farm_request c = detail::initialised(furrow_plot_farm_request_init);
    c.farm = farm.get();
    c.history_size = request.history_size;
    c.most_sectors = request.most_sectors;
    c.abort_flag = detail::byte_of(request.abort);
    c.on_event = request.on_event ? told : nullptr;
    c.user = &progress;
    PlottedFarm plotted;
    const furrow_status status = furrow_plotter_plot_farm(get(), &c, &plotted.given_up);
    progress.thrown.rethrow();
    return detail::outcome_of(status) == Outcome::kDone ? std::optional(plotted) : std::nullopt;
  }

  /// For functions of the C interface.
  [[nodiscard]] furrow_plotter* get() const noexcept { return handle_.get(); }

 private:
  using Owner = detail::Handle<furrow_plotter, furrow_plotter_destroy>;
  explicit Plotter(Owner handle) noexcept : handle_(std::move(handle)) {}

  struct Progress {
    const OnPlotEvent& on_event;
    detail::FirstException thrown;
  };
  static void told(void* user, const furrow_plot_event* event) noexcept {
    auto& progress = *static_cast<Progress*>(user);
    progress.thrown.guard([&] { progress.on_event(*event); });
  }

  static Owner make(const Library& library, const Encoder& encoder, const PieceSource& source,
                    const PlotterOptions& options) {
    furrow_plotter_options c = detail::initialised(furrow_plotter_options_init);
    c.encoder = encoder.get();
    c.source = source.get();
    c.gate = options.gate != nullptr ? options.gate->get() : nullptr;
    c.sectors_in_memory = options.sectors_in_memory;
    c.attempts = options.attempts;
    c.first_delay_ms = options.first_delay_ms;
    c.longest_delay_ms = options.longest_delay_ms;
    detail::Kept kept = detail::keep_all({library.kept(), encoder.kept(), source.kept()});
    furrow_plotter* plotter = nullptr;
    detail::check(furrow_plotter_create(library.get(), &c, &plotter));
    return Owner(plotter, std::move(kept));
  }

  Owner handle_;
};

}  // namespace v0_1
}  // namespace furrow

#endif
