// Download of a sector: duplicates, reconstruction, retries, cancellation (docs/spec/03,
// section 6.1).
#include <algorithm>
#include <map>
#include <mutex>
#include <set>

#include <gtest/gtest.h>

#include "host/crypto/blake3.hpp"
#include "host/plotting/plotting.hpp"
#include "host/primitives/sector_id.hpp"

namespace furrow {
namespace {

using namespace std::chrono_literals;

PiecePtr made_up_piece(PieceIndex index) {
  auto piece = std::make_unique<Piece>();
  piece->header.local_segment_index = index.value();
  for (std::size_t i = 0; i < kNumChunks; ++i) {
    piece->record[i].bytes.fill(static_cast<std::uint8_t>(index.value() + i % 251));
  }
  return piece;
}

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

PiecePtr no_recovery(PieceIndex index, const std::stop_token&) {
  throw Error(ErrorKind::kUnavailable, "piece " + std::to_string(index.value()) + " is gone");
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
    ASSERT_EQ(sector.raw_sector.metadata[p].piece_header, expected->header);
    ASSERT_EQ(sector.raw_sector.metadata[p].piece_checksum, blake3(bytes_of(*expected)));
  }
}

constexpr RetryDelays kFast{.first = 1ms, .longest = 4ms};

TEST(DownloadSector, EachDistinctPieceIsAskedForOnceAndFillsAllItsOffsets) {
  ScriptedGetter getter;
  getter.script = answer_all;
  const auto sector = download_sector(plan_with_duplicates(),
                                      {.piece_getter = getter, .recover_piece = no_recovery}, {});
  ASSERT_TRUE(sector.has_value());
  expect_complete(*sector);
  ASSERT_EQ(getter.requests.size(), 1U);
  const std::set<PieceIndex> distinct(sector->piece_indexes.begin(), sector->piece_indexes.end());
  EXPECT_LT(distinct.size(), sector->piece_indexes.size());
  EXPECT_TRUE(std::ranges::equal(getter.requests[0], distinct));
}

TEST(DownloadSector, MissingAndFailedPiecesAreRebuilt) {
  ScriptedGetter getter;
  getter.script = [](std::size_t, std::span<const PieceIndex> indices,
                     const PieceGetter::Sink& sink) {
    for (std::size_t i = 0; i < indices.size(); ++i) {
      if (i % 3 == 0) {
        sink(indices[i], PieceAnswer::not_found());
      } else if (i % 3 == 1) {
        sink(indices[i], PieceAnswer::failed(std::make_exception_ptr(MalformedData("damaged"))));
      } else {
        sink(indices[i], PieceAnswer::found(made_up_piece(indices[i])));
      }
    }
  };
  std::atomic<int> at_work = 0;
  std::map<PieceIndex, bool> failures;  // piece to "had an error"
  const auto sector = download_sector(small_plan(),
                                      {.piece_getter = getter,
                                       .recover_piece =
                                           [&](PieceIndex index, const std::stop_token&) {
                                             EXPECT_EQ(++at_work, 1)
                                                 << "reconstructions run one at a time";
                                             PiecePtr piece = made_up_piece(index);
                                             --at_work;
                                             return piece;
                                           },
                                       .on_piece_failed =
                                           [&](PieceIndex index, const std::exception_ptr& error) {
                                             failures[index] = error != nullptr;
                                           }},
                                      {});
  ASSERT_TRUE(sector.has_value());
  expect_complete(*sector);
  EXPECT_EQ(std::ranges::count_if(failures, [](const auto& f) { return f.second; }), 3);
  EXPECT_EQ(failures.size(), 6U);
}

TEST(DownloadSector, AFailedAttemptKeepsWhatArrived) {
  ScriptedGetter getter;
  getter.script = [](std::size_t attempt, std::span<const PieceIndex> indices,
                     const PieceGetter::Sink& sink) {
    if (attempt == 2) {
      throw Error(ErrorKind::kUnavailable, "the source is away");
    }
    for (std::size_t i = 0; i < indices.size(); ++i) {
      const bool gives = attempt > 2 || i < 5;
      sink(indices[i],
           gives ? PieceAnswer::found(made_up_piece(indices[i])) : PieceAnswer::not_found());
    }
  };
  std::vector<std::string> failures;
  std::vector<std::chrono::milliseconds> delays;
  const auto sector =
      download_sector(small_plan(),
                      {.piece_getter = getter,
                       .recover_piece = no_recovery,
                       .retry_delays = kFast,
                       .on_failed_attempt =
                           [&](const Error& error, std::chrono::milliseconds delay) {
                             failures.emplace_back(error.what());
                             delays.push_back(delay);
                           }},
                      {});
  ASSERT_TRUE(sector.has_value());
  expect_complete(*sector);
  ASSERT_EQ(getter.requests.size(), 3U);
  EXPECT_EQ(getter.requests[1].size(), getter.requests[0].size() - 5);
  EXPECT_EQ(getter.requests[2], getter.requests[1]);
  ASSERT_EQ(failures.size(), 2U);
  EXPECT_NE(failures[0].find("cannot recover missing piece"), std::string::npos) << failures[0];
  EXPECT_NE(failures[1].find("the source is away"), std::string::npos) << failures[1];
  EXPECT_EQ(delays, (std::vector<std::chrono::milliseconds>{1ms, 2ms})) << "delays double";
}

TEST(DownloadSector, UnansweredPiecesFailTheAttempt) {
  ScriptedGetter getter;
  getter.script = [](std::size_t attempt, std::span<const PieceIndex> indices,
                     const PieceGetter::Sink& sink) {
    if (attempt > 1) {
      answer_all(attempt, indices, sink);
    }
  };
  std::string failure;
  const auto sector = download_sector(
      small_plan(),
      {.piece_getter = getter,
       .recover_piece = no_recovery,
       .retry_delays = kFast,
       .on_failed_attempt = [&](const Error& error, auto) { failure = error.what(); }},
      {});
  ASSERT_TRUE(sector.has_value());
  EXPECT_NE(failure.find("neither delivered nor refused"), std::string::npos) << failure;
}

TEST(DownloadSector, ALimitOfAttemptsGivesTheLastError) {
  ScriptedGetter getter;
  getter.script = [](std::size_t, std::span<const PieceIndex> indices,
                     const PieceGetter::Sink& sink) {
    for (const PieceIndex index : indices) {
      sink(index, PieceAnswer::not_found());
    }
  };
  RetryDelays delays = kFast;
  delays.max_attempts = 3;
  EXPECT_THROW(
      download_sector(
          small_plan(),
          {.piece_getter = getter, .recover_piece = no_recovery, .retry_delays = delays}, {}),
      PieceRecoveryFailed);
  EXPECT_EQ(getter.requests.size(), 3U);
}

TEST(DownloadSector, AnObserverThatThrowsEndsNothing) {
  ScriptedGetter getter;
  getter.script = [](std::size_t attempt, std::span<const PieceIndex> indices,
                     const PieceGetter::Sink& sink) {
    if (attempt == 1) {
      throw Error(ErrorKind::kUnavailable, "not yet");
    }
    for (const PieceIndex index : indices) {
      sink(index, PieceAnswer::not_found());
    }
  };
  const DownloadOptions options{
      .piece_getter = getter,
      .recover_piece = [](PieceIndex index,
                          const std::stop_token&) { return made_up_piece(index); },
      .retry_delays = kFast,
      .on_piece_failed = [](PieceIndex, const std::exception_ptr&) { throw 7; },
      .on_failed_attempt = [](const Error&, std::chrono::milliseconds) { throw 7; }};
  const auto sector = download_sector(small_plan(), options, {});
  ASSERT_TRUE(sector.has_value());
  expect_complete(*sector);
}

TEST(DownloadSector, AFailureThatAStopRequestCausedIsNoFailure) {
  ScriptedGetter getter;
  std::stop_source stop;
  getter.script = [](std::size_t, std::span<const PieceIndex> indices,
                     const PieceGetter::Sink& sink) { sink(indices[0], PieceAnswer::not_found()); };
  RetryDelays delays = kFast;
  delays.max_attempts = 1;
  const auto sector = download_sector(
      small_plan(),
      {.piece_getter = getter,
       .recover_piece = [&](PieceIndex index, const std::stop_token& token) -> PiecePtr {
         stop.request_stop();
         return no_recovery(index, token);
       },
       .retry_delays = delays},
      stop.get_token());
  EXPECT_FALSE(sector.has_value());
}

TEST(DownloadSector, AStopRequestCutsTheDelayShort) {
  ScriptedGetter getter;
  std::stop_source stop;
  getter.script = [&](std::size_t, std::span<const PieceIndex>, const PieceGetter::Sink&) {
    throw Error(ErrorKind::kUnavailable, "never");
  };
  const auto sector =
      download_sector(small_plan(),
                      {.piece_getter = getter,
                       .recover_piece = no_recovery,
                       .retry_delays = {.first = 1h, .longest = 1h},
                       .on_failed_attempt = [&](const Error&, auto) { stop.request_stop(); }},
                      stop.get_token());
  EXPECT_FALSE(sector.has_value());
}

}  // namespace
}  // namespace furrow
