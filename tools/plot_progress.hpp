// What `furrow plot` says while it works: a bar on a terminal, plain lines otherwise, or one JSON
// object a line.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

#include "host/plotting/encoder_pool.hpp"
#include "host/plotting/gate.hpp"
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

  /// Shows nothing before start().
  explicit PlotProgress(ProgressStyle style);
  PlotProgress(const PlotProgress&) = delete;
  PlotProgress& operator=(const PlotProgress&) = delete;
  ~PlotProgress();

  /// `encoders`, `clock` and `gate` must outlive finish().
  void start(const Totals& totals, const EncoderPool& encoders, StageClock& clock,
             const Gate& gate);
  /// Ends the thread, clears the bar and says what limited the whole run.
  void finish();

  void plan(const MemoryPlan& plan);
  /// A line for people, in kText only.
  void say(const std::string& line);
  void event(SectorIndex index, const PlottingEvent& event);
  void record_done() { ++records_done_; }
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
    std::uint64_t records = 0;
    double seconds = 0;
    double rate = 0;
    double seconds_left = -1;  ///< negative: unknown
    std::vector<Encoder> encoders;
  };

  void tick();
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
  std::atomic<std::uint64_t> records_done_ = 0;
  std::atomic<std::uint64_t> sectors_done_ = 0;
  std::mutex output_mutex_;
  Ticker ticker_;  // last: it uses all of the above
};

}  // namespace furrow::cli
