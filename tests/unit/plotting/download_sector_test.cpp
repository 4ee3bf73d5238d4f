// SPDX-License-Identifier: Apache-2.0
// Download of a sector: duplicates, getters that fail in every way, cancellation (docs/spec/03,
// section 6.1). Retries and rebuilding are those of RecoveringPieceGetter.
#include "host/plotting/download_sector.hpp"

#include <algorithm>
#include <atomic>
#include <barrier>
#include <functional>
#include <latch>
#include <mutex>
#include <set>
#include <stdexcept>
#include <thread>

#include <gtest/gtest.h>

#include "host/crypto/blake3.hpp"
#include "host/pieces/source_errors.hpp"
#include "host/primitives/sector_id.hpp"
#include "tests/support/made_up_piece.hpp"
#include "tools/vectors/autonomys_inputs.hpp"

namespace furrow {
namespace {

using namespace std::chrono_literals;
using test::made_up_piece;

/// A source whose behaviour each test decides, and which remembers what it was asked.
class ScriptedGetter final : public PieceGetter {
 public:
  std::function<void(std::size_t attempt, std::span<const PieceIndex>, const Sink&)> script;

  void get_pieces(std::span<const PieceIndex> indices, const Sink& sink, std::stop_token) override {
    requests.emplace_back(indices.begin(), indices.end());
    script(requests.size(), indices, sink);
  }
  std::vector<std::vector<PieceIndex>> requests;
};

void answer_all(std::size_t, std::span<const PieceIndex> indices, const PieceGetter::Sink& sink) {
  for (const PieceIndex index : indices) {
    sink(index, PieceAnswer::found(made_up_piece(index)));
  }
}

/// 300 pieces drawn from 256: some piece is drawn twice for certain.
SectorPlan plan_with_duplicates() {
  SectorPlan plan;
  plan.public_key_hash.bytes.fill(3);
  plan.sector_index = SectorIndex(4);
  plan.protocol_info.history_size = HistorySize::from_count(1);
  plan.pieces_in_sector = 300;
  return plan;
}

SectorPlan small_plan() {
  SectorPlan plan = plan_with_duplicates();
  plan.pieces_in_sector = 8;
  return plan;
}

void expect_complete(const DownloadedSector& sector) {
  for (std::size_t p = 0; p < sector.piece_indexes.size(); ++p) {
    const PiecePtr expected = made_up_piece(sector.piece_indexes[p]);
    ASSERT_EQ(sector.raw_sector.all_records()[p], expected->record) << "offset " << p;
    const RecordMetadata metadata = record_metadata_of(*expected, blake3(bytes_of(*expected)));
    ASSERT_TRUE(std::ranges::equal(sector.raw_sector.metadata_at(p), bytes_of(metadata)));
  }
}

TEST(DownloadSector, EachDistinctPieceIsAskedForOnceAndFillsAllItsOffsets) {
  ScriptedGetter getter;
  getter.script = answer_all;
  const auto sector = download_sector(plan_with_duplicates(), {.piece_getter = getter}, {});
  ASSERT_TRUE(sector.has_value());
  expect_complete(*sector);
  ASSERT_EQ(getter.requests.size(), 1U);
  const std::set<PieceIndex> distinct(sector->piece_indexes.begin(), sector->piece_indexes.end());
  EXPECT_LT(distinct.size(), sector->piece_indexes.size());
  EXPECT_TRUE(std::ranges::equal(getter.requests[0], distinct));
}

/// Downloads with a getter that ends as `script` says, and expects this error.
template <class Expected>
std::string failure_of(
    const std::function<void(std::span<const PieceIndex>, const PieceGetter::Sink&)>& script,
    ErrorKind kind) {
  ScriptedGetter getter;
  getter.script = [&](std::size_t, std::span<const PieceIndex> indices,
                      const PieceGetter::Sink& sink) { script(indices, sink); };
  try {
    download_sector(small_plan(), {.piece_getter = getter}, {});
    ADD_FAILURE() << "no error";
  } catch (const Expected& error) {
    EXPECT_EQ(error.kind(), kind) << error.what();
    return error.what();
  } catch (const std::exception& error) {
    ADD_FAILURE() << "another type: " << error.what();
  } catch (...) {
    ADD_FAILURE() << "an exception without a type";
  }
  return {};
}

TEST(DownloadSector, WhateverAGetterThrowsIsTyped) {
  // Only errors of this project were; others went through the pipeline as they were.
  for (const auto& [script, text] : std::vector<std::pair<std::function<void()>, std::string>>{
           {[] { throw Error(ErrorKind::kUnavailable, "away"); }, "away"},
           {[] { throw std::runtime_error("somebody else's"); }, "somebody else's"},
           {[] { throw 42; }, "an exception of an unknown type"}}) {
    const std::string message = failure_of<FailedToRetrievePieces>(
        [&](auto, const auto&) { script(); },
        text == "away" ? ErrorKind::kUnavailable : ErrorKind::kInternal);
    EXPECT_NE(message.find(text), std::string::npos) << message;
  }
}

TEST(DownloadSector, ThePieceThatIsNotToBeHadIsNamed) {
  PieceIndex refused;
  const auto answer_but_one = [&](const PieceAnswer& instead) {
    return [&, instead](std::span<const PieceIndex> indices, const PieceGetter::Sink& sink) {
      refused = indices[3];
      for (const PieceIndex index : indices) {
        sink(index, index == refused ? instead : PieceAnswer::found(made_up_piece(index)));
      }
    };
  };
  for (const PieceAnswer& instead :
       {PieceAnswer::not_found(),
        PieceAnswer::failed(std::make_exception_ptr(MalformedData("damaged"))),
        PieceAnswer::failed(std::make_exception_ptr(std::string("no exception at all")))}) {
    const ErrorKind kind =
        instead.error == nullptr ? ErrorKind::kUnavailable : kind_of(instead.error);
    const std::string message = failure_of<PieceRecoveryFailed>(answer_but_one(instead), kind);
    EXPECT_NE(message.find("cannot recover missing piece " + std::to_string(refused.value())),
              std::string::npos)
        << message;
  }
}

TEST(DownloadSector, PiecesWithoutAnAnswerAreCounted) {
  const std::string message = failure_of<FailedToRetrievePieces>(
      [](auto indices, const auto& sink) {
        sink(indices[0], PieceAnswer::found(made_up_piece(indices[0])));
      },
      ErrorKind::kUnavailable);
  EXPECT_NE(message.find("7 of 8 pieces were neither delivered nor refused"), std::string::npos)
      << message;
}

TEST(DownloadSector, AStopRequestIsAnOutcomeWhateverTheGetterDoesAboutIt) {
  using Script = std::function<void(std::span<const PieceIndex>, const PieceGetter::Sink&)>;
  const std::vector<Script> scripts = {
      [](auto, const auto&) {}, [](auto, const auto&) { throw std::runtime_error("stopped"); },
      [](auto indices, const auto& sink) { sink(indices[0], PieceAnswer::not_found()); },
      // An answer with neither a piece nor an error, as recovery gave it when it was stopped.
      [](auto indices, const auto& sink) { sink(indices[0], PieceAnswer{}); }};
  for (const Script& script : scripts) {
    ScriptedGetter getter;
    std::stop_source stop;
    getter.script = [&](std::size_t, std::span<const PieceIndex> indices,
                        const PieceGetter::Sink& sink) {
      stop.request_stop();
      script(indices, sink);
    };
    EXPECT_FALSE(
        download_sector(small_plan(), {.piece_getter = getter}, stop.get_token()).has_value());
  }
}

/// Asked for several batches at once.
class BatchesGetter final : public PieceGetter {
 public:
  explicit BatchesGetter(std::ptrdiff_t n_batches) : all_are_there_(n_batches) {}

  void get_pieces(std::span<const PieceIndex> indices, const Sink& sink,
                  std::stop_token stop) override {
    {
      const std::lock_guard lock(mutex_);
      requested.insert(requested.end(), indices.begin(), indices.end());
    }
    all_are_there_.arrive_and_wait();  // for ever, unless they run at the same time
    if (answer) {
      answer(indices, sink, stop);
    } else {
      answer_all(0, indices, sink);
    }
  }

  std::function<void(std::span<const PieceIndex>, const Sink&, const std::stop_token&)> answer;
  std::vector<PieceIndex> requested;

 private:
  std::mutex mutex_;
  std::latch all_are_there_;
};

TEST(DownloadSector, BatchesRunAtTheSameTimeAndShareThePieces) {
  BatchesGetter getter(3);
  const auto sector =
      download_sector(plan_with_duplicates(), {.piece_getter = getter, .batches = 3}, {});
  ASSERT_TRUE(sector.has_value());
  expect_complete(*sector);
  std::ranges::sort(getter.requested);
  const std::set<PieceIndex> distinct(sector->piece_indexes.begin(), sector->piece_indexes.end());
  EXPECT_TRUE(std::ranges::equal(getter.requested, distinct)) << "each once";
}

/// Pieces of Autonomys; that of one index has a chunk that is no number below the modulus.
class AutonomysGetter final : public AutonomysPieceGetter {
 public:
  void get_pieces(std::span<const PieceIndex> indices, const Sink& sink, std::stop_token) override {
    for (const PieceIndex index : indices) {
      auto piece = vectors::made_up_autonomys_piece("scalars", 1, 2, index.value());
      if (index == spoilt) {
        piece->record[9].bytes.fill(0xFF);
      }
      sink(index, AutonomysPieceAnswer::found(std::move(piece)));
    }
  }
  std::optional<PieceIndex> spoilt;
};

TEST(DownloadSector, OfAutonomysHasItsMetadataAndNoChunkThatNobodyCouldEncode) {
  SectorPlan plan = small_plan();
  plan.network = Network::kAutonomys;
  AutonomysGetter getter;
  const auto sector = download_sector(plan, {.piece_getter = getter}, {});
  ASSERT_TRUE(sector.has_value());
  for (std::size_t p = 0; p < plan.pieces_in_sector; ++p) {
    const auto piece =
        vectors::made_up_autonomys_piece("scalars", 1, 2, sector->piece_indexes[p].value());
    const AutonomysRecordMetadata metadata = record_metadata_of(*piece, blake3(bytes_of(*piece)));
    EXPECT_EQ(sector->raw_sector.all_records()[p], piece->record);
    EXPECT_TRUE(std::ranges::equal(sector->raw_sector.metadata_at(p), bytes_of(metadata)));
  }
  getter.spoilt = sector->piece_indexes[3];
  try {
    static_cast<void>(download_sector(plan, {.piece_getter = getter}, {}));
    FAIL();
  } catch (const PieceRecoveryFailed& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kCorrupt);
    EXPECT_NE(std::string(error.what()).find("chunk 9 of its record"), std::string::npos)
        << error.what();
  }
}

TEST(DownloadSector, AGetterOrMemoryOfAnotherNetworkIsRefused) {
  AutonomysGetter getter;
  SectorPlan plan = small_plan();
  EXPECT_THROW(static_cast<void>(download_sector(plan, {.piece_getter = getter}, {})),
               InvalidArgument);
  plan.network = Network::kAutonomys;
  EXPECT_THROW(
      static_cast<void>(download_sector(plan, {.piece_getter = getter}, {},
                                        RawSector(Network::kAbundance, plan.pieces_in_sector))),
      InvalidArgument);
}

TEST(DownloadSector, NoMoreBatchesThanPieces) {
  ScriptedGetter getter;
  getter.script = answer_all;
  SectorPlan plan = small_plan();
  plan.pieces_in_sector = 1;
  const auto sector = download_sector(plan, {.piece_getter = getter, .batches = 100}, {});
  ASSERT_TRUE(sector.has_value());
  expect_complete(*sector);
  EXPECT_EQ(getter.requests.size(), 1U);
}

TEST(DownloadSector, ABatchThatFailsEndsTheOthers) {
  BatchesGetter getter(3);
  std::atomic<unsigned> n_ended = 0;
  getter.answer = [&](std::span<const PieceIndex> indices, const PieceGetter::Sink& sink,
                      const std::stop_token& stop) {
    if (indices[0] == *std::ranges::min_element(getter.requested)) {
      throw MalformedData("the first batch");
    }
    sink(indices[0], PieceAnswer::found(made_up_piece(indices[0])));
    while (!stop.stop_requested()) {
      std::this_thread::sleep_for(1ms);
    }
    ++n_ended;
  };
  try {
    download_sector(small_plan(), {.piece_getter = getter, .batches = 3}, {});
    ADD_FAILURE() << "no error";
  } catch (const FailedToRetrievePieces& error) {
    EXPECT_NE(std::string(error.what()).find("the first batch"), std::string::npos) << error.what();
  }
  EXPECT_EQ(n_ended, 2U);
}

TEST(DownloadSector, TheTailIsThatOfAllBatches) {
  Permits turns(1);
  std::stop_source no_waiting;
  no_waiting.request_stop();
  BatchesGetter getter(2);
  std::barrier both(2);
  std::mutex looking;
  getter.answer = [&](std::span<const PieceIndex> indices, const PieceGetter::Sink& sink,
                      const std::stop_token&) {
    const auto answer = [&](std::size_t i) {
      sink(indices[i], PieceAnswer::found(made_up_piece(indices[i])));
    };
    const auto is_free = [&] {
      const std::lock_guard one_at_a_time(looking);
      return turns.acquire(no_waiting.get_token()).has_value();
    };
    ASSERT_EQ(indices.size(), 4U);
    answer(0);
    answer(1);
    both.arrive_and_wait();
    EXPECT_FALSE(is_free()) << "4 are unanswered";
    both.arrive_and_wait();
    answer(2);
    EXPECT_TRUE(is_free()) << "3 or 2 are";
    answer(3);
  };
  ASSERT_TRUE(download_sector(
      small_plan(), {.piece_getter = getter, .turns = &turns, .tail = 3, .batches = 2}, {}));
}

TEST(DownloadSector, TheTurnIsGivenBackBeforeTheLastPieces) {
  Permits turns(1);
  std::stop_source no_waiting;
  no_waiting.request_stop();
  ScriptedGetter getter;
  std::vector<bool> was_free;
  getter.script = [&](std::size_t, std::span<const PieceIndex> indices,
                      const PieceGetter::Sink& sink) {
    for (const PieceIndex index : indices) {
      was_free.push_back(turns.acquire(no_waiting.get_token()).has_value());
      sink(index, PieceAnswer::found(made_up_piece(index)));
    }
  };
  ASSERT_TRUE(
      download_sector(small_plan(), {.piece_getter = getter, .turns = &turns, .tail = 3}, {}));
  ASSERT_EQ(was_free.size(), 8U);
  EXPECT_FALSE(was_free[4]);
  EXPECT_TRUE(was_free[5]) << "3 are unanswered";
}

}  // namespace
}  // namespace furrow
