// SPDX-License-Identifier: Apache-2.0
// EncodingJob and Claim: every record is handed out once at a time and done once.
#include "furrow/encoding_job.hpp"

#include <atomic>
#include <random>
#include <set>
#include <thread>

#include <gtest/gtest.h>

#include "furrow/records_encoder.hpp"

#include "tests/unit/plotting/fake_encoder.hpp"

namespace furrow {
namespace {

std::vector<std::uint16_t> values(const std::vector<PieceOffset>& offsets) {
  std::vector<std::uint16_t> result;
  for (const PieceOffset offset : offsets) {
    result.push_back(offset.value());
  }
  return result;
}

using Values = std::vector<std::uint16_t>;

TEST(EncodingJob, HandsOutEachRecordOnce) {
  FakeSector sector(5, 1);
  EncodingJob job = sector.job();
  EXPECT_EQ(job.size(), 5U);
  EXPECT_EQ(values(job.claim(2)), (Values{0, 1}));
  EXPECT_EQ(values(job.claim(9)), (Values{2, 3, 4}));
  EXPECT_TRUE(job.claim(1).empty());
  EXPECT_TRUE(job.claim(0).empty());
  for (std::uint16_t i = 0; i < 5; ++i) {
    EXPECT_FALSE(job.all_done());
    job.done(PieceOffset(i));
  }
  EXPECT_TRUE(job.all_done());
  EXPECT_TRUE(job.claim(1).empty());
}

TEST(EncodingJob, WhatIsGivenBackIsHandedOutAgain) {
  FakeSector sector(3, 1);
  EncodingJob job = sector.job();
  ASSERT_EQ(job.claim(3).size(), 3U);
  job.give_back(PieceOffset(1));
  EXPECT_EQ(values(job.claim(3)), (Values{1}));
  job.done(PieceOffset(1));
  EXPECT_THROW(job.give_back(PieceOffset(1)), Error) << "it is done";
  EXPECT_THROW(job.done(PieceOffset(1)), Error) << "it is done already";
  EXPECT_THROW(job.done(PieceOffset(3)), Error) << "there is no such record";
}

TEST(EncodingJob, AnEmptySectorIsDone) {
  FakeSector sector(0, 1);
  EncodingJob job = sector.job();
  EXPECT_TRUE(job.all_done());
  EXPECT_TRUE(job.claim(1).empty());
  EXPECT_FALSE(job.has_unclaimed());
}

TEST(EncodingJob, RefusesBadSpans) {
  FakeSector sector(2, 1);
  sector.found_proofs.pop_back();
  EXPECT_THROW(sector.job(), InvalidArgument);
  std::vector<FoundProofs> bitmaps(65536);
  const std::span<Record> too_many(sector.records.data(), 65536);  // refused before it is touched
  EXPECT_THROW(EncodingJob(sector.sector_id, too_many, bitmaps), InvalidArgument);
}

TEST(EncodingJob, WhatIsGivenBackCanBeClaimedAgain) {
  FakeSector sector(2, 1);
  EncodingJob job = sector.job();
  EXPECT_TRUE(job.has_unclaimed());
  ASSERT_EQ(job.claim(2).size(), 2U);
  EXPECT_FALSE(job.has_unclaimed());
  job.give_back(PieceOffset(0));
  EXPECT_TRUE(job.has_unclaimed());
  ASSERT_EQ(job.claim(2).size(), 1U);
  job.done(PieceOffset(1));
  job.done(PieceOffset(0));
  EXPECT_FALSE(job.has_unclaimed());
  EXPECT_TRUE(job.all_done());
}

TEST(EncodingJob, AClaimGivesBackWhatIsNotDone) {
  FakeSector sector(4, 1);
  EncodingJob job = sector.job();
  try {
    Claim claim(job, 3);
    claim.done(PieceOffset(1));
    Claim moved = std::move(claim);
    EXPECT_TRUE(claim.empty());  // NOLINT(bugprone-use-after-move): that is what is tested
    EXPECT_EQ(moved.pending().size(), 2U);
    throw Error(ErrorKind::kInternal, "leaves in the middle");
  } catch (const Error&) {
    // the claims are gone
  }
  std::vector<std::uint16_t> left = values(job.claim(9));
  std::sort(left.begin(), left.end());
  EXPECT_EQ(left, (Values{0, 2, 3}));
}

TEST(EncodingJob, AWatchSeesItsOwnClaimsAndMayRefuse) {
  FakeSector sector(4, 1);
  EncodingJob job = sector.job();
  Values claimed;
  Values done;
  bool open = true;
  EncodingJob watched =
      job.watched({.may_go_on = [&] { return open; },
                   .on_claimed = [&](PieceOffset offset) { claimed.push_back(offset.value()); },
                   .on_done = [&](PieceOffset offset) { done.push_back(offset.value()); }});
  ASSERT_EQ(job.claim(1).size(), 1U);
  ASSERT_EQ(watched.claim(2).size(), 2U);
  watched.done(PieceOffset(2));
  job.done(PieceOffset(0));
  open = false;
  EXPECT_TRUE(watched.claim(1).empty());
  EXPECT_EQ(claimed, (Values{1, 2}));
  EXPECT_EQ(done, (Values{2}));
}

TEST(EncodingJob, AWatchThatThrowsLeavesNothingClaimed) {
  FakeSector sector(3, 1);
  EncodingJob job = sector.job();
  EncodingJob watched = job.watched({.on_claimed = [](PieceOffset offset) {
    if (offset == PieceOffset(1)) {
      throw std::bad_alloc();
    }
  }});
  EXPECT_THROW(static_cast<void>(watched.claim(2)), std::bad_alloc);
  EXPECT_EQ(job.claim(9).size(), 3U);
}

TEST(EncodingJob, ManyThreadsShareTheRecords) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::vector<Record> records(1);  // nobody looks at the bytes: each record is the same one
  std::vector<FoundProofs> bitmaps(2000);
  EncodingJob job({}, std::span<Record>(records.data(), bitmaps.size()), bitmaps);
  std::vector<std::atomic<int>> times_done(bitmaps.size());
  {
    std::vector<std::jthread> threads;
    for (unsigned t = 0; t < 4; ++t) {
      threads.emplace_back([&, t] {
        std::mt19937 random(seed + t);
        while (!job.all_done()) {
          Claim claim(job, 1 + random() % 7);
          while (!claim.empty() && random() % 8 != 0) {
            const PieceOffset offset = claim.pending().front();
            ++times_done[offset.value()];
            claim.done(offset);
          }
        }
      });
    }
  }
  EXPECT_TRUE(job.all_done());
  for (const std::atomic<int>& times : times_done) {
    EXPECT_EQ(times, 1);
  }
}

/// Leaves after its first batch.
class LazyEncoder final : public RecordsEncoder {
 public:
  EncodeOutcome encode(EncodingJob& job, std::stop_token) override {
    Claim claim(job, 1);
    claim.done(claim.pending().front());
    return EncodeOutcome::kComplete;
  }
  [[nodiscard]] std::string name() const override { return "lazy"; }
};

TEST(RecordsEncoder, ARecordLeftOverIsAnError) {
  FakeSector sector(2, 1);
  LazyEncoder encoder;
  EXPECT_THROW(encoder.encode_records(sector.sector_id, sector.records, sector.found_proofs, {}),
               EncoderError);
}

}  // namespace
}  // namespace furrow
