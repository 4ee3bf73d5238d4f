// SPDX-License-Identifier: Apache-2.0
#include "tools/plot_progress.hpp"

#include <variant>

#include <nlohmann/json.hpp>

#include "host/base/printable.hpp"
#include "host/plotter/plot_json.hpp"
#include "tools/json_text.hpp"
#include "tools/plan_text.hpp"
#include "tools/plot_options.hpp"
#include "tools/plot_text.hpp"
#include "tools/standard_output.hpp"
#include "tools/terminal.hpp"

namespace furrow::cli {
namespace {

constexpr auto kJsonInterval = std::chrono::seconds(1);
constexpr auto kLimitInterval = std::chrono::seconds(60);

}  // namespace

PlotProgress::PlotProgress(ProgressStyle style)
    : style_(style), has_bar_(style == ProgressStyle::kText && terminal().has_bars()) {}

PlotProgress::~PlotProgress() {
  ticker_ = {};
  terminal().clear_bar();
}

PlotObserver PlotProgress::observer(const MemoryPlan& plan) {
  PlotObserver result = logging_observer();
  result.on_farm = [this, &plan](const PlotBeginning& beginning) { farm(beginning, plan); };
  result.on_begin = [this](PlotMonitor& monitor) { begin(monitor); };
  result.on_end = [this] { end(); };
  result.on_event = [this](SectorIndex index, const PlottingEvent& what) { event(index, what); };
  return result;
}

void PlotProgress::farm(const PlotBeginning& beginning, const MemoryPlan& plan) {
  say(beginning_line(beginning));
  if (style_ == ProgressStyle::kJson) {
    nlohmann::ordered_json line = {{"event", "plan"}};
    line.update(memory_json(plan));
    print(json_line(line));
  } else {
    say(plan_summary(plan));
  }
  if (beginning.sectors_to_plot == 0) {
    say("of the sectors that are there the slots were read, their bytes were not: furrow scrub "
        "checks them, and docs/manual/damaged-farm.md says how a broken one is plotted again");
  }
}

void PlotProgress::begin(PlotMonitor& monitor) {
  monitor_ = &monitor;
  limit_start_ = monitor.stage_totals();
  next_limit_ = Clock::now() + kLimitInterval;
  if (style_ != ProgressStyle::kQuiet) {
    const ShowIntervals intervals = show_intervals();
    ticker_ = Ticker(style_ == ProgressStyle::kJson ? kJsonInterval
                     : has_bar_                     ? intervals.bar
                                                    : intervals.line,
                     [this] { tick(); });
  }
}

void PlotProgress::end() {
  ticker_ = {};
  monitor_ = nullptr;
  terminal().clear_bar();
}

void PlotProgress::finish(const PlotSummary& summary) {
  if (style_ == ProgressStyle::kQuiet) {
    return;
  }
  if (summary.last_moment.has_value()) {
    if (style_ == ProgressStyle::kJson) {
      show(*summary.last_moment);
    }
    show_limit(summary.shares, summary.last_moment->seconds);
    for (const std::string& line : source_lines(summary)) {
      say(line);
    }
  }
}

void PlotProgress::event(SectorIndex index, const PlottingEvent& event) {
  if (style_ == ProgressStyle::kJson) {
    print(json_line(event_json(index, event)));
  } else if (style_ == ProgressStyle::kText && monitor_ != nullptr) {
    if (const std::string line = event_line(index, event, *monitor_); !line.empty()) {
      say(line);
    }
  }
}

void PlotProgress::tick() {
  show(monitor_->moment());
  if (Clock::now() >= next_limit_) {
    const StageClock::Totals now = monitor_->stage_totals();
    show_limit(monitor_->shares_since(limit_start_), now.elapsed - limit_start_.elapsed);
    limit_start_ = now;
    next_limit_ += kLimitInterval;
  }
}

void PlotProgress::show(const PlotMoment& now) {
  if (style_ == ProgressStyle::kJson) {
    print(json_line(moment_json(now)));
  } else if (has_bar_) {
    terminal().show_bar(standing_bar(standing_of(now), terminal().width()));
  } else {
    terminal().line(standing_line(standing_of(now)));
  }
}

void PlotProgress::show_limit(const StageShares& shares, double seconds) {
  if (style_ == ProgressStyle::kJson) {
    print(json_line(limit_json(shares, seconds)));
  } else {
    print(shares.line());
  }
}

void PlotProgress::say(const std::string& line) {
  if (style_ == ProgressStyle::kText) {
    print(printable(line));
  }
}

void PlotProgress::print(const std::string& line) {
  const Lock lock(output_mutex_);
  terminal().print_above_bar([&] {
    print_text(line + "\n");
    flush_results();
  });
}

}  // namespace furrow::cli
