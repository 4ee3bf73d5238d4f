// SPDX-License-Identifier: Apache-2.0
// Sectors that encoders fail with: tried again, by others first, once more at the end, given up.
#include <atomic>

#include <gtest/gtest.h>

#include "host/primitives/sector_id.hpp"
#include "tests/unit/plotting/plot_pipeline_fixture.hpp"

namespace furrow {
namespace {

using test::kPieces;
using test::plan_of;
using Events = test::PlotEvents;

constexpr std::size_t kFinished = 5;
constexpr std::size_t kFailed = 6;
constexpr std::size_t kTryingAgain = 7;

SectorId id_of(std::uint16_t index) {
  const SectorPlan plan = plan_of(index);
  return derive_sector_id(Network::kAbundance, plan.public_key_hash, plan.shard_commitments_root,
                          plan.sector_index, plan.protocol_info.history_size);
}

class PlotRetry : public test::PlotPipelineTest {
 protected:
  /// Whether and where the encoder had something to do with the sector.
  [[nodiscard]] std::size_t times(const std::vector<SectorId>& seen, std::uint16_t index) const {
    return static_cast<std::size_t>(std::count(seen.begin(), seen.end(), id_of(index)));
  }
  [[nodiscard]] std::vector<std::uint16_t> indexes_given_up() const {
    std::vector<std::uint16_t> result;
    for (const GivenUpSector& sector : given_up_) {
      result.push_back(sector.sector_index.value());
    }
    return result;
  }
};

TEST_F(PlotRetry, ASectorThatFailsOnceIsMadeAnewAtOnce) {
  sectors_in_memory_ = 1;
  int batches = 0;
  add_encoder({.batch = 1, .before_batch = [&](const Claim& claim) {
                 if (++batches == 4) {  // the second record of sector 1
                   throw TooFewProofs(claim.pending().front(), 17);
                 }
               }});
  EXPECT_EQ(plot(3), PlotOutcome::kFinished);
  expect_written(3);
  EXPECT_TRUE(given_up_.empty());
  EXPECT_EQ(events_[1], (Events{0, 1, 2, kTryingAgain, 0, 1, 2, 3, 4, kFinished}));
  ASSERT_EQ(warnings_.size(), 1U);
  EXPECT_NE(warnings_[0].find("fake could not encode a sector: record at piece offset 1"),
            std::string::npos)
      << warnings_[0];
}

TEST_F(PlotRetry, ASectorThatFailsAgainWaitsForTheEnd) {
  sectors_in_memory_ = 1;
  int failures = 0;
  std::vector<SectorId> seen;
  add_encoder({.batch = kPieces, .before_batch_of = [&](const SectorId& id) {
                 seen.push_back(id);
                 if (id == id_of(1) && ++failures <= 2) {
                   throw EncoderError("not today");
                 }
               }});
  EXPECT_EQ(plot(4), PlotOutcome::kFinished);
  expect_written(4);
  EXPECT_TRUE(given_up_.empty());
  EXPECT_EQ(seen,
            (std::vector<SectorId>{id_of(0), id_of(1), id_of(1), id_of(2), id_of(3), id_of(1)}));
}

TEST_F(PlotRetry, ASectorThatAlwaysFailsIsGivenUpAndTheOthersArePlotted) {
  // Every kind of exception: what an encoder of somebody else's throws is up to them.
  const std::vector<std::function<void()>> kinds = {
      [] { throw TooFewProofs(PieceOffset(1), 17); }, [] { throw EncoderError("broken"); },
      [] { throw std::runtime_error("broken"); }, [] { throw std::bad_alloc(); }, [] { throw 7; }};
  for (const auto& fail : kinds) {
    written_.clear();
    events_.clear();
    std::atomic<int> attempts = 0;
    add_encoder({.batch = kPieces, .before_batch_of = [&](const SectorId& id) {
                   if (id == id_of(2)) {
                     ++attempts;
                     fail();
                   }
                 }});
    EXPECT_EQ(plot(6), PlotOutcome::kFinished);
    expect_written(5);
    EXPECT_FALSE(written_.contains(2));
    EXPECT_EQ(attempts, 3);
    ASSERT_EQ(indexes_given_up(), std::vector<std::uint16_t>{2});
    EXPECT_NE(given_up_[0].error.find("records encoder error: "), std::string::npos);
    EXPECT_EQ(events_[2], (Events{0, 1, 2, kTryingAgain, 0, 1, 2, kTryingAgain, 0, 1, 2, kFailed}));
  }
}

TEST_F(PlotRetry, AnotherEncoderTakesOverWithoutNewPieces) {
  sectors_in_memory_ = 1;
  std::atomic<int> refused = 0;
  std::vector<SectorId> other;
  add_encoder({.name = "refuses", .batch = 1, .before_batch_of = [&](const SectorId& id) {
                 if (id == id_of(0)) {
                   ++refused;
                   throw EncoderError("not this one");
                 }
               }});
  add_encoder({.name = "other", .batch = 1, .before_batch_of = [&](const SectorId& id) {
                 while (refused == 0) {
                   std::this_thread::yield();  // so that both have their turn
                 }
                 other.push_back(id);
               }});
  EXPECT_EQ(plot(2), PlotOutcome::kFinished);
  expect_written(2);
  EXPECT_EQ(refused, 1);
  EXPECT_EQ(times(other, 0), std::size_t{kPieces});
  EXPECT_EQ(events_[0], (Events{0, 1, 2, 3, 4, kFinished})) << "downloaded once";
  EXPECT_EQ(warnings_, std::vector<std::string>{"refuses could not encode a sector: not this one"});
}

// After an exception that nobody knows the records are worth nothing, so the pieces are fetched
// again, and then it is the other one that has them, whoever was first.
TEST_F(PlotRetry, TheNextAttemptIsForTheOthersFirst) {
  sectors_in_memory_ = 1;
  std::vector<std::string> order;
  for (const char* name : {"one", "two"}) {
    add_encoder({.name = name, .batch = kPieces, .before_batch = [&order, name](const Claim&) {
                   order.emplace_back(name);
                   if (order.size() == 1) {
                     throw std::logic_error("off by one");
                   }
                 }});
  }
  EXPECT_EQ(plot(1), PlotOutcome::kFinished);
  expect_written(1);
  EXPECT_TRUE(given_up_.empty());
  ASSERT_EQ(order.size(), 2U);
  EXPECT_NE(order[0], order[1]);
}

TEST_F(PlotRetry, TheRunEndsWhenNoEncoderWorks) {
  sectors_in_memory_ = 1;
  add_encoder({.name = "first", .batch = 1, .before_batch = [](const Claim&) {
                 throw EncoderError("no such kernel", {.piece_offset = 1});
               }});
  try {
    plot(1000);
    FAIL() << "nothing was encoded";
  } catch (const RecordsEncoderError& error) {
    EXPECT_EQ(error.fields().sector_index, 2) << "the last one that was tried";
    EXPECT_EQ(error.fields().piece_offset, 1) << "what the encoder knew";
  }
  EXPECT_TRUE(written_.empty());
  EXPECT_EQ(events_.size(), std::size_t{EncoderPool::kMostFailures}) << "not all of the thousand";
  ASSERT_FALSE(warnings_.empty());
  EXPECT_EQ(warnings_.back(),
            "first has failed with 3 sectors one after another and is used no more: "
            "no such kernel");
  ASSERT_EQ(failures_.size(), 1U);
}

TEST_F(PlotRetry, AnEncoderThatOnlyFailsIsReplacedByTheFallback) {
  sectors_in_memory_ = 1;
  add_encoder({.name = "cuda 0", .batch = 1, .before_batch = [](const Claim&) {
                 throw std::runtime_error("no such kernel");
               }});
  encoders_.make_fallback = [] {
    return std::make_unique<FakeEncoder>(FakeEncoder::Options{
        .name = "cpu", .after_record = [](PieceOffset, Record&, FoundProofs& found_proofs) {
          found_proofs.bytes.fill(0x5A);
        }});
  };
  EXPECT_EQ(plot(6), PlotOutcome::kFinished);
  expect_written(6);
  EXPECT_TRUE(given_up_.empty());
  EXPECT_EQ(warnings_.back(), "no device is left; cpu encodes from here on");
}

TEST_F(PlotRetry, AStopIsObeyedBetweenAttempts) {
  std::stop_source stop;
  add_encoder({.batch = kPieces, .before_batch_of = [&](const SectorId& id) {
                 if (id == id_of(1)) {
                   stop.request_stop();
                   throw EncoderError("broken");
                 }
               }});
  EXPECT_EQ(plot(50, stop.get_token()), PlotOutcome::kCancelled);
  EXPECT_TRUE(given_up_.empty()) << "nobody has tried three times";
  EXPECT_TRUE(failures_.empty());
}

}  // namespace
}  // namespace furrow
