#include "tools/plot_progress.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <condition_variable>
#include <cstdio>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "host/base/threads.hpp"
#include "tools/plan_text.hpp"

namespace furrow::cli {
namespace {

constexpr auto kBarInterval = std::chrono::milliseconds(200);
constexpr auto kJsonInterval = std::chrono::seconds(1);
constexpr auto kLineInterval = std::chrono::seconds(30);
constexpr auto kLimitInterval = std::chrono::seconds(60);
constexpr std::size_t kBarWidth = 24;
constexpr std::array<std::pair<const char*, Stage>, kStages> kStageNames = {
    {{"pieces", Stage::kPieces},
     {"encoder", Stage::kEncoder},
     {"transfer", Stage::kTransfer},
     {"disk", Stage::kDisk}}};

using Json = nlohmann::ordered_json;

std::string time_text(double seconds) {
  if (seconds < 0) {
    return "?";
  }
  const auto whole = static_cast<std::uint64_t>(std::llround(seconds));
  return whole < 3600 ? fmt::format("{}:{:02}", whole / 60, whole % 60)
                      : fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60);
}

/// Three digits are enough.
double rounded(double value) {
  return std::round(value * 1000) / 1000;
}

Json limit_json(const StageShares& shares, double seconds) {
  Json busy;
  Json waited;
  for (const auto& [name, stage] : kStageNames) {
    busy[name] = rounded(shares.busy_share(stage));
    waited[name] = rounded(shares.waited(stage));
  }
  return {{"event", "limit"},
          {"limited_by", shares.limit()},
          {"seconds", rounded(seconds)},
          {"busy", busy},
          {"waited", waited},
          {"gate", rounded(shares.gate)}};
}

Json event_json(SectorIndex index, const PlottingEvent& event) {
  static constexpr std::array<const char*, std::variant_size_v<PlottingEvent>> kNames = {
      "downloading", "downloaded", "encoding", "encoded",
      "writing",     "finished",   "failed",   "trying_again"};
  Json result = {{"event", "sector"}, {"sector", index.value()}, {"state", kNames[event.index()]}};
  std::visit(
      [&](const auto& what) {
        if constexpr (requires { what.duration; }) {
          result["seconds"] = rounded(what.duration.count());
        } else if constexpr (requires { what.error; }) {
          result["error"] = what.error;
        }
      },
      event);
  return result;
}

}  // namespace

PlotProgress::PlotProgress(ProgressStyle style)
    : style_(style), is_terminal_(isatty(STDERR_FILENO) == 1) {}

PlotProgress::~PlotProgress() {
  ticker_ = {};
  clear_bar();
}

void PlotProgress::start(const Totals& totals, const EncoderPool& encoders, StageClock& clock) {
  totals_ = totals;
  encoders_ = &encoders;
  clock_ = &clock;
  clock_start_ = clock.totals();
  start_ = Clock::now();
  if (style_ != ProgressStyle::kQuiet) {
    try {
      ticker_ =
          start_thread("fw-progress", [this](const std::stop_token& stop) { tick_until(stop); });
    } catch (const ResourceExhausted&) {
      // Sectors are finished without anybody showing how far they are.
    }
  }
}

void PlotProgress::finish() {
  ticker_ = {};
  if (clock_ == nullptr || style_ == ProgressStyle::kQuiet) {
    return;
  }
  if (style_ == ProgressStyle::kJson) {
    show(moment());
  }
  clear_bar();
  show_limit(clock_->shares_since(clock_start_), clock_->totals().elapsed - clock_start_.elapsed);
}

void PlotProgress::plan(const MemoryPlan& plan) {
  if (style_ == ProgressStyle::kJson) {
    Json line = {{"event", "plan"}};
    line.update(plan_json(plan));
    print(line.dump());
  } else {
    say(plan_summary(plan));
  }
}

void PlotProgress::say(const std::string& line) {
  if (style_ == ProgressStyle::kText) {
    print(line);
  }
}

void PlotProgress::event(SectorIndex index, const PlottingEvent& event) {
  std::uint64_t done = sectors_done_;
  if (std::holds_alternative<Finished>(event)) {
    done = ++sectors_done_;
  }
  if (style_ == ProgressStyle::kJson) {
    print(event_json(index, event).dump());
  } else if (const auto* finished = std::get_if<Finished>(&event)) {
    say(fmt::format("sector {} finished ({} of {}), {} pieces, {:.1f} s", index.value(),
                    totals_.sectors_present + done, totals_.sectors_present + totals_.sectors,
                    totals_.pieces_in_sector, finished->duration.count()));
  } else if (const auto* again = std::get_if<TryingAgain>(&event)) {
    say(fmt::format("sector {} is made again{}: {}", index.value(),
                    again->is_at_the_end ? " at the end" : "", again->error));
  }
}

/// The life of the ticker.
void PlotProgress::tick_until(const std::stop_token& stop) {
  const Clock::duration interval = style_ == ProgressStyle::kJson ? Clock::duration(kJsonInterval)
                                   : is_terminal_                 ? Clock::duration(kBarInterval)
                                                                  : Clock::duration(kLineInterval);
  Clock::time_point next_show = start_ + interval;
  Clock::time_point next_limit = start_ + kLimitInterval;
  StageClock::Totals limit_start = clock_start_;
  std::mutex mutex;
  std::condition_variable_any never;
  std::unique_lock lock(mutex);
  while (true) {
    never.wait_until(lock, stop, std::min(next_show, next_limit), [] { return false; });
    if (stop.stop_requested()) {
      return;
    }
    if (Clock::now() >= next_show) {
      show(moment());
      next_show += interval;
    }
    if (Clock::now() >= next_limit) {
      const StageClock::Totals now = clock_->totals();
      show_limit(clock_->shares_since(limit_start), now.elapsed - limit_start.elapsed);
      limit_start = now;
      next_limit += kLimitInterval;
    }
  }
}

PlotProgress::Moment PlotProgress::moment() const {
  Moment now;
  now.sectors = sectors_done_;
  // Records of a sector that is encoded again count twice.
  now.records = std::min<std::uint64_t>(records_done_, totals_.records);
  now.seconds = std::chrono::duration<double>(Clock::now() - start_).count();
  now.rate = now.seconds > 0 ? static_cast<double>(now.records) / now.seconds : 0;
  if (now.rate > 0) {
    now.seconds_left = static_cast<double>(totals_.records - now.records) / now.rate;
  }
  for (const EncoderStatus& encoder : encoders_->encoders()) {
    now.encoders.push_back(
        {encoder.name,
         now.seconds > 0 ? static_cast<double>(encoder.records_done) / now.seconds : 0,
         encoder.transfer_time.count(), encoder.state == EncoderStatus::State::kLost});
  }
  return now;
}

void PlotProgress::show(const Moment& now) {
  if (style_ == ProgressStyle::kJson) {
    Json encoders = Json::array();
    for (const Encoder& encoder : now.encoders) {
      encoders.push_back({{"name", encoder.name},
                          {"records_per_second", rounded(encoder.rate)},
                          {"transfer_seconds", rounded(encoder.transfer_seconds)},
                          {"lost", encoder.is_lost}});
    }
    print(Json{
        {"event", "progress"},
        {"sectors", now.sectors},
        {"sectors_total", totals_.sectors},
        {"records", now.records},
        {"records_total", totals_.records},
        {"seconds", rounded(now.seconds)},
        {"records_per_second", rounded(now.rate)},
        {"seconds_left", now.seconds_left < 0 ? Json(nullptr) : Json(rounded(now.seconds_left))},
        {"encoders", encoders}}
              .dump());
    return;
  }
  std::string text = fmt::format("{} of {} sectors, {} of {} records, {:.2f}/s, {} left",
                                 now.sectors, totals_.sectors, now.records, totals_.records,
                                 now.rate, time_text(now.seconds_left));
  if (now.encoders.size() > 1) {
    for (const Encoder& encoder : now.encoders) {
      text += encoder.is_lost ? fmt::format("; {} lost", encoder.name)
                              : fmt::format("; {} {:.2f}/s", encoder.name, encoder.rate);
    }
  }
  const std::lock_guard lock(output_mutex_);
  if (is_terminal_) {
    const std::size_t filled =
        totals_.records == 0 ? kBarWidth
                             : static_cast<std::size_t>(now.records * kBarWidth / totals_.records);
    fmt::print(stderr, "\r\033[Kplot [{}{}] {}", std::string(filled, '#'),
               std::string(kBarWidth - filled, '.'), text);
    std::fflush(stderr);
    bar_is_shown_ = true;
  } else {
    fmt::print(stderr, "plot: {}\n", text);
  }
}

void PlotProgress::show_limit(const StageShares& shares, double seconds) {
  if (style_ == ProgressStyle::kJson) {
    print(limit_json(shares, seconds).dump());
  } else {
    print(shares.line());
  }
}

void PlotProgress::print(const std::string& line) {
  clear_bar();
  const std::lock_guard lock(output_mutex_);
  std::puts(line.c_str());
  std::fflush(stdout);
}

void PlotProgress::clear_bar() {
  const std::lock_guard lock(output_mutex_);
  if (std::exchange(bar_is_shown_, false)) {
    fmt::print(stderr, "\r\033[K");
    std::fflush(stderr);
  }
}

}  // namespace furrow::cli
