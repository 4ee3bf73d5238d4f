// SPDX-License-Identifier: Apache-2.0
// How far a plotting run is: counted once, for whatever face shows it.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "furrow/types.hpp"

#include "host/base/gate.hpp"
#include "host/base/mutex.hpp"
#include "host/base/recent_rate.hpp"
#include "host/plotting/encoder_pool.hpp"
#include "host/plotting/plot_pipeline.hpp"
#include "host/plotting/stage_clock.hpp"

namespace furrow {

/// What a run has before it.
struct PlotTotals {
  std::uint64_t sectors = 0;  ///< to plot
  std::uint64_t records = 0;  ///< in them
  std::uint64_t sectors_present = 0;
  std::uint16_t pieces_in_sector = 0;
};

/// A run at one moment.
struct PlotMoment {
  struct Encoder {
    std::string name;
    double records_per_second = 0;  ///< since the start
    double transfer_seconds = 0;    ///< for which copies held it up
    bool is_lost = false;
  };

  PlotTotals totals;
  std::uint64_t sectors = 0;             ///< plotted
  std::uint64_t records = 0;             ///< encoded and not to be encoded again
  std::uint64_t records_left = 0;        ///< to be encoded; not those of sectors that were given up
  double seconds = 0;                    ///< since the start
  double records_per_second = 0;         ///< since the start
  double recent_records_per_second = 0;  ///< of the last two minutes
  double seconds_left = -1;              ///< negative: unknown
  bool is_paused = false;
  std::vector<Encoder> encoders;
};

/// Thread-safe.
class PlotMonitor {
 public:
  /// All of them must outlive it.
  PlotMonitor(const PlotTotals& totals, const EncoderPool& encoders, StageClock& clock,
              const Gate& gate);
  PlotMonitor(const PlotMonitor&) = delete;
  PlotMonitor& operator=(const PlotMonitor&) = delete;

  // Told by whoever plots.
  void event(SectorIndex index, const PlottingEvent& event);
  /// A record of that sector is encoded.
  void record_done(SectorIndex index);

  [[nodiscard]] const PlotTotals& totals() const { return totals_; }
  [[nodiscard]] std::uint64_t sectors_done() const;
  [[nodiscard]] PlotMoment moment();
  /// Of the stages until now, to ask shares_since for a part of the run later.
  [[nodiscard]] StageClock::Totals stage_totals() { return clock_.totals(); }
  [[nodiscard]] StageShares shares_since(const StageClock::Totals& then) {
    return clock_.shares_since(then);
  }
  /// Of the whole run.
  [[nodiscard]] StageShares shares() { return clock_.shares_since(clock_start_); }

 private:
  using Clock = std::chrono::steady_clock;

  const PlotTotals totals_;
  const EncoderPool& encoders_;
  StageClock& clock_;
  const Gate& gate_;
  const StageClock::Totals clock_start_;
  const Clock::time_point start_ = Clock::now();
  mutable Mutex mutex_;
  std::uint64_t sectors_done_ FURROW_GUARDED_BY(mutex_) = 0;
  std::uint64_t records_encoded_ FURROW_GUARDED_BY(mutex_) = 0;
  std::uint64_t records_done_ FURROW_GUARDED_BY(mutex_) = 0;
  std::uint64_t sectors_failed_ FURROW_GUARDED_BY(mutex_) = 0;
  /// Of sectors under way.
  std::map<SectorIndex, std::uint64_t> records_of_ FURROW_GUARDED_BY(mutex_);
  RecentRate record_rate_ FURROW_GUARDED_BY(mutex_);
};

}  // namespace furrow
