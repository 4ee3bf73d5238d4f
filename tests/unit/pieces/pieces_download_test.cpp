// SPDX-License-Identifier: Apache-2.0
// Fetching pieces of a segment from sources that have some, fail, or keep one waiting.
#include <chrono>
#include <functional>
#include <thread>

#include <gtest/gtest.h>

#include "host/pieces/segment_download.hpp"
#include "host/pieces/source_errors.hpp"
#include "tests/support/made_up_piece.hpp"
#include "tests/support/moment.hpp"
#include "tests/support/other_threads.hpp"
#include "tests/unit/archive/archive_fixture.hpp"

namespace furrow {
namespace {

using std::chrono::milliseconds;
using test::kExampleGlobalIndex;
using test::valid_pieces;

constexpr SegmentIndex kSegment{kExampleGlobalIndex};

/// Has the valid pieces for which `answer` says so, and keeps a record of the batches.
class ScriptedGetter : public PieceGetter {
 public:
  enum class Reply { kFound, kNotFound, kFailed };
  explicit ScriptedGetter(std::function<Reply(std::size_t batch, unsigned position)> reply)
      : reply_(std::move(reply)) {}

  void get_pieces(std::span<const PieceIndex> indices, const Sink& sink,
                  std::stop_token /*stop*/) override {
    std::vector<unsigned>& batch = batches.emplace_back();
    for (const PieceIndex index : indices) {
      EXPECT_EQ(segment_index_of(index), kSegment);
      const unsigned position = position_of(index).value();
      batch.push_back(position);
      switch (reply_(batches.size() - 1, position)) {
        case Reply::kFound:
          sink(index, PieceAnswer::found(std::make_unique<Piece>(valid_pieces()[position])));
          break;
        case Reply::kNotFound:
          sink(index, PieceAnswer::not_found());
          break;
        case Reply::kFailed:
          sink(index, PieceAnswer::failed(std::make_exception_ptr(MalformedData("damaged"))));
          break;
      }
    }
    if (batches.size() - 1 == failing_batch) {
      throw MalformedData("the line is down");
    }
  }

  std::vector<std::vector<unsigned>> batches;
  std::size_t failing_batch = SIZE_MAX;

 private:
  std::function<Reply(std::size_t, unsigned)> reply_;
};
using Reply = ScriptedGetter::Reply;

constexpr RetryPolicy kFourQuickTries{4, milliseconds(1)};

std::vector<unsigned> range(unsigned first, unsigned last) {
  std::vector<unsigned> positions;
  for (unsigned i = first; i < last; ++i) {
    positions.push_back(i);
  }
  return positions;
}

TEST(SegmentDownload, HealthySourceGivesTheSourcePiecesInOneBatch) {
  ScriptedGetter getter([](std::size_t, unsigned) { return Reply::kFound; });
  const auto pieces = download_segment_pieces(getter, kSegment, {}, kFourQuickTries);
  ASSERT_TRUE(pieces);
  EXPECT_EQ(getter.batches, (std::vector<std::vector<unsigned>>{range(0, 128)}));
  EXPECT_EQ(pieces->n_pieces(), 128U);
  EXPECT_TRUE(test::same_piece(*(*pieces)[127], valid_pieces()[127]));
  EXPECT_EQ((*pieces)[128], nullptr);
}

TEST(SegmentDownload, BatchesShrinkToWhatIsStillWanted) {
  // 40 source pieces are missing, and 10 of the first 40 parity pieces.
  ScriptedGetter getter([](std::size_t, unsigned position) {
    return position < 40                       ? Reply::kNotFound
           : position >= 128 && position < 138 ? Reply::kFailed
                                               : Reply::kFound;
  });
  const auto pieces = download_segment_pieces(getter, kSegment, {}, kFourQuickTries);
  ASSERT_TRUE(pieces);
  EXPECT_EQ(getter.batches,
            (std::vector<std::vector<unsigned>>{range(0, 128), range(128, 168), range(168, 178)}));
  EXPECT_EQ(pieces->n_pieces(), 128U);
}

TEST(SegmentDownload, LaterTriesSkipWhatIsHeld) {
  // The first try finds the even positions below 200, the second one everything.
  std::size_t first_try_batches = 0;
  ScriptedGetter getter([&](std::size_t batch, unsigned position) {
    if (position == 255) {
      first_try_batches = batch + 1;
    }
    return (first_try_batches != 0 && batch >= first_try_batches) ||
                   (position < 200 && position % 2 == 0)
               ? Reply::kFound
               : Reply::kNotFound;
  });
  const auto pieces = download_segment_pieces(getter, kSegment, {}, kFourQuickTries);
  ASSERT_TRUE(pieces);
  std::vector<unsigned> expected;
  for (unsigned i = 1; expected.size() < 28; i += 2) {
    expected.push_back(i);
  }
  EXPECT_EQ(getter.batches.back(), expected);
}

TEST(SegmentDownload, FailingRequestEndsTheTryButKeepsItsPieces) {
  ScriptedGetter getter([](std::size_t, unsigned position) {
    return position < 100 ? Reply::kFound : Reply::kNotFound;
  });
  getter.failing_batch = 0;
  EXPECT_THROW(download_segment_pieces(getter, kSegment, {}, {2, milliseconds(1)}),
               NotEnoughPieces);
  EXPECT_EQ(getter.batches[0], range(0, 128));
  EXPECT_EQ(getter.batches[1], range(100, 128));  // the second try, from position 0 again
}

TEST(SegmentDownload, TriesEndAndTheLastFailureIsNamed) {
  unsigned n_tries = 0;
  ScriptedGetter getter([&](std::size_t, unsigned position) {
    n_tries += position == 0 ? 1 : 0;
    return position < 129 ? Reply::kFailed : Reply::kFound;
  });
  try {
    download_segment_pieces(getter, kSegment, {}, kFourQuickTries);
    FAIL() << "127 pieces were enough";
  } catch (const NotEnoughPieces& error) {
    EXPECT_EQ(error.valid(), 127U);
    EXPECT_NE(std::string(error.what()).find("damaged"), std::string::npos) << error.what();
  }
  EXPECT_EQ(n_tries, 4U);
  EXPECT_THROW(download_segment_pieces(getter, kSegment, {}, {0, milliseconds(1)}),
               InvalidArgument);
}

TEST(SegmentDownload, StopCutsTheWaitShort) {
  test::Moment asked;
  ScriptedGetter getter([&](std::size_t, unsigned) {
    asked.has_come();
    return Reply::kNotFound;
  });
  std::stop_source stop;
  std::jthread stopper([&] {
    asked.wait();
    EXPECT_TRUE(test::other_threads_wait());  // the first try is over
    stop.request_stop();
  });
  const auto start = std::chrono::steady_clock::now();
  EXPECT_FALSE(
      download_segment_pieces(getter, kSegment, stop.get_token(), {2, std::chrono::minutes(10)}));
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(20));
}

TEST(SegmentDownload, StopBeforehandAsksForNothing) {
  ScriptedGetter getter([](std::size_t, unsigned) { return Reply::kFound; });
  std::stop_source stop;
  stop.request_stop();
  EXPECT_FALSE(download_segment_pieces(getter, kSegment, stop.get_token(), kFourQuickTries));
  EXPECT_TRUE(getter.batches.empty());
}

/// Answers with pieces that nobody asked for.
class ChattyGetter : public PieceGetter {
 public:
  void get_pieces(std::span<const PieceIndex> indices, const Sink& sink,
                  std::stop_token /*stop*/) override {
    const PieceIndex first = indices.front();
    for (int i = 0; i < 200; ++i) {
      sink(first, PieceAnswer::found(std::make_unique<Piece>()));
      sink(PieceIndex(first.value() + kNumPieces), PieceAnswer::found(std::make_unique<Piece>()));
    }
  }
};

TEST(SegmentDownload, RepeatedAndForeignAnswersDoNotCount) {
  ChattyGetter getter;
  // One position of each batch is answered, so 128 batches would be needed; a walk has fewer.
  try {
    download_segment_pieces(getter, kSegment, {}, {1, milliseconds(1)});
    FAIL() << "pieces were counted twice";
  } catch (const NotEnoughPieces& error) {
    EXPECT_LT(error.valid(), 128U);
  }
}

TEST(SegmentDownload, WhatFailsIsTold) {
  ScriptedGetter getter([](std::size_t, unsigned position) {
    return position == 5 ? Reply::kNotFound : position == 90 ? Reply::kFailed : Reply::kFound;
  });
  std::vector<PieceIndex> failed;
  const auto sources = download_source_records(
      getter, ErasureCoding(), test::valid_identity(), {}, kFourQuickTries, test::kTwoThreads,
      [&](PieceIndex index, const std::exception_ptr& error) {
        failed.push_back(index);
        EXPECT_EQ(message_of(error), "damaged");
      });
  ASSERT_TRUE(sources);
  for (std::size_t i = 0; i < kNumRawRecords; ++i) {
    EXPECT_EQ((*sources)[i], valid_pieces()[i].record) << i;
  }
  EXPECT_EQ(failed, std::vector{piece_index_at(kSegment, PiecePosition(90))});
}

TEST(SegmentDownload, ExceptionsOfAnyTypeAreFailures) {
  class Foreign : public PieceGetter {
   public:
    void get_pieces(std::span<const PieceIndex>, const Sink&, std::stop_token) override {
      throw 42;
    }
  } getter;
  EXPECT_THROW(download_segment_pieces(getter, kSegment, {}, {2, milliseconds(1)}),
               NotEnoughPieces);
}

TEST(SegmentDownload, ARefusalIsNotTheFaultOfPieces) {
  // Of a store that was removed under `extract`, each piece was said to be damaged.
  class Gone : public PieceGetter {
   public:
    int n_batches = 0;
    void get_pieces(std::span<const PieceIndex> indices, const Sink& sink,
                    std::stop_token) override {
      ++n_batches;
      for (const PieceIndex index : indices) {
        sink(index, PieceAnswer::failed(std::make_exception_ptr(StoreGone("the store is gone"))));
      }
    }
  } getter;
  int n_blamed = 0;
  EXPECT_THROW(download_segment_pieces(getter, kSegment, {}, kFourQuickTries,
                                       [&](PieceIndex, const auto&) { ++n_blamed; }),
               StoreGone);
  EXPECT_EQ(n_blamed, 0);
  EXPECT_EQ(getter.n_batches, 1);
}

TEST(AgreedIdentity, TheMajorityDecides) {
  SegmentSlots slots;
  for (unsigned i = 0; i < 5; ++i) {
    auto piece = std::make_unique<Piece>();
    piece->header.local_segment_index = i < 2 ? 8 : 9;
    piece->header.shard_index = 4;
    slots.set(PiecePosition(static_cast<std::uint8_t>(10 * i)), std::move(piece));
  }
  const SegmentIdentity identity = agreed_identity(slots, kSegment);
  EXPECT_EQ(identity.local_index, LocalSegmentIndex(9));
  EXPECT_EQ(identity.shard, ShardIndex(4));
  EXPECT_EQ(identity.segment, kSegment);
  EXPECT_FALSE(identity.super_segment);
}

}  // namespace
}  // namespace furrow
