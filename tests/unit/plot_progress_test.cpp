// SPDX-License-Identifier: Apache-2.0
// What furrow plot says of its progress, from what it is told.
#include "tools/plot_progress.hpp"

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/unit/fake_encoder.hpp"

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

std::unique_ptr<EncoderPool> pool_of(std::unique_ptr<RecordsEncoder> encoder) {
  EncoderPool::Options options;
  options.encoders.push_back(std::move(encoder));
  return std::make_unique<EncoderPool>(std::move(options));
}

TEST(PlotProgress, AsksNobodyWhenAFailureHasEndedTheRun) {
  ::setenv("FURROW_PROGRESS_SECONDS", "0.001", 1);
  std::atomic<int> n_asked = 0;
  PlotProgress progress(ProgressStyle::kText);
  Gate gate;
  try {
    const auto encoders = pool_of(std::make_unique<AskedEncoder>(n_asked));
    StageClock clock;
    const PlotProgress::Showing showing =
        progress.start({.sectors = 1, .records = 2, .pieces_in_sector = 2}, *encoders, clock, gate);
    while (n_asked == 0) {
      std::this_thread::sleep_for(milliseconds(1));
    }
    throw std::runtime_error("the disk is full");
  } catch (const std::runtime_error&) {
    const int then = n_asked;
    std::this_thread::sleep_for(milliseconds(50));
    EXPECT_EQ(n_asked, then) << "what it asked is gone";
  }
  ::unsetenv("FURROW_PROGRESS_SECONDS");
}

/// Two sectors of three pieces; the last progress line that is told of them.
class Records : public testing::Test {
 protected:
  void start() { testing::internal::CaptureStdout(); }
  void encode(std::uint16_t sector, int n) {
    progress_.event(SectorIndex(sector), Downloading{});
    progress_.event(SectorIndex(sector), Encoding{});
    for (int i = 0; i < n; ++i) {
      progress_.record_done(SectorIndex(sector));
    }
  }
  nlohmann::json finish() {
    {
      const PlotProgress::Showing showing = progress_.start(
          {.sectors = 2, .records = 6, .pieces_in_sector = 3}, *encoders_, clock_, gate_);
      std::this_thread::sleep_for(milliseconds(2));
      progress_.finish();
    }
    std::istringstream lines(testing::internal::GetCapturedStdout());
    nlohmann::json result;
    for (std::string line; std::getline(lines, line);) {
      const nlohmann::json object = nlohmann::json::parse(line);
      if (object["event"] == "progress") {
        result = object;
      }
    }
    return result;
  }

  Gate gate_;
  StageClock clock_;
  std::unique_ptr<EncoderPool> encoders_ =
      pool_of(std::make_unique<FakeEncoder>(FakeEncoder::Options{}));
  PlotProgress progress_{ProgressStyle::kJson};
};

TEST_F(Records, OfASectorThatIsMadeAgainDoNotCountTwice) {
  start();
  encode(0, 3);
  progress_.event(SectorIndex(0), Finished{});
  encode(1, 2);
  progress_.event(SectorIndex(1), TryingAgain{"a card is lost", false});
  encode(1, 1);
  encode(1, 1);  // a device gave wrong bytes, and nobody says more than that it begins anew
  const nlohmann::json line = finish();
  EXPECT_EQ(line["records"], 4) << line;
  EXPECT_EQ(line["records_total"], 6) << line;
}

TEST_F(Records, OfASectorThatIsGivenUpAreNotWaitedFor) {
  start();
  encode(0, 3);
  encode(1, 2);
  progress_.event(SectorIndex(1), Failed{"too few proofs"});
  const nlohmann::json line = finish();
  EXPECT_EQ(line["records"], 3) << line;
}

TEST(PlotProgressText, SaysWhenASectorIsGivenUp) {
  testing::internal::CaptureStdout();
  PlotProgress progress(ProgressStyle::kText);
  progress.event(SectorIndex(7), Failed{"too few proofs"});
  EXPECT_EQ(testing::internal::GetCapturedStdout(), "sector 7 is given up: too few proofs\n");
}

}  // namespace
}  // namespace furrow::cli
