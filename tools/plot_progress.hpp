// SPDX-License-Identifier: Apache-2.0
// What `furrow plot` says while it works: a bar on a terminal, plain lines otherwise, or one JSON
// object a line.
#pragma once

#include <chrono>
#include <string>

#include "host/base/mutex.hpp"
#include "host/plotter/plot_monitor.hpp"
#include "host/plotter/plot_observer.hpp"
#include "host/plotter/plot_summary.hpp"
#include "host/plotting/memory_plan.hpp"
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
  /// Shows nothing before begin().
  explicit PlotProgress(ProgressStyle style);
  PlotProgress(const PlotProgress&) = delete;
  PlotProgress& operator=(const PlotProgress&) = delete;
  ~PlotProgress();

  /// Logs, and tells of the farm with the plan for it, of events, and of the course of things.
  /// Progress and plan must outlive it.
  [[nodiscard]] PlotObserver observer(const MemoryPlan& plan);

  /// The farm, what is to be done with it, and with how much memory.
  void farm(const PlotBeginning& beginning, const MemoryPlan& plan);
  /// Asks `monitor` now and then until end(), which waits for what is under way.
  void begin(PlotMonitor& monitor);
  void end();
  void event(SectorIndex index, const PlottingEvent& event);
  /// What limited the whole run, and what the sources gave.
  void finish(const PlotSummary& summary);

 private:
  using Clock = std::chrono::steady_clock;

  void tick();
  void show(const PlotMoment& now);
  void show_limit(const StageShares& shares, double seconds);
  void say(const std::string& line);    // for people, in kText only
  void print(const std::string& line);  // on stdout, without disturbing the bar

  const ProgressStyle style_;
  const bool has_bar_;
  Mutex output_mutex_;              // one line at a time
  PlotMonitor* monitor_ = nullptr;  // between begin() and end()
  StageClock::Totals limit_start_;  // of what the next line about limits is about; of the ticker
  Clock::time_point next_limit_;
  Ticker ticker_;  // last: it uses all of the above
};

}  // namespace furrow::cli
