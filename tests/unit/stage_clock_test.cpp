// The stage clock: shares of time, and what limits.
#include "host/plotting/stage_clock.hpp"

#include <thread>

#include <gtest/gtest.h>

namespace furrow {
namespace {

TEST(StageClock, TellsWhatTheOthersWaitFor) {
  Gate gate;
  StageClock clock(2, &gate);
  const auto start = clock.totals();
  {
    const auto disk = clock.work(Stage::kDisk);
    const auto other_disk = clock.work(Stage::kDisk);
    const auto encoder = clock.work(Stage::kEncoder);
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    const StageShares shares = clock.shares_since(start);
    EXPECT_EQ(shares.limit(), "disk");
    EXPECT_LE(shares.busy_share(Stage::kDisk), 1.0);
    EXPECT_NEAR(shares.busy_share(Stage::kEncoder), shares.busy_share(Stage::kDisk) / 2, 0.01)
        << "one of two encoders works";
    EXPECT_EQ(shares.busy_share(Stage::kPieces), 0.0);
    EXPECT_EQ(shares.waited(Stage::kPieces), 1.0);
  }
  const auto then = clock.totals();
  gate.close();
  const auto pieces = clock.work(Stage::kPieces);
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  const StageShares paused = clock.shares_since(then);
  EXPECT_EQ(paused.limit(), "gate");
  EXPECT_LT(paused.busy_share(Stage::kPieces), paused.gate);
}

TEST(StageClock, TheLineNamesTheLimitAndTheWaits) {
  const StageShares shares{.busy = {0.2, 0.364, 0.97}, .gate = 0.01};
  EXPECT_EQ(shares.line(),
            "limited by disk (busy 97 %); waited: pieces 79 %, encoder 63 %; gate closed 1 %");
  EXPECT_EQ(StageShares{}.line(),
            "limited by pieces (busy 0 %); waited: encoder 100 %, disk 100 %; gate closed 0 %");
}

}  // namespace
}  // namespace furrow
