// SPDX-License-Identifier: Apache-2.0
#include "tools/plot_progress.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "host/base/counted.hpp"
#include "host/base/printable.hpp"
#include "tools/json_text.hpp"
#include "tools/plan_text.hpp"
#include "tools/standard_output.hpp"
#include "tools/terminal.hpp"

namespace furrow::cli {
namespace {

constexpr auto kJsonInterval = std::chrono::seconds(1);
constexpr auto kLimitInterval = std::chrono::seconds(60);
constexpr double kRecordBytes = kRecordSize;
constexpr std::array<std::pair<const char*, Stage>, kStages> kStageNames = {
    {{"pieces", Stage::kPieces},
     {"encoder", Stage::kEncoder},
     {"transfer", Stage::kTransfer},
     {"disk", Stage::kDisk}}};

using Json = nlohmann::ordered_json;

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
    : style_(style), has_bar_(style == ProgressStyle::kText && terminal().has_bars()) {}

PlotProgress::~PlotProgress() {
  ticker_ = {};
  terminal().clear_bar();
}

PlotProgress::Showing PlotProgress::start(const Totals& totals, const EncoderPool& encoders,
                                          StageClock& clock, const Gate& gate) {
  totals_ = totals;
  encoders_ = &encoders;
  clock_ = &clock;
  gate_ = &gate;
  clock_start_ = clock.totals();
  limit_start_ = clock_start_;
  start_ = Clock::now();
  next_limit_ = start_ + kLimitInterval;
  if (style_ != ProgressStyle::kQuiet) {
    const ShowIntervals intervals = show_intervals();
    ticker_ = Ticker(style_ == ProgressStyle::kJson ? kJsonInterval
                     : has_bar_                     ? intervals.bar
                                                    : intervals.line,
                     [this] { tick(); });
  }
  return Showing(*this);
}

void PlotProgress::end() {
  ticker_ = {};
  encoders_ = nullptr;
  clock_ = nullptr;
  gate_ = nullptr;
}

void PlotProgress::finish() {
  ticker_ = {};
  if (clock_ == nullptr || style_ == ProgressStyle::kQuiet) {
    return;
  }
  if (style_ == ProgressStyle::kJson) {
    show(moment());
  }
  terminal().clear_bar();
  show_limit(clock_->shares_since(clock_start_), clock_->totals().elapsed - clock_start_.elapsed);
}

void PlotProgress::plan(const MemoryPlan& plan) {
  if (style_ == ProgressStyle::kJson) {
    Json line = {{"event", "plan"}};
    line.update(plan_json(plan));
    print(json_line(line));
  } else {
    say(plan_summary(plan));
  }
}

void PlotProgress::say(const std::string& line) {
  if (style_ == ProgressStyle::kText) {
    print(printable(line));
  }
}

void PlotProgress::record_done(SectorIndex index) {
  const std::lock_guard lock(records_mutex_);
  ++records_encoded_;
  ++records_done_;
  ++records_of_[index];
}

/// Whoever begins with a sector anew, or gives it up, throws away what was encoded of it.
void PlotProgress::note(SectorIndex index, const PlottingEvent& event) {
  const bool is_failed = std::holds_alternative<Failed>(event);
  const bool is_lost = is_failed || std::holds_alternative<TryingAgain>(event) ||
                       std::holds_alternative<Downloading>(event);
  if (!is_lost && !std::holds_alternative<Finished>(event)) {
    return;
  }
  const std::lock_guard lock(records_mutex_);
  const auto records = records_of_.find(index);
  if (records != records_of_.end()) {
    records_done_ -= is_lost ? records->second : 0;
    records_of_.erase(records);
  }
  sectors_failed_ += is_failed ? 1 : 0;
}

void PlotProgress::event(SectorIndex index, const PlottingEvent& event) {
  std::uint64_t done = sectors_done_;
  if (std::holds_alternative<Finished>(event)) {
    done = ++sectors_done_;
  }
  note(index, event);
  if (style_ == ProgressStyle::kJson) {
    print(json_line(event_json(index, event)));
  } else if (const auto* finished = std::get_if<Finished>(&event)) {
    say(fmt::format("sector {} finished ({} of {}), {}, {:.1f} s", index.value(),
                    totals_.sectors_present + done, totals_.sectors_present + totals_.sectors,
                    counted(totals_.pieces_in_sector, "piece"), finished->duration.count()));
  } else if (const auto* again = std::get_if<TryingAgain>(&event)) {
    say(fmt::format("sector {} is made again{}: {}", index.value(),
                    again->is_at_the_end ? " at the end" : "", again->error));
  } else if (const auto* failed = std::get_if<Failed>(&event)) {
    say(fmt::format("sector {} is given up: {}", index.value(), failed->error));
  }
}

void PlotProgress::tick() {
  show(moment());
  if (Clock::now() >= next_limit_) {
    const StageClock::Totals now = clock_->totals();
    show_limit(clock_->shares_since(limit_start_), now.elapsed - limit_start_.elapsed);
    limit_start_ = now;
    next_limit_ += kLimitInterval;
  }
}

PlotProgress::Moment PlotProgress::moment() {
  Moment now;
  std::uint64_t encoded = 0;
  std::uint64_t given_up = 0;
  {
    const std::lock_guard lock(records_mutex_);
    encoded = records_encoded_;
    now.records = records_done_;
    given_up = sectors_failed_ * totals_.pieces_in_sector;
  }
  now.sectors = sectors_done_;
  now.records_left = totals_.records - std::min(totals_.records, now.records + given_up);
  now.seconds = std::chrono::duration<double>(Clock::now() - start_).count();
  now.rate = now.seconds > 0 ? static_cast<double>(encoded) / now.seconds : 0;
  record_rate_.add(now.seconds, static_cast<double>(encoded));
  if (const double rate = record_rate_.per_second(); rate > 0) {
    now.seconds_left = static_cast<double>(now.records_left) / rate;
  }
  for (const EncoderStatus& encoder : encoders_->encoders()) {
    now.encoders.push_back(
        {encoder.name,
         now.seconds > 0 ? static_cast<double>(encoder.records_done) / now.seconds : 0,
         encoder.transfer_time.count(), encoder.state == EncoderStatus::State::kLost});
  }
  return now;
}

Standing PlotProgress::standing(const Moment& now) const {
  Standing result{
      .task = "plot",
      .share = share_of(now.records, totals_.records),
      .counts = {fmt::format("{} of {}", now.sectors, counted(totals_.sectors, "sector")),
                 fmt::format("{} of {}", now.records, counted(totals_.records, "piece"))},
      .bytes_per_second = record_rate_.per_second() * kRecordBytes,
      .seconds_left = now.seconds_left};
  if (!gate_->is_open()) {
    result.state = "paused";
  } else if (now.records_left == 0) {
    result.state = "writing what is encoded";
  }
  if (now.encoders.size() > 1) {
    for (const Encoder& encoder : now.encoders) {
      result.remarks.push_back(encoder.name + " " +
                               (encoder.is_lost ? "lost" : rate_text(encoder.rate * kRecordBytes)));
    }
  }
  return result;
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
    print(json_line(Json{
        {"event", "progress"},
        {"sectors", now.sectors},
        {"sectors_total", totals_.sectors},
        {"records", now.records},
        {"records_total", totals_.records},
        {"seconds", rounded(now.seconds)},
        {"records_per_second", rounded(now.rate)},
        {"seconds_left", now.seconds_left < 0 ? Json(nullptr) : Json(rounded(now.seconds_left))},
        {"encoders", encoders}}));
    return;
  }
  if (has_bar_) {
    terminal().show_bar(standing_bar(standing(now), terminal().width()));
  } else {
    terminal().line(standing_line(standing(now)));
  }
}

void PlotProgress::show_limit(const StageShares& shares, double seconds) {
  if (style_ == ProgressStyle::kJson) {
    print(json_line(limit_json(shares, seconds)));
  } else {
    print(shares.line());
  }
}

void PlotProgress::print(const std::string& line) {
  const std::lock_guard lock(output_mutex_);
  terminal().print_above_bar([&] {
    print_text(line + "\n");
    flush_results();
  });
}

}  // namespace furrow::cli
