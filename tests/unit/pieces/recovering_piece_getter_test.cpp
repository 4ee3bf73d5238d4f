// SPDX-License-Identifier: Apache-2.0
// Rebuilding behind the seam of a getter: what is asked for, how often, and what is shared.
#include "host/pieces/recovering_piece_getter.hpp"

#include <atomic>
#include <future>
#include <map>
#include <set>
#include <thread>

#include <gtest/gtest.h>

#include "host/pieces/piece_cache.hpp"
#include "host/pieces/source_errors.hpp"
#include "tests/support/made_up_piece.hpp"
#include "tests/support/temp_directory.hpp"
#include "tests/unit/archive/archive_fixture.hpp"

namespace furrow {
namespace {

using std::chrono::milliseconds;
using test::kExampleGlobalIndex;
using test::valid_pieces;

constexpr SegmentIndex kSegment{kExampleGlobalIndex};

PieceIndex at(std::size_t position) {
  return piece_index_at(kSegment, PiecePosition(static_cast<std::uint8_t>(position)));
}

/// The pieces of one segment, without some. Thread-safe.
class OneSegment : public PieceGetter {
 public:
  std::set<unsigned> missing;
  std::set<unsigned> damaged;
  /// Called first for each batch, with its number; what it throws is the batch's answer.
  std::function<void(std::size_t n, std::span<const PieceIndex>)> before;
  std::atomic<std::size_t> n_batches = 0;
  std::atomic<std::size_t> n_given = 0;
  std::atomic<std::size_t> n_refused = 0;

  void get_pieces(std::span<const PieceIndex> indices, const Sink& sink,
                  std::stop_token stop) override {
    const std::size_t n = n_batches++;
    if (before) {
      before(n, indices);
    }
    for (const PieceIndex index : indices) {
      if (stop.stop_requested()) {
        return;
      }
      const unsigned position = position_of(index).value();
      if (missing.contains(position)) {
        ++n_refused;
        sink(index, PieceAnswer::not_found());
      } else if (damaged.contains(position)) {
        ++n_refused;
        sink(index, PieceAnswer::failed(std::make_exception_ptr(MalformedData("damaged"))));
      } else {
        ++n_given;
        sink(index, PieceAnswer::found(std::make_unique<Piece>(valid_pieces()[position])));
      }
    }
  }
};

class Recovering : public testing::Test {
 protected:
  RecoveringPieceGetterOptions options() {
    return {.identity = [](SegmentIndex) { return test::valid_identity(); },
            .retry_delays = {.first = milliseconds(15), .longest = milliseconds(40)},
            .segment_policy = {1, milliseconds(1)},
            .compute = test::kTwoThreads,
            .on_rebuild =
                [this](PieceIndex index, const std::exception_ptr&) {
                  ++n_rebuilt_[position_of(index).value()];
                },
            .on_failed_attempt =
                [this](const std::exception_ptr& error, milliseconds delay) {
                  failures_.push_back(message_of(error));
                  delays_.push_back(delay);
                },
            .pause =
                [this](milliseconds, const std::stop_token&) {
                  if (on_pause_) {
                    on_pause_();
                  }
                }};
  }
  static std::vector<PieceIndex> indices(std::initializer_list<unsigned> positions) {
    std::vector<PieceIndex> result;
    for (const unsigned position : positions) {
      result.push_back(at(position));
    }
    return result;
  }
  static void expect_right(PieceGetter& getter, const std::vector<PieceIndex>& wanted) {
    std::size_t n = 0;
    getter.get_pieces(
        wanted,
        [&](PieceIndex index, const PieceAnswer& answer) {
          ASSERT_NE(answer.piece, nullptr);
          EXPECT_TRUE(test::same_piece(*answer.piece, valid_pieces()[position_of(index).value()]));
          ++n;
        },
        {});
    EXPECT_EQ(n, wanted.size());
  }

  OneSegment source_;
  std::map<unsigned, int> n_rebuilt_;
  std::vector<std::string> failures_;
  std::vector<milliseconds> delays_;
  std::function<void()> on_pause_;
};

TEST_F(Recovering, OneRebuildingServesAllMissingPiecesOfASegment) {
  // Each was rebuilt from 128 others of its own.
  source_.missing = {5, 90, 200};
  source_.damaged = {7, 255};
  RecoveringPieceGetter getter(source_, ErasureCoding(), options());
  expect_right(getter, indices({5, 7, 8, 90, 200, 255, 9}));
  EXPECT_EQ(source_.n_given, 2U + 128);
  EXPECT_EQ(n_rebuilt_.size(), 5U);
  // Nothing known of the segment but what its pieces say.
  RecoveringPieceGetterOptions unknowing = options();
  unknowing.identity = nullptr;
  RecoveringPieceGetter other(source_, ErasureCoding(), unknowing);
  expect_right(other, indices({90, 90}));
}

TEST_F(Recovering, WhatFailedIsAskedForAgainBeforeItsSegmentIs) {
  source_.damaged = {7, 9};
  source_.before = [&](std::size_t n, std::span<const PieceIndex> wanted) {
    if (n == 1) {
      EXPECT_EQ(wanted.size(), 2U);
      source_.damaged.clear();
    }
  };
  RecoveringPieceGetter getter(source_, ErasureCoding(), options());
  expect_right(getter, indices({7, 8, 9}));
  EXPECT_EQ(source_.n_batches, 2U);
  EXPECT_TRUE(n_rebuilt_.empty());
}

TEST_F(Recovering, FoundPiecesArePassedOnBeforeARebuilding) {
  source_.missing = {5};
  std::size_t n_found = 0;
  source_.before = [&](std::size_t n, std::span<const PieceIndex>) {
    EXPECT_EQ(n_found, n == 0 ? 0U : 3U);
  };
  RecoveringPieceGetter getter(source_, ErasureCoding(), options());
  getter.get_pieces(indices({5, 6, 7, 8}), [&](PieceIndex, const PieceAnswer&) { ++n_found; }, {});
  EXPECT_EQ(n_found, 4U);
}

TEST_F(Recovering, BatchesAtTheSameTimeShareARebuilding) {
  source_.missing = {5, 6};
  std::promise<void> second_waits;
  std::atomic<int> n_told = 0;
  RecoveringPieceGetterOptions shared = options();
  shared.on_rebuild = [&](PieceIndex, const auto&) { ++n_told; };
  RecoveringPieceGetter both(source_, ErasureCoding(), shared);
  std::promise<void> first_rebuilds;
  source_.before = [&](std::size_t, std::span<const PieceIndex> wanted) {
    if (wanted.size() == kNumRawRecords) {  // of a rebuilding
      first_rebuilds.set_value();           // throws if there is a second one
      second_waits.get_future().wait();
    }
  };
  std::jthread first([&] { expect_right(both, indices({5})); });
  first_rebuilds.get_future().wait();
  std::jthread second([&] { expect_right(both, indices({6})); });
  while (n_told < 2) {
    std::this_thread::yield();
  }
  // The second has registered what it wants; the first looks when its download is over.
  second_waits.set_value();
  first.join();
  second.join();
}

TEST_F(Recovering, WhatCameBackWhileOthersWereRebuiltIsAskedForBeforeItsSegmentIs) {
  // A server that was back during the third of 40 segments gave 38 times 128 pieces.
  source_.missing = {5, 6};
  source_.before = [&](std::size_t n, std::span<const PieceIndex> wanted) {
    EXPECT_LE(n, 2U);
    if (n == 2) {  // after the two askings of the attempt
      EXPECT_EQ(wanted.size(), 2U);
      source_.missing.clear();
    }
  };
  RecoveringPieceGetter getter(source_, ErasureCoding(), options());
  expect_right(getter, indices({5, 6, 7}));
  EXPECT_EQ(source_.n_given, 3U);
}

TEST_F(Recovering, AfterAPauseOfTheDownloadThePieceIsAskedForAgain) {
  for (unsigned i = 0; i < 256; ++i) {
    source_.missing.insert(i);
  }
  RecoveringPieceGetterOptions with_tries = options();
  with_tries.segment_policy = {3, milliseconds(1)};
  bool has_begun = false;
  source_.before = [&](std::size_t, std::span<const PieceIndex> wanted) {
    if (wanted.size() == kNumRawRecords) {
      has_begun = true;
    } else if (has_begun) {
      source_.missing.clear();
    }
  };
  RecoveringPieceGetter getter(source_, ErasureCoding(), with_tries);
  expect_right(getter, indices({5}));
  EXPECT_EQ(source_.n_given, 1U);
  EXPECT_TRUE(failures_.empty());
}

TEST_F(Recovering, ABatchThatComesDuringTheComputationIsServedByTheSameDownload) {
  source_.missing = {5, 6};
  std::atomic<int> n_told = 0;
  std::atomic<int> n_downloads = 0;
  std::jthread second;
  RecoveringPieceGetterOptions shared = options();
  shared.on_rebuild = [&](PieceIndex, const auto&) { ++n_told; };
  RecoveringPieceGetter* both = nullptr;
  shared.identity = [&](SegmentIndex) {
    // When the pieces that are rebuilt have been chosen.
    if (!second.joinable()) {
      second = std::jthread([&] { expect_right(*both, indices({6})); });
      while (n_told < 2) {
        std::this_thread::yield();
      }
    }
    return test::valid_identity();
  };
  RecoveringPieceGetter getter(source_, ErasureCoding(), shared);
  both = &getter;
  source_.before = [&](std::size_t, std::span<const PieceIndex> wanted) {
    n_downloads += wanted.size() == kNumRawRecords ? 1 : 0;
  };
  expect_right(getter, indices({5}));
  second.join();
  EXPECT_EQ(n_downloads, 1);
}

TEST_F(Recovering, WhenNothingMayChangeTheAttemptIsTheLast) {
  // With a server that was given up and a store that lacks a segment, attempts went on for ever.
  for (unsigned i = 0; i < 200; ++i) {
    source_.missing.insert(i);
  }
  bool may_change = true;
  RecoveringPieceGetterOptions until_then = options();
  until_then.segment_policy = {4, std::chrono::hours(1)};
  until_then.may_change = [&] { return may_change; };
  source_.before = [&](std::size_t, auto) { may_change = false; };
  RecoveringPieceGetter getter(source_, ErasureCoding(), until_then);
  bool is_failed = false;
  getter.get_pieces(
      indices({5}),
      [&](PieceIndex, const PieceAnswer& answer) { is_failed = answer.error != nullptr; }, {});
  EXPECT_TRUE(is_failed);
  EXPECT_TRUE(failures_.empty());
}

TEST_F(Recovering, RebuiltPiecesAreCachedAndARebuildingEvictsNothing) {
  source_.missing = {5};
  RecoveringPieceGetter getter(source_, ErasureCoding(), options());
  const test::TempDirectory directory;
  PieceCache cache(directory.path() / "cache", 4 << 20);  // three pieces
  CachingPieceGetter cached(cache, getter, [](PieceIndex, const Piece&) {});
  expect_right(cached, indices({1, 5}));
  expect_right(cached, indices({1, 5}));
  EXPECT_EQ(n_rebuilt_[5], 1) << "drawn by a second sector";
  EXPECT_EQ(cache.counters().evicted, 0U);
  EXPECT_EQ(cache.counters().hits, 2U);
}

TEST_F(Recovering, AttemptsGoOnWithDelaysThatDouble) {
  for (unsigned i = 0; i < 200; ++i) {
    source_.missing.insert(i);
  }
  int n_pauses = 0;
  on_pause_ = [&] {
    if (++n_pauses == 4) {
      source_.missing = {5};
    }
  };
  RecoveringPieceGetter getter(source_, ErasureCoding(), options());
  expect_right(getter, indices({5, 201}));
  EXPECT_EQ(delays_,
            (std::vector{milliseconds(15), milliseconds(30), milliseconds(40), milliseconds(40)}));
  ASSERT_EQ(failures_.size(), 4U);
  EXPECT_NE(failures_[0].find("cannot recover missing piece " + std::to_string(at(5).value())),
            std::string::npos)
      << failures_[0];
  EXPECT_NE(failures_[0].find("128 valid pieces, actual 56"), std::string::npos) << failures_[0];
}

TEST_F(Recovering, TheLastAttemptGivesTheReason) {
  for (unsigned i = 0; i < 200; ++i) {
    source_.missing.insert(i);
  }
  RecoveringPieceGetterOptions once = options();
  once.retry_delays.max_attempts = 1;
  RecoveringPieceGetter getter(source_, ErasureCoding(), once);
  std::map<unsigned, PieceAnswer> answers;
  getter.get_pieces(indices({5, 201}),
                    [&](PieceIndex index, PieceAnswer answer) {
                      answers[position_of(index).value()] = std::move(answer);
                    },
                    {});
  EXPECT_NE(answers.at(201).piece, nullptr);
  ASSERT_NE(answers.at(5).error, nullptr);
  EXPECT_NE(message_of(answers.at(5).error).find("actual 56"), std::string::npos);
  source_.before = [](std::size_t, auto) { throw std::runtime_error("somebody else's"); };
  EXPECT_THROW(getter.get_pieces(indices({5}), [](PieceIndex, const PieceAnswer&) {}, {}),
               std::runtime_error);
}

TEST_F(Recovering, WithoutASourceThereIsNoFurtherAttempt) {
  source_.missing = {5};
  // When asking for the piece, once more, when rebuilding it.
  for (const std::size_t last : {0U, 1U, 2U, 3U}) {
    source_.n_batches = 0;
    source_.before = [&](std::size_t n, auto) {
      if (n == last) {
        throw NoSourceLeft(ErrorKind::kMismatch, "status 401");
      }
    };
    RecoveringPieceGetter getter(source_, ErasureCoding(), options());
    EXPECT_THROW(getter.get_pieces(indices({5}), [](PieceIndex, const PieceAnswer&) {}, {}),
                 NoSourceLeft);
  }
  EXPECT_TRUE(failures_.empty());
}

TEST_F(Recovering, AStopEndsEachWait) {
  source_.missing = {5};
  RecoveringPieceGetterOptions patient = options();
  patient.pause = nullptr;
  patient.retry_delays.first = std::chrono::hours(1);
  std::stop_source stop;
  patient.on_failed_attempt = [&](const auto&, auto) { stop.request_stop(); };
  RecoveringPieceGetter getter(source_, ErasureCoding(), patient);
  source_.before = [](std::size_t, auto) { throw MalformedData("the line is down"); };
  bool is_answered = false;
  getter.get_pieces(
      indices({5}), [&](PieceIndex, const PieceAnswer&) { is_answered = true; }, stop.get_token());
  // In a rebuilding.
  std::stop_source later;
  source_.before = [&](std::size_t, std::span<const PieceIndex> wanted) {
    if (wanted.size() == kNumRawRecords) {
      later.request_stop();
    }
  };
  getter.get_pieces(
      indices({5}), [&](PieceIndex, const PieceAnswer&) { is_answered = true; }, later.get_token());
  EXPECT_FALSE(is_answered);
}

TEST_F(Recovering, ExceptionOfTheSinkComesOut) {
  RecoveringPieceGetter getter(source_, ErasureCoding(), options());
  EXPECT_THROW(getter.get_pieces(
                   indices({5, 6}),
                   [](PieceIndex, const PieceAnswer&) { throw InvalidArgument("enough"); }, {}),
               InvalidArgument);
  EXPECT_TRUE(failures_.empty());
}

}  // namespace
}  // namespace furrow
