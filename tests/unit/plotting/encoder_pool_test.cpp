// SPDX-License-Identifier: Apache-2.0
// EncoderPool: lost encoders, the fallback, unequal encoders, errors, stop and pause.
#include "host/plotting/encoder_pool.hpp"

#include <atomic>
#include <latch>
#include <random>
#include <semaphore>
#include <thread>

#include <gtest/gtest.h>

#include "host/base/foreign_error.hpp"
#include "host/plotting/verified_encoder.hpp"
#include "tests/support/moment.hpp"
#include "tests/unit/plotting/fake_encoder.hpp"

namespace furrow {
namespace {

/// A pool under construction, and what it reported.
class PoolTest : public testing::Test {
 protected:
  void add(FakeEncoder::Options options) {
    options_.encoders.push_back(std::make_unique<FakeEncoder>(std::move(options)));
  }
  void with_fallback() {
    options_.make_fallback = [this] {
      ++fallbacks_made_;
      return std::make_unique<FakeEncoder>(FakeEncoder::Options{.name = "fallback"});
    };
  }
  EncoderPool pool() {
    options_.on_warning = [this](const std::string& line) { warnings_.push_back(line); };
    options_.on_record_done = [this] { ++records_done_; };
    return EncoderPool(std::move(options_));
  }
  static EncodeOutcome encode(EncoderPool& pool, FakeSector& sector, std::stop_token stop = {}) {
    return pool.encode_records(sector.sector_id, sector.records, sector.found_proofs,
                               std::move(stop));
  }

  const unsigned seed_ = std::random_device{}();
  testing::ScopedTrace trace_{__FILE__, __LINE__, "seed " + std::to_string(seed_)};
  EncoderPool::Options options_;
  std::vector<std::string> warnings_;
  std::atomic<int> records_done_ = 0;
  int fallbacks_made_ = 0;
};

TEST_F(PoolTest, UnequalEncodersShareASector) {
  std::atomic<int> slow = 0;
  std::atomic<int> quick = 0;
  test::Moment quick_has_most;
  add({.name = "slow", .batch = 1, .before_batch = [&](const Claim&) {
         ++slow;
         quick_has_most.wait();
       }});
  add({.name = "quick", .batch = 3, .before_batch = [&](const Claim& claim) {
         quick += static_cast<int>(claim.pending().size());
         if (quick > 20) {
           quick_has_most.has_come();
         }
       }});
  EncoderPool both = pool();
  EXPECT_EQ(both.name(), "slow + quick");
  FakeSector sector(40, seed_);
  EXPECT_EQ(encode(both, sector), EncodeOutcome::kComplete);
  EXPECT_TRUE(sector.is_encoded());
  EXPECT_EQ(slow + quick, 40);
  EXPECT_GT(quick, slow);
  EXPECT_EQ(records_done_, 40);
  EXPECT_TRUE(warnings_.empty());

  FakeSector empty(0, seed_);
  EXPECT_EQ(encode(both, empty), EncodeOutcome::kComplete);
}

TEST_F(PoolTest, OneThatWasFinishedTakesTheRecordsOfOneThatIsLost) {
  std::latch lost_has_claimed(1);
  std::binary_semaphore other_returned(0);
  add({.name = "cuda 0 (first)",
       .batch = 3,
       .before_batch =
           [&](const Claim& claim) {
             EXPECT_EQ(claim.pending().size(), 3U);
             lost_has_claimed.count_down();
             other_returned.acquire();  // it has nothing to claim, and leaves
             throw DeviceLost("cuda 0 (first)", "unplugged");
           },
       .transfer_time = std::chrono::seconds(3)});
  add({.name = "cuda 1 (second)",
       .before_batch = [&](const Claim&) { lost_has_claimed.wait(); },
       .on_return = [&] { other_returned.release(); },
       .transfer_time = std::chrono::seconds(4)});
  with_fallback();
  EncoderPool both = pool();
  FakeSector sector(7, seed_);
  EXPECT_EQ(both.transfer_time().count(), 0.0);
  EXPECT_EQ(encode(both, sector), EncodeOutcome::kComplete);
  EXPECT_TRUE(sector.is_encoded());
  EXPECT_EQ(both.transfer_time().count(), 7.0) << "what the lost one took stays taken";
  EXPECT_EQ(both.encoders()[0].transfer_time.count(), 3.0);
  EXPECT_EQ(warnings_,
            std::vector<std::string>{"cuda 0 (first) is lost and used no more: unplugged"});
  EXPECT_EQ(both.name(), "cuda 1 (second)");
  EXPECT_EQ(fallbacks_made_, 0);

  FakeSector next(3, seed_ + 1);
  EXPECT_EQ(encode(both, next), EncodeOutcome::kComplete);
  EXPECT_TRUE(next.is_encoded());
  EXPECT_EQ(warnings_.size(), 1U) << "the lost one is not asked again";
}

TEST_F(PoolTest, WhenAllAreLostTheFallbackTakesOverForGood) {
  int batches = 0;
  add({.name = "dies later", .before_batch = [&](const Claim&) {
         if (++batches == 3) {
           throw DeviceLost("dies later", "too hot");
         }
       }});
  with_fallback();
  EncoderPool one = pool();
  FakeSector sector(9, seed_);
  EXPECT_EQ(encode(one, sector), EncodeOutcome::kComplete);
  EXPECT_TRUE(sector.is_encoded());
  FakeSector next(2, seed_ + 1);
  EXPECT_EQ(encode(one, next), EncodeOutcome::kComplete);
  EXPECT_TRUE(next.is_encoded());
  EXPECT_EQ(warnings_,
            (std::vector<std::string>{"dies later is lost and used no more: too hot",
                                      "no device is left; fallback encodes from here on"}));
  EXPECT_EQ(fallbacks_made_, 1);
  EXPECT_EQ(one.name(), "fallback");
  EXPECT_EQ(records_done_, 11);
}

TEST_F(PoolTest, WithoutAFallbackTheLastLossIsAnError) {
  EXPECT_THROW(EncoderPool({}), InvalidArgument);
  add({.before_batch = [](const Claim&) { throw DeviceLost("fake", "gone"); }});
  EncoderPool one = pool();
  FakeSector sector(2, seed_);
  EXPECT_THROW(encode(one, sector), DeviceLost);
}

TEST_F(PoolTest, ARecordThatOneCannotEncodeIsLeftToTheOthers) {
  std::latch has_failed(1);
  add({.name = "finds it", .batch = 1, .before_batch = [&](const Claim& claim) {
         if (claim.pending().front().value() >= 2) {
           has_failed.count_down();
           throw TooFewProofs(claim.pending().front(), 17);
         }
       }});
  add({.name = "other", .batch = 1, .before_batch = [&](const Claim& claim) {
         if (claim.pending().front().value() >= 4) {
           has_failed.wait();
         }
       }});
  EncoderPool both = pool();
  FakeSector sector(20, seed_);
  EXPECT_EQ(encode(both, sector), EncodeOutcome::kComplete);
  EXPECT_TRUE(sector.is_encoded());
  EXPECT_EQ(warnings_.size(), 1U);
  EXPECT_EQ(both.name(), "finds it + other") << "once is no reason to do without it";
}

TEST_F(PoolTest, ARecordThatNobodyCanEncodeEndsTheJob) {
  for (const char* name : {"one", "two"}) {
    add({.name = name, .batch = 1, .before_batch = [](const Claim& claim) {
           if (claim.pending().front().value() >= 2) {
             throw TooFewProofs(claim.pending().front(), 17);
           }
         }});
  }
  with_fallback();
  EncoderPool both = pool();
  FakeSector sector(20, seed_);
  EXPECT_THROW(encode(both, sector), TooFewProofs);
  EXPECT_EQ(records_done_, 2);
  EXPECT_EQ(warnings_.size(), 2U);
  EXPECT_EQ(fallbacks_made_, 0);
}

TEST_F(PoolTest, WhatIsNoErrorOfOursIsMadeOne) {
  add({.name = "theirs", .before_batch = [](const Claim&) { throw 7; }});
  EncoderPool one = pool();
  FakeSector sector(2, seed_);
  try {
    encode(one, sector);
    FAIL() << "nothing was encoded";
  } catch (const ForeignError& error) {
    EXPECT_STREQ(error.what(), "encoder theirs failed: an exception of an unknown type");
  }
}

TEST_F(PoolTest, AnEncoderThatFailsWithOneSectorAfterAnotherIsRetired) {
  bool fails = true;
  add({.name = "moody", .before_batch = [&](const Claim&) {
         if (fails) {
           throw EncoderError("bad mood");
         }
       }});
  with_fallback();
  EncoderPool one = pool();
  std::uint64_t seed = seed_;
  const auto fail = [&] {
    FakeSector sector(2, ++seed);
    EXPECT_THROW(encode(one, sector), EncoderError);
    EXPECT_THROW(encode(one, sector), EncoderError) << "one sector counts once";
  };
  fail();
  fail();
  fails = false;
  FakeSector good(2, ++seed);
  EXPECT_EQ(encode(one, good), EncodeOutcome::kComplete);
  fails = true;
  fail();
  fail();
  EXPECT_EQ(one.name(), "moody") << "a success starts the count anew";
  FakeSector last(2, ++seed);
  EXPECT_EQ(encode(one, last), EncodeOutcome::kComplete) << "the fallback takes it over at once";
  EXPECT_EQ(one.name(), "fallback");
}

/// Breaks the contract: it keeps what it has claimed.
class Leaks final : public RecordsEncoder {
 public:
  EncodeOutcome encode(EncodingJob& job, std::stop_token) override {
    static_cast<void>(job.claim(9));
    return EncodeOutcome::kComplete;
  }
  [[nodiscard]] std::string name() const override { return "leaks"; }
};

TEST_F(PoolTest, RecordsThatNobodyGivesBackAreAnErrorAndNotWaitedFor) {
  options_.encoders.push_back(std::make_unique<Leaks>());
  EncoderPool one = pool();
  FakeSector sector(3, seed_);
  EXPECT_THROW(encode(one, sector), EncoderError);
}

TEST_F(PoolTest, AWrongEncoderIsQuarantinedAndTheSectorFails) {
  auto wrong = std::make_unique<FakeEncoder>(FakeEncoder::Options{
      .name = "cuda 0 (wrong)", .after_record = [](PieceOffset, Record& record, FoundProofs&) {
        record[100].bytes[5] ^= 1;
      }});
  options_.encoders.push_back(std::make_unique<VerifiedEncoder>(
      std::move(wrong),
      VerifiedEncoder::Options{.records_per_sector = 1, .seed = 1, .reference = fake_encode_one}));
  with_fallback();
  EncoderPool one = pool();
  FakeSector sector(6, seed_);
  const FakeSector source = sector;
  EXPECT_THROW(encode(one, sector), WrongEncoding);
  ASSERT_EQ(warnings_.size(), 1U);
  EXPECT_NE(warnings_[0].find("cuda 0 (wrong) is quarantined"), std::string::npos) << warnings_[0];

  sector = source;
  EXPECT_EQ(encode(one, sector), EncodeOutcome::kComplete);
  EXPECT_TRUE(sector.is_encoded());
  EXPECT_EQ(one.name(), "fallback");
}

TEST_F(PoolTest, OneThatTakesSeveralCallsWorksOnThemAtTheSameTime) {
  std::latch both_are_inside(2);
  add({.batch = 100,
       .before_batch = [&](const Claim&) { both_are_inside.arrive_and_wait(); },
       .calls_at_once = 2});
  EncoderPool one = pool();
  FakeSector a(3, seed_);
  FakeSector b(3, seed_ + 1);
  {
    const std::jthread other([&] { EXPECT_EQ(encode(one, b), EncodeOutcome::kComplete); });
    EXPECT_EQ(encode(one, a), EncodeOutcome::kComplete);
  }
  EXPECT_TRUE(a.is_encoded());
  EXPECT_TRUE(b.is_encoded());
  EXPECT_EQ(one.encoders()[0].records_done, 6U);
  EXPECT_EQ(one.encoders()[0].state, EncoderStatus::State::kIdle);
}

// What one call loses, another may still be in the middle of.
TEST_F(PoolTest, OneThatIsLostIsDestroyedWhenTheLastCallIsOut) {
  FakeSector lost(2, seed_);
  FakeSector other(2, seed_ + 1);
  test::Moment other_is_inside;
  test::Moment is_lost;
  std::atomic<bool> is_in_use = false;
  std::atomic<bool> was_destroyed_in_use = false;
  add({.name = "shared",
       .batch = 100,
       .before_batch_of =
           [&](const SectorId& id) {
             if (id == lost.sector_id) {
               other_is_inside.wait();
               throw DeviceLost("shared", "as ordered");
             }
             is_in_use = true;
             other_is_inside.has_come();
             is_lost.wait();
             is_in_use = false;
           },
       .calls_at_once = 2,
       .on_destroy = [&] { was_destroyed_in_use = is_in_use.load(); }});
  with_fallback();
  EncoderPool both = pool();
  {
    const std::jthread call([&] { EXPECT_EQ(encode(both, other), EncodeOutcome::kComplete); });
    EXPECT_EQ(encode(both, lost), EncodeOutcome::kComplete);  // by the fallback
    is_lost.has_come();
  }
  EXPECT_TRUE(lost.is_encoded());
  EXPECT_TRUE(other.is_encoded());
  EXPECT_FALSE(was_destroyed_in_use);
  EXPECT_EQ(both.encoders()[0].state, EncoderStatus::State::kLost);
}

TEST_F(PoolTest, AnObserverThatThrowsEndsNothing) {
  add({.name = "dies",
       .before_batch = [](const Claim&) { throw DeviceLost("dies", "unplugged"); }});
  with_fallback();
  options_.on_warning = [](const std::string&) { throw Error(ErrorKind::kIo, "no terminal"); };
  options_.on_record_done = [] { throw 7; };
  EncoderPool pool(std::move(options_));
  FakeSector sector(5, seed_);
  EXPECT_EQ(encode(pool, sector), EncodeOutcome::kComplete);
  EXPECT_TRUE(sector.is_encoded());
}

TEST_F(PoolTest, AStopRequestReachesAll) {
  std::stop_source stop;
  for (const char* name : {"one", "two"}) {
    add({.name = name, .batch = 1, .before_batch = [&](const Claim& claim) {
           if (claim.pending().front() == PieceOffset(4)) {
             stop.request_stop();
           }
         }});
  }
  EncoderPool both = pool();
  FakeSector sector(200, seed_);
  EXPECT_EQ(encode(both, sector, stop.get_token()), EncodeOutcome::kCancelled);
  EXPECT_LT(records_done_, 200);
  EXPECT_EQ(encode(both, sector, stop.get_token()), EncodeOutcome::kCancelled);
}

TEST_F(PoolTest, AClosedGateHoldsBackClaimsAndLetsFailuresThrough) {
  Gate gate;
  options_.gate = &gate;
  std::atomic<int> batches = 0;
  add({.name = "paused", .batch = 1, .before_batch = [&](const Claim&) {
         if (++batches == 2) {
           gate.close();
         }
       }});
  EncoderPool one = pool();
  FakeSector sector(5, seed_);
  std::jthread worker([&] { EXPECT_EQ(encode(one, sector), EncodeOutcome::kComplete); });
  while (records_done_ < 2) {
    std::this_thread::yield();
  }
  EXPECT_EQ(batches, 2) << "the gate was closed before the third claim";
  gate.open();
  worker.join();
  EXPECT_TRUE(sector.is_encoded());
  EXPECT_EQ(records_done_, 5);
}

TEST_F(PoolTest, AFailureIsNotHeldUpByAClosedGate) {
  Gate gate;
  options_.gate = &gate;
  std::latch both_claimed(2);
  add({.name = "fails", .batch = 1, .before_batch = [&](const Claim&) {
         both_claimed.arrive_and_wait();
         gate.close();
         throw std::runtime_error("off by one");
       }});
  add({.name = "waits", .batch = 1, .before_batch = [&](const Claim&) {
         both_claimed.arrive_and_wait();
         while (gate.is_open()) {
           std::this_thread::yield();
         }
       }});
  EncoderPool both = pool();
  FakeSector sector(5, seed_);
  EXPECT_THROW(encode(both, sector), ForeignError);
}

TEST_F(PoolTest, ManyRandomLossesNeverLoseARecord) {
  std::mt19937 random(seed_);
  for (int round = 0; round < 20; ++round) {
    options_ = {};
    warnings_.clear();
    for (int i = 0; i < 3; ++i) {
      auto left = std::make_shared<unsigned>(random() % 8);
      const std::string name = "cuda " + std::to_string(i);
      add({.name = name, .batch = 1 + random() % 3, .before_batch = [left, name](const Claim&) {
             if ((*left)-- == 0) {
               throw DeviceLost(name, "random");
             }
           }});
    }
    with_fallback();
    EncoderPool three = pool();
    FakeSector sector(1 + random() % 24, random());
    ASSERT_EQ(encode(three, sector), EncodeOutcome::kComplete) << "round " << round;
    ASSERT_TRUE(sector.is_encoded()) << "round " << round;
  }
}

TEST_F(PoolTest, WhatIsLeftUnverifiedDoesNotCount) {
  std::stop_source stop;
  std::latch other_has_claimed(1);
  std::latch given_up(2);  // on the thread that compares, and once more at the end
  options_.encoders.push_back(std::make_unique<VerifiedEncoder>(
      std::make_unique<FakeEncoder>(
          FakeEncoder::Options{.name = "verified",
                               .batch = 1,
                               .before_batch = [&](const Claim&) { other_has_claimed.wait(); }}),
      VerifiedEncoder::Options{.records_per_sector = 2,
                               .reference = [&](Network, const SectorId&, PieceOffset, Record&,
                                                FoundProofs&, const MayGoOn& may_go_on) {
                                 stop.request_stop();
                                 while (may_go_on()) {
                                   std::this_thread::yield();
                                 }
                                 given_up.count_down();
                                 return EncodeOutcome::kCancelled;
                               }}));
  add({.name = "does the last one", .batch = 1, .before_batch = [&](const Claim&) {
         other_has_claimed.count_down();
         given_up.wait();
       }});
  EncoderPool both = pool();
  FakeSector sector(2, seed_);
  EXPECT_EQ(encode(both, sector, stop.get_token()), EncodeOutcome::kCancelled);
  EXPECT_TRUE(sector.is_encoded()) << "all is done, but nobody knows whether it is right";
}

}  // namespace
}  // namespace furrow
