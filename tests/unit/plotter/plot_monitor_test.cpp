// SPDX-License-Identifier: Apache-2.0
// How far a run is, from what is told of it.
#include "host/plotter/plot_monitor.hpp"

#include <memory>
#include <utility>

#include <gtest/gtest.h>

#include "tests/unit/plotting/fake_encoder.hpp"

namespace furrow {
namespace {

std::unique_ptr<EncoderPool> fake_pool() {
  EncoderPool::Options options;
  options.encoders.push_back(std::make_unique<FakeEncoder>(FakeEncoder::Options{.name = "fake"}));
  return std::make_unique<EncoderPool>(std::move(options));
}

/// Two sectors of three pieces, to be plotted beside one that is there.
class PlotMonitorTest : public testing::Test {
 protected:
  void encode(std::uint16_t sector, int n) {
    monitor_.event(SectorIndex(sector), Downloading{});
    monitor_.event(SectorIndex(sector), Encoding{});
    for (int i = 0; i < n; ++i) {
      monitor_.record_done(SectorIndex(sector));
    }
  }

  Gate gate_;
  StageClock clock_;
  std::unique_ptr<EncoderPool> encoders_ = fake_pool();
  PlotMonitor monitor_{{.sectors = 2, .records = 6, .sectors_present = 1, .pieces_in_sector = 3},
                       *encoders_,
                       clock_,
                       gate_};
};

TEST_F(PlotMonitorTest, RecordsOfASectorThatIsMadeAgainDoNotCountTwice) {
  encode(0, 3);
  monitor_.event(SectorIndex(0), Finished{});
  encode(1, 2);
  monitor_.event(SectorIndex(1), TryingAgain{"a card is lost", false});
  encode(1, 1);
  encode(1, 1);  // a device gave wrong bytes, and nobody says more than that it begins anew
  const PlotMoment moment = monitor_.moment();
  EXPECT_EQ(moment.records, 4);
  EXPECT_EQ(moment.records_left, 2);
  EXPECT_EQ(moment.sectors, 1);
  EXPECT_EQ(monitor_.sectors_done(), 1);
}

TEST_F(PlotMonitorTest, RecordsOfASectorThatIsGivenUpAreNotWaitedFor) {
  encode(0, 3);
  encode(1, 2);
  monitor_.event(SectorIndex(1), Failed{"too few proofs"});
  const PlotMoment moment = monitor_.moment();
  EXPECT_EQ(moment.records, 3);
  EXPECT_EQ(moment.records_left, 0);
  EXPECT_EQ(moment.sectors, 0);
}

TEST_F(PlotMonitorTest, SaysWhetherItIsPausedAndWhatEncodes) {
  PlotMoment moment = monitor_.moment();
  EXPECT_FALSE(moment.is_paused);
  EXPECT_LT(moment.seconds_left, 0) << "nothing is encoded yet, so nobody knows";
  gate_.close();
  moment = monitor_.moment();
  EXPECT_TRUE(moment.is_paused);
  ASSERT_EQ(moment.encoders.size(), 1);
  EXPECT_EQ(moment.encoders.front().name, "fake");
  EXPECT_EQ(moment.totals.sectors_present, 1);
}

}  // namespace
}  // namespace furrow
