// SPDX-License-Identifier: Apache-2.0
// What `furrow plot` says while it works: a bar on a terminal, plain lines otherwise, or one JSON
// object a line.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "host/base/gate.hpp"
#include "host/plotting/encoder_pool.hpp"
#include "host/plotting/memory_plan.hpp"
#include "host/plotting/plot_pipeline.hpp"
#include "host/plotting/stage_clock.hpp"
#include "tools/progress_text.hpp"
#include "tools/ticker.hpp"

namespace furrow::cli {

enum class ProgressStyle {
  kText,   ///< lines of results on stdout, bar or lines of progress on stderr
  kJson,   ///< JSON objects on stdout, one a line
  kQuiet,  ///< nothing
};

/// Thread-safe. A thread of its own shows how far things are and, once a minute, what limits them.
class PlotProgress {
 public:
  struct Totals {
    std::uint64_t sectors = 0;  ///< to plot
    std::uint64_t records = 0;  ///< in them
    std::uint64_t sectors_present = 0;
    std::uint16_t pieces_in_sector = 0;
  };

  /// Shows things while it lives; when it goes, on whatever way, the thread has ended and nothing
  /// of what start() was given is used any more.
  class [[nodiscard]] Showing {
   public:
    explicit Showing(PlotProgress& progress) : progress_(progress) {}
    Showing(const Showing&) = delete;
    Showing& operator=(const Showing&) = delete;
    ~Showing() { progress_.end(); }

   private:
    PlotProgress& progress_;
  };

  /// Shows nothing before start().
  explicit PlotProgress(ProgressStyle style);
  PlotProgress(const PlotProgress&) = delete;
  PlotProgress& operator=(const PlotProgress&) = delete;
  ~PlotProgress();

  /// `encoders`, `clock` and `gate` must outlive the result.
  Showing start(const Totals& totals, const EncoderPool& encoders, StageClock& clock,
                const Gate& gate);
  /// Ends the thread, clears the bar and says what limited the whole run. Before Showing goes.
  void finish();

  void plan(const MemoryPlan& plan);
  /// A line for people, in kText only.
  void say(const std::string& line);
  void event(SectorIndex index, const PlottingEvent& event);
  /// A record of that sector is encoded.
  void record_done(SectorIndex index);
  [[nodiscard]] std::uint64_t sectors_done() const { return sectors_done_; }

 private:
  using Clock = std::chrono::steady_clock;
  struct Encoder {
    std::string name;
    double rate = 0;              ///< records per second since the start
    double transfer_seconds = 0;  ///< for which copies held it up
    bool is_lost = false;
  };
  struct Moment {
    std::uint64_t sectors = 0;
    std::uint64_t records = 0;       ///< encoded and not to be encoded again
    std::uint64_t records_left = 0;  ///< to be encoded; not those of sectors that were given up
    double seconds = 0;
    double rate = 0;
    double seconds_left = -1;  ///< negative: unknown
    std::vector<Encoder> encoders;
  };

  void end();
  void tick();
  void note(SectorIndex index, const PlottingEvent& event);
  [[nodiscard]] Moment moment();
  [[nodiscard]] Standing standing(const Moment& now) const;
  void show(const Moment& now);
  void show_limit(const StageShares& shares, double seconds);
  void print(const std::string& line);  // on stdout, without disturbing the bar

  const ProgressStyle style_;
  const bool has_bar_;
  Totals totals_;
  const EncoderPool* encoders_ = nullptr;
  StageClock* clock_ = nullptr;
  const Gate* gate_ = nullptr;
  StageClock::Totals clock_start_;
  StageClock::Totals limit_start_;  // of the minute under way
  Clock::time_point next_limit_;
  RecentRate record_rate_;
  Clock::time_point start_;
  std::atomic<std::uint64_t> sectors_done_ = 0;
  std::mutex records_mutex_;                         // of the next four
  std::uint64_t records_encoded_ = 0;                // those that are encoded again count again
  std::uint64_t records_done_ = 0;                   // these do not
  std::map<SectorIndex, std::uint64_t> records_of_;  // of sectors that are not finished
  std::uint64_t sectors_failed_ = 0;
  std::mutex output_mutex_;
  Ticker ticker_;  // last: it uses all of the above
};

}  // namespace furrow::cli
