// SPDX-License-Identifier: Apache-2.0
// The stage clock: shares of time, and what limits.
#include "host/plotting/stage_clock.hpp"

#include <chrono>
#include <memory>

#include <gtest/gtest.h>

#include "host/plotting/cpu_records_encoder.hpp"
#include "host/plotting/encoder_pool.hpp"
#include "tests/support/hand_clock.hpp"
#include "tests/unit/plotting/fake_encoder.hpp"

namespace furrow {
namespace {

using std::chrono::milliseconds;
using test::HandClock;

constexpr double kRounding = 1e-9;

TEST(StageClock, TellsWhatTheOthersWaitFor) {
  HandClock time;
  Gate gate(time.now());
  StageClock clock({.encoders = 2, .layouts = 3}, &gate, {}, time.now());
  const auto start = clock.totals();
  {
    const auto disk = clock.work(Stage::kDisk);
    const auto other_disk = clock.work(Stage::kDisk);
    const auto encoder = clock.work(Stage::kEncoder);
    const auto layout = clock.work(Stage::kLayout);
    const auto other_layout = clock.work(Stage::kLayout);
    time.move(milliseconds(20));
    const StageShares shares = clock.shares_since(start);
    EXPECT_EQ(shares.limit(), "disk");
    EXPECT_NEAR(shares.busy_share(Stage::kDisk), 1.0, kRounding) << "two count once";
    EXPECT_NEAR(shares.busy_share(Stage::kEncoder), 0.5, kRounding) << "one of two encoders works";
    EXPECT_NEAR(shares.busy_share(Stage::kLayout), 2.0 / 3, kRounding) << "of three that may be";
    EXPECT_EQ(shares.busy_share(Stage::kPieces), 0.0);
    EXPECT_EQ(shares.waited(Stage::kPieces), 1.0);
  }
  const auto then = clock.totals();
  gate.close();
  const auto pieces = clock.work(Stage::kPieces);
  time.move(milliseconds(20));
  const StageShares paused = clock.shares_since(then);
  EXPECT_EQ(paused.limit(), "gate");
  EXPECT_NEAR(paused.gate, 1.0, kRounding);
  EXPECT_NEAR(paused.busy_share(Stage::kPieces), 0.0, kRounding);
  gate.open();
  time.move(milliseconds(60));
  const StageShares later = clock.shares_since(then);
  EXPECT_EQ(later.limit(), "pieces");
  EXPECT_NEAR(later.gate, 0.25, kRounding);
  EXPECT_NEAR(later.busy_share(Stage::kPieces), 0.75, kRounding);
  EXPECT_NEAR(clock.totals().elapsed, 0.1, kRounding);
}

TEST(StageClock, NoShareOfNoTime) {
  const HandClock time;
  StageClock clock({}, nullptr, {}, time.now());
  const auto disk = clock.work(Stage::kDisk);
  EXPECT_EQ(clock.shares_since(clock.totals()).busy_share(Stage::kDisk), 0.0);
}

TEST(StageClock, TheLineNamesTheLimitAndTheWaits) {
  const StageShares shares{
      .busy = {0.2, 0.364, 0.08, 0.5, 0.97}, .gate = 0.01, .has_transfers = true};
  EXPECT_EQ(
      shares.line(),
      "limited by writing, busy 97 % of the time; waiting for the others: fetching pieces 79 %, "
      "encoding 63 %, copying to and from cards 91 %, laying out 49 %; paused 1 %");
  EXPECT_EQ(
      StageShares{}.line(),
      "limited by fetching pieces, busy 0 % of the time; waiting for the others: encoding 100 %, "
      "laying out 100 %, writing 100 %")
      << "without cards nobody waits for copies";
  EXPECT_EQ((StageShares{.busy = {0.1, 0.3, 0.6, 0, 0}}.line()),
            "limited by copying to and from cards, busy 60 % of the time; waiting for the others: "
            "fetching pieces 90 %, encoding 70 %, laying out 100 %, writing 100 %");
  EXPECT_EQ((StageShares{.busy = {0.1, 0.3, 0, 0.2, 0}, .gate = 0.6, .has_transfers = true}.line()),
            "limited by the pause; waiting for the others: fetching pieces 30 %, encoding 10 %, "
            "copying to and from cards 40 %, laying out 20 %, writing 40 %; paused 60 %");
}

/// The shares of a pool whose only encoder says that copies held it up for so long, while it
/// encoded a sector.
StageShares shares_with(std::chrono::duration<double> transfer_time) {
  HandClock time;
  EncoderPool::Options options;
  options.encoders.push_back(std::make_unique<FakeEncoder>(
      FakeEncoder::Options{.before_batch = [&](const Claim&) { time.move(milliseconds(10)); },
                           .transfer_time = transfer_time}));
  EncoderPool pool(std::move(options));
  StageClock clock(
      {.encoders = pool.size()}, nullptr, [&] { return pool.transfer_time(); }, time.now());
  const auto start = clock.totals();
  FakeSector sector(4, 1);
  {
    const auto work = clock.work(Stage::kEncoder);
    EXPECT_EQ(pool.encode_records(sector.sector_id, sector.records, sector.found_proofs, {}),
              EncodeOutcome::kComplete);
  }
  return clock.shares_since(start);
}

TEST(StageClock, AnEncoderThatIsHeldUpByCopiesIsLimitedByTransfer) {
  // More than it took at all, as when it tells late: all of the encoding is transfer then.
  const StageShares held_up = shares_with(std::chrono::hours(1));
  EXPECT_EQ(held_up.limit(), "transfer");
  EXPECT_EQ(held_up.line().find("limited by copying to and from cards, busy "), 0U)
      << held_up.line();
  EXPECT_EQ(held_up.busy_share(Stage::kEncoder), 0.0);
  EXPECT_TRUE(held_up.has_transfers);

  const StageShares computing = shares_with(std::chrono::seconds(0));
  EXPECT_EQ(computing.limit(), "encoder");
  EXPECT_EQ(computing.busy_share(Stage::kTransfer), 0.0);
  EXPECT_EQ(computing.line().find("copying"), std::string::npos) << computing.line();
}

TEST(StageClock, TransferIsPartOfTheTimeOfAllEncoders) {
  std::chrono::duration<double> transfer_time = std::chrono::hours(7);
  HandClock time;
  StageClock clock(
      {.encoders = 2}, nullptr, [&] { return transfer_time; }, time.now());
  const auto first = clock.work(Stage::kEncoder);
  const auto second = clock.work(Stage::kEncoder);
  const auto start = clock.totals();
  time.move(milliseconds(30));
  transfer_time += milliseconds(20);
  const StageShares shares = clock.shares_since(start);
  EXPECT_NEAR(shares.busy_share(Stage::kTransfer), 1.0 / 3, kRounding) << "the half of each of two";
  EXPECT_NEAR(shares.busy_share(Stage::kEncoder), 2.0 / 3, kRounding);
}

TEST(StageClock, CpuEncodersReportNoTransfer) {
  EncoderPool::Options options;
  options.encoders.push_back(std::make_unique<CpuRecordsEncoder>(CpuRecordsEncoder::Options{}));
  EncoderPool pool(std::move(options));
  auto records = std::make_unique<Record[]>(1);  // NOLINT(modernize-avoid-c-arrays)
  FoundProofs found_proofs;
  ASSERT_EQ(pool.encode_records({}, {records.get(), 1}, {&found_proofs, 1}, {}),
            EncodeOutcome::kComplete);
  EXPECT_EQ(pool.transfer_time().count(), 0.0);
  ASSERT_EQ(pool.encoders().size(), 1U);
  EXPECT_EQ(pool.encoders()[0].records_done, 1U);
  EXPECT_EQ(pool.encoders()[0].transfer_time.count(), 0.0);
}

}  // namespace
}  // namespace furrow
