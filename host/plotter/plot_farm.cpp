// SPDX-License-Identifier: Apache-2.0
#include "host/plotter/plot_farm.hpp"

#include <exception>
#include <map>
#include <string>
#include <thread>
#include <utility>

#include "host/base/mutex.hpp"
#include "host/base/sleep.hpp"
#include "host/base/threads.hpp"

namespace furrow {
namespace {

/// Looks every few seconds whether the farm is still at its path. A sector takes minutes, or waits
/// for its pieces for hours: whoever unmounts the disk is told before the next one would be
/// written.
class PresenceWatch {
 public:
  PresenceWatch(const Farm& farm, const std::stop_token& stop)
      : farm_(farm), forward_(stop, [this] { end_.request_stop(); }) {
    try {
      thread_ =
          start_thread("furrow-presence", [this](const std::stop_token& over) { watch(over); });
    } catch (const ResourceExhausted&) {
      thread_ = {};  // the next sector that is written looks, too
    }
  }
  PresenceWatch(const PresenceWatch&) = delete;
  PresenceWatch& operator=(const PresenceWatch&) = delete;
  ~PresenceWatch() = default;

  /// Requested by the caller's stop, and when the farm is gone.
  [[nodiscard]] std::stop_token end() const { return end_.get_token(); }

  /// Watches no longer. Throws FarmGone if the farm was found to be gone.
  void finish() {
    thread_ = {};
    if (gone_ != nullptr) {
      std::rethrow_exception(gone_);
    }
  }

 private:
  void watch(const std::stop_token& over) {
    while (sleep_for(kPresenceInterval, over)) {
      try {
        farm_.check_presence();
      } catch (const FarmGone&) {
        gone_ = std::current_exception();
        end_.request_stop();
        return;
      } catch (const IoError&) {
        continue;  // cannot be told now; the next write will find out
      }
    }
  }

  const Farm& farm_;
  std::stop_source end_;
  std::stop_callback<std::function<void()>> forward_;
  std::exception_ptr gone_;  // of the thread while there is one
  std::jthread thread_;      // last: it uses all of the above
};

/// That sectors are being modified, from before their download until they are written or given up.
class Marks {
 public:
  void keep(SectorIndex index, ModificationMark mark) {
    const Lock lock(mutex_);
    marks_.emplace(index, std::move(mark));
  }
  void drop(SectorIndex index) {
    const Lock lock(mutex_);
    marks_.erase(index);
  }

 private:
  Mutex mutex_;
  std::map<SectorIndex, ModificationMark> marks_ FURROW_GUARDED_BY(mutex_);
};

}  // namespace

std::vector<SectorIndex> sectors_to_plot(const Farm& farm, std::uint16_t count) {
  std::vector<SectorIndex> result;
  for (std::uint16_t i = 0; i < count; ++i) {
    if (farm.sector_state(SectorIndex(i)) != SectorState::kPlotted) {
      result.emplace_back(i);
    }
  }
  return result;
}

PlotResult plot_farm(Farm& farm, std::span<const SectorIndex> sectors,
                     const std::function<HistorySize()>& history_size,
                     const Observer<SectorIndex, const PlottingEvent&>& on_event,
                     const MakeSectors& make_sectors, const std::stop_token& stop) {
  Marks marks;
  auto next_sector = sectors.begin();
  const SectorSource next = [&]() -> std::optional<SectorPlan> {
    if (next_sector == sectors.end()) {
      return std::nullopt;
    }
    const SectorIndex index = *next_sector++;
    std::optional<ModificationMark> mark = farm.begin_modifying(index);
    if (!mark.has_value()) {
      throw InvalidArgument("sector " + std::to_string(index.value()) + " of the farm in " +
                            farm.directory().native() + " is being modified already");
    }
    marks.keep(index, *std::move(mark));
    const HistorySize size = history_size();
    return SectorPlan{.public_key_hash = farm.identity().public_key_hash(),
                      .shard_commitments_root = farm.shard_commitments_root(size),
                      .sector_index = index,
                      .protocol_info = farm.chain_parameters().at(size),
                      .pieces_in_sector = farm.pieces_in_sector()};
  };
  const SectorSink write = [&](const PlottedSector& sector,
                               std::span<const std::uint8_t> sector_bytes) {
    farm.write_sector(sector.sector_index, sector_bytes, sector.sector_metadata);
    marks.drop(sector.sector_index);
  };
  const auto watched = [&](SectorIndex index, const PlottingEvent& event) {
    if (std::holds_alternative<Failed>(event)) {
      marks.drop(index);
    }
    on_event(index, event);
  };
  PresenceWatch presence(farm, stop);
  PlotResult result = make_sectors(next, watched, write, presence.end());
  presence.finish();
  farm.flush_state();
  return result;
}

PlotResult plot_farm(Farm& farm, std::span<const SectorIndex> sectors, HistorySize history_size,
                     const PlotPipelineOptions& options, const std::stop_token& stop) {
  return plot_farm(
      farm, sectors, [history_size] { return history_size; }, options.on_event,
      [&options](const SectorSource& next,
                 const Observer<SectorIndex, const PlottingEvent&>& on_event,
                 const SectorSink& write, const std::stop_token& end) {
        PlotPipelineOptions watched = options;
        watched.on_event = on_event;
        return plot_sectors(next, watched, write, end);
      },
      stop);
}

}  // namespace furrow
