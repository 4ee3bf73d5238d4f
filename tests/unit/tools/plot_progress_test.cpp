// SPDX-License-Identifier: Apache-2.0
// What furrow plot says of its progress, from what it is told.
#include "tools/plot_progress.hpp"

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/unit/plotting/fake_encoder.hpp"

namespace furrow::cli {
namespace {

using std::chrono::milliseconds;

/// Counts how often it is asked.
class AskedEncoder final : public RecordsEncoder {
 public:
  explicit AskedEncoder(std::atomic<int>& n_asked) : n_asked_(n_asked) {}
  EncodeOutcome encode(EncodingJob&, std::stop_token) override { return EncodeOutcome::kComplete; }
  [[nodiscard]] std::chrono::duration<double> transfer_time() const override {
    ++n_asked_;
    return {};
  }
  [[nodiscard]] std::string name() const override { return "asked"; }

 private:
  std::atomic<int>& n_asked_;
};

/// Of one sector of two pieces, with an encoder that counts.
struct Asked {
  std::atomic<int> n_asked = 0;
  Gate gate;
  StageClock clock;
  std::unique_ptr<EncoderPool> encoders = [this] {
    EncoderPool::Options options;
    options.encoders.push_back(std::make_unique<AskedEncoder>(n_asked));
    return std::make_unique<EncoderPool>(std::move(options));
  }();
  PlotMonitor monitor{{.sectors = 1, .records = 2, .pieces_in_sector = 2}, *encoders, clock, gate};
};

/// What is printed of a run in which sector 7 is given up.
std::string told_of_a_sector_given_up(ProgressStyle style) {
  testing::internal::CaptureStdout();
  PlotProgress progress(style);
  Asked asked;
  progress.begin(asked.monitor);
  progress.event(SectorIndex(7), Failed{"too few proofs"});
  progress.end();
  PlotSummary summary;
  summary.last_moment = asked.monitor.moment();
  progress.finish(summary);
  return testing::internal::GetCapturedStdout();
}

TEST(PlotProgress, AsksNobodyAfterTheEnd) {
  ::setenv("FURROW_PROGRESS_SECONDS", "0.001", 1);
  PlotProgress progress(ProgressStyle::kText);
  Asked asked;
  progress.begin(asked.monitor);
  while (asked.n_asked == 0) {
    std::this_thread::sleep_for(milliseconds(1));
  }
  progress.end();
  const int then = asked.n_asked;
  std::this_thread::sleep_for(milliseconds(50));
  EXPECT_EQ(asked.n_asked, then) << "what it asked may be gone";
  ::unsetenv("FURROW_PROGRESS_SECONDS");
}

TEST(PlotProgress, SaysAsJsonWhatTheWholeRunWasLimitedBy) {
  std::istringstream lines(told_of_a_sector_given_up(ProgressStyle::kJson));
  std::vector<nlohmann::json> events;
  for (std::string line; std::getline(lines, line);) {
    events.push_back(nlohmann::json::parse(line));
  }
  ASSERT_EQ(events.size(), 3);
  EXPECT_EQ(events[0]["state"], "failed");
  EXPECT_EQ(events[0]["error"], "too few proofs");
  EXPECT_EQ(events[1]["event"], "progress");
  EXPECT_EQ(events[1]["records_total"], 2);
  EXPECT_EQ(events[2]["event"], "limit");
}

TEST(PlotProgress, SaysInWordsWhenASectorIsGivenUp) {
  const std::string told = told_of_a_sector_given_up(ProgressStyle::kText);
  EXPECT_TRUE(told.starts_with("sector 7 is given up: too few proofs\nlimited by ")) << told;
}

TEST(PlotProgress, SaysNothingWhenNothingIsWanted) {
  EXPECT_EQ(told_of_a_sector_given_up(ProgressStyle::kQuiet), "");
}

}  // namespace
}  // namespace furrow::cli
