// SPDX-License-Identifier: Apache-2.0
// The plotting pipeline: the same bytes as one stage after the other, overlap, bounds, errors,
// stop, pause, lost and wrong encoders.
#include "host/plotting/plot_pipeline.hpp"

#include <atomic>
#include <random>
#include <thread>

#include <gtest/gtest.h>

#include "host/base/foreign_error.hpp"
#include "host/plotting/verified_encoder.hpp"
#include "tests/support/moment.hpp"
#include "tests/support/other_threads.hpp"
#include "tests/unit/plotting/plot_pipeline_fixture.hpp"

namespace furrow {
namespace {

using test::kPieces;
using test::Moment;
using Events = test::PlotEvents;
using PlotPipeline = test::PlotPipelineTest;

TEST_F(PlotPipeline, GivesTheBytesOfTheStagesAndEventsInOrder) {
  EXPECT_EQ(plot(7), PlotOutcome::kFinished);
  expect_written(7);
  for (const auto& [index, events] : events_) {
    EXPECT_EQ(events, (Events{0, 1, 2, 3, 4, 5})) << "sector " << index;
  }
}

TEST_F(PlotPipeline, NoSectorsIsNoWork) {
  EXPECT_EQ(plot(0), PlotOutcome::kFinished);
  EXPECT_TRUE(events_.empty());
}

TEST_F(PlotPipeline, OptionsOfNothingAreRefused) {
  sectors_in_memory_ = 0;
  EXPECT_THROW(plot(1), InvalidArgument);
  sectors_in_memory_ = 1;
  output_buffers_ = 0;
  EXPECT_THROW(plot(1), InvalidArgument);
}

TEST_F(PlotPipeline, OneSectorAtATimeWorksToo) {
  sectors_in_memory_ = 1;
  output_buffers_ = 1;
  EXPECT_EQ(plot(4), PlotOutcome::kFinished);
  expect_written(4);
}

TEST_F(PlotPipeline, WhileASectorIsEncodedTheNextIsDownloadedAndTheOneBeforeIsWritten) {
  Moment second_download;
  Moment third_encoding;
  on_event_ = [&](SectorIndex index, const PlottingEvent& event) {
    if (index == SectorIndex(2) && std::holds_alternative<Downloading>(event)) {
      second_download.has_come();
    }
    if (index == SectorIndex(2) && std::holds_alternative<Encoding>(event)) {
      third_encoding.has_come();
    }
  };
  std::atomic<int> batches = 0;
  add_encoder({.before_batch = [&](const Claim&) {
    if (++batches == 1) {
      second_download.wait();
    }
  }});
  std::atomic<int> writings = 0;
  before_write_ = [&](SectorIndex) {
    if (++writings == 1) {
      third_encoding.wait();
    }
  };
  EXPECT_EQ(plot(4), PlotOutcome::kFinished);
  expect_written(4);
}

TEST_F(PlotPipeline, WhileASectorIsLaidOutTheNextIsEncoded) {
  Moment second_is_encoded;
  add_encoder({.on_return = [&, n = 0]() mutable {
    if (++n == 2) {
      second_is_encoded.has_come();
    }
  }});
  std::atomic<int> layouts = 0;
  before_layout_ = [&](SectorIndex) {
    if (++layouts == 1) {
      second_is_encoded.wait();
    }
  };
  EXPECT_EQ(plot(4), PlotOutcome::kFinished);
  expect_written(4);
}

TEST_F(PlotPipeline, TheTimeOfLayoutsIsNobodyElses) {
  StageClock clock({.layouts = 2}, &gate_, {}, time_.now());
  clock_ = &clock;
  const auto start = clock.totals();
  before_layout_ = [this](SectorIndex) { time_.move(std::chrono::milliseconds(10)); };
  plot(1);
  const StageShares shares = clock.shares_since(start);
  EXPECT_EQ(shares.limit(), "layout");
  EXPECT_NEAR(shares.busy_share(Stage::kLayout), 0.5, 1e-9) << "one of two that there may be";
  EXPECT_EQ(shares.busy_share(Stage::kEncoder), 0.0);
  EXPECT_EQ(shares.busy_share(Stage::kDisk), 0.0);
}

TEST_F(PlotPipeline, ASlowWriterHoldsBackEverybodyElse) {
  sectors_in_memory_ = 2;
  output_buffers_ = 2;
  std::atomic<std::size_t> downloads = 0;
  std::atomic<std::size_t> most = 0;
  std::size_t n_written = 0;
  pieces_.before_batch = [&](const std::stop_token&) { ++downloads; };
  before_write_ = [&](SectorIndex) {
    EXPECT_TRUE(test::other_threads_wait());
    // Everything that was begun is with a worker, in a buffer, or written.
    most = std::max<std::size_t>(most, downloads - n_written);
    ++n_written;
  };
  EXPECT_EQ(plot(12), PlotOutcome::kFinished);
  EXPECT_EQ(most, sectors_in_memory_ + output_buffers_);
  expect_written(12);
}

TEST_F(PlotPipeline, ASinkThatFailsEndsTheRun) {
  before_write_ = [](SectorIndex) { throw IoError("write", "plot.bin", ENOSPC); };
  EXPECT_THROW(plot(20), IoError);
  EXPECT_TRUE(written_.empty());
  EXPECT_EQ(failures_.size(), 1U);
}

// Nothing says that somebody else's sink keeps to our errors.
TEST_F(PlotPipeline, ASinkOrSourceThatThrowsSomethingElseIsATypedError) {
  before_write_ = [](SectorIndex) { throw std::runtime_error("database is locked"); };
  try {
    plot(20);
    FAIL() << "nothing was written";
  } catch (const ForeignError& error) {
    EXPECT_STREQ(error.what(), "the sink of sectors failed: database is locked");
  }
  before_write_ = [](SectorIndex) { throw 7; };
  EXPECT_THROW(plot(20), ForeignError);
  EXPECT_EQ(failures_, (std::vector<std::string>{
                           "the sink of sectors failed: database is locked",
                           "the sink of sectors failed: an exception of an unknown type"}));
  EXPECT_TRUE(written_.empty());

  before_write_ = {};
  before_source_ = [n = 0]() mutable {
    if (++n == 3) {
      throw 7;
    }
  };
  EXPECT_THROW(plot(20), ForeignError);
}

TEST_F(PlotPipeline, ADownloadThatGivesUpEndsTheRun) {
  std::atomic<int> batches = 0;
  pieces_.before_batch = [&](const std::stop_token&) {
    if (++batches == 4) {
      throw Error(ErrorKind::kUnavailable, "connection refused");
    }
  };
  EXPECT_THROW(plot(10), FailedToRetrievePieces);
  EXPECT_GE(failures_.size(), 1U);
}

TEST_F(PlotPipeline, ASourceOfSectorsThatFailsEndsTheRun) {
  EncoderPool::Options encoders;
  encoders.encoders.push_back(std::make_unique<FakeEncoder>(FakeEncoder::Options{}));
  EncoderPool pool(std::move(encoders));
  const PlotPipelineOptions options{.download = {.piece_getter = pieces_}, .encoders = pool};
  EXPECT_THROW(
      plot_sectors(
          []() -> std::optional<SectorPlan> { throw Error(ErrorKind::kInternal, "no plan"); },
          options, [](const PlottedSector&, std::span<const std::uint8_t>) {}, {}),
      Error);
}

// The writer's thread, a worker's, and what is not even an exception of the library.
TEST_F(PlotPipeline, AnObserverThatThrowsEndsNothing) {
  on_event_ = [](SectorIndex index, const PlottingEvent&) {
    if (index == SectorIndex(1)) {
      throw 7;
    }
    throw Error(ErrorKind::kIo, "the terminal is gone");
  };
  EXPECT_EQ(plot(3), PlotOutcome::kFinished);
  expect_written(3);
}

TEST_F(PlotPipeline, AnObserverThatThrowsDoesNotHideAFailure) {
  on_event_ = [](SectorIndex, const PlottingEvent&) { throw 7; };
  before_write_ = [](SectorIndex) { throw Error(ErrorKind::kIo, "disk full"); };
  EXPECT_THROW(plot(3), Error);
  EXPECT_FALSE(failures_.empty());
}

TEST_F(PlotPipeline, AStopRequestIsAnOutcomeAtEachStage) {
  for (std::size_t stage = 0; stage < 6; ++stage) {
    written_.clear();
    events_.clear();
    std::stop_source stop;
    on_event_ = [&](SectorIndex, const PlottingEvent& event) {
      if (event.index() == stage) {
        stop.request_stop();
      }
    };
    EXPECT_EQ(plot(1000, stop.get_token()), PlotOutcome::kCancelled) << "stage " << stage;
    for (const auto& [index, events] : events_) {
      // What is encoded is still written.
      EXPECT_EQ(events.size() >= 4, written_.contains(index)) << "stage " << stage;
    }
    expect_written(static_cast<std::uint16_t>(written_.size()));
  }
  std::stop_source stop;
  stop.request_stop();
  events_.clear();
  EXPECT_EQ(plot(3, stop.get_token()), PlotOutcome::kCancelled);
  EXPECT_TRUE(events_.empty());
}

TEST_F(PlotPipeline, AStopRequestEndsADownloadThatWaits) {
  std::stop_source stop;
  pieces_.before_batch = [&](const std::stop_token& token) {
    stop.request_stop();
    while (!token.stop_requested()) {
      std::this_thread::yield();
    }
  };
  EXPECT_EQ(plot(3, stop.get_token()), PlotOutcome::kCancelled);
  EXPECT_TRUE(failures_.empty());
}

TEST_F(PlotPipeline, AClosedGatePausesAndAnOpenOneGoesOn) {
  gate_.close();
  std::atomic<int> n_events = 0;
  on_event_ = [&](SectorIndex, const PlottingEvent&) { ++n_events; };
  std::atomic<bool> is_over = false;
  std::jthread plotting([&] {
    EXPECT_EQ(plot(5), PlotOutcome::kFinished);
    is_over = true;
  });
  EXPECT_TRUE(test::other_threads_wait());
  EXPECT_FALSE(is_over);
  EXPECT_EQ(n_events, 0);
  time_.move(std::chrono::milliseconds(50));
  gate_.open();
  plotting.join();
  for (const auto& [index, events] : events_) {
    EXPECT_EQ(events, (Events{0, 1, 2, 3, 4, 5})) << "sector " << index;
  }
  expect_written(5);
  EXPECT_EQ(gate_.closed_for(), std::chrono::milliseconds(50));
}

TEST_F(PlotPipeline, AClosedGateDoesNotHoldUpAStop) {
  std::stop_source stop;
  std::atomic<int> writings = 0;
  on_event_ = [&](SectorIndex, const PlottingEvent& event) {
    if (std::holds_alternative<Finished>(event) && ++writings == 2) {
      gate_.close();
      stop.request_stop();
    }
  };
  EXPECT_EQ(plot(1000, stop.get_token()), PlotOutcome::kCancelled);
  expect_written(static_cast<std::uint16_t>(written_.size()));
}

TEST_F(PlotPipeline, ALostEncodersSectorGoesToAnother) {
  std::atomic<int> batches = 0;
  add_encoder({.name = "cuda 0", .batch = 1, .before_batch = [&](const Claim&) {
                 if (++batches == 2) {
                   throw DeviceLost("cuda 0", "unplugged");
                 }
               }});
  add_encoder({.name = "cuda 1", .batch = 1});
  EXPECT_EQ(plot(6), PlotOutcome::kFinished);
  expect_written(6);
  EXPECT_EQ(warnings_, std::vector<std::string>{"cuda 0 is lost and used no more: unplugged"});
}

TEST_F(PlotPipeline, TwoEncodersWorkOnTwoSectors) {
  Moment both;
  std::atomic<int> inside = 0;
  for (const char* name : {"one", "two"}) {
    add_encoder({.name = name, .batch = kPieces, .before_batch = [&](const Claim& claim) {
                   EXPECT_EQ(claim.pending().size(), std::size_t{kPieces})
                       << "a sector is not shared";
                   if (++inside == 2) {
                     both.has_come();
                   }
                   both.wait();
                 }});
  }
  EXPECT_EQ(plot(2), PlotOutcome::kFinished);
  expect_written(2);
}

TEST_F(PlotPipeline, AfterWrongBytesThePiecesAreFetchedAgainAndEncodedByOthers) {
  auto wrong = std::make_unique<FakeEncoder>(FakeEncoder::Options{
      .name = "wrong", .after_record = [](PieceOffset, Record& record, FoundProofs& found_proofs) {
        found_proofs.bytes.fill(0x5A);
        record[100].bytes[5] ^= 1;
      }});
  const EncodeOneRecord reference = [](Network, const SectorId&, PieceOffset offset, Record& record,
                                       FoundProofs& found_proofs, const MayGoOn&) {
    fake_encode(offset, record, found_proofs);
    found_proofs.bytes.fill(0x5A);
    return EncodeOutcome::kComplete;
  };
  encoders_.encoders.push_back(std::make_unique<VerifiedEncoder>(
      std::move(wrong), VerifiedEncoder::Options{.seed = 1, .reference = reference}));
  encoders_.make_fallback = [] {
    return std::make_unique<FakeEncoder>(FakeEncoder::Options{
        .name = "cpu", .after_record = [](PieceOffset, Record&, FoundProofs& found_proofs) {
          found_proofs.bytes.fill(0x5A);
        }});
  };
  sectors_in_memory_ = 1;
  EXPECT_EQ(plot(2), PlotOutcome::kFinished);
  expect_written(2);
  EXPECT_EQ(events_[0], (Events{0, 1, 2, 0, 1, 2, 3, 4, 5}));
  ASSERT_EQ(warnings_.size(), 2U);
  EXPECT_NE(warnings_[0].find("wrong is quarantined: wrong encoding: wrong, sector "),
            std::string::npos)
      << warnings_[0];
  EXPECT_EQ(warnings_[1], "no device is left; cpu encodes from here on");
}

TEST_F(PlotPipeline, RandomStopsAndLossesLoseAndSpoilNothing) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  for (int round = 0; round < 100; ++round) {
    written_.clear();
    events_.clear();
    warnings_.clear();
    sectors_in_memory_ = 1 + random() % 4;
    output_buffers_ = 1 + random() % 2;
    for (int i = 0; i < 2; ++i) {
      auto left = std::make_shared<std::atomic<unsigned>>(1 + random() % 40);
      add_encoder({.batch = 1 + random() % 2, .before_batch = [left](const Claim&) {
                     if (left->fetch_sub(1) == 1) {
                       throw DeviceLost("fake", "random");
                     }
                   }});
    }
    add_encoder({.name = "stays"});
    std::stop_source stop;
    const std::chrono::microseconds delay(random() % 30000);
    std::jthread stopper([&] {
      std::this_thread::sleep_for(delay);
      stop.request_stop();
    });
    const PlotOutcome outcome = plot(8, stop.get_token());
    EXPECT_TRUE(outcome == PlotOutcome::kCancelled || written_.size() == 8);
    EXPECT_TRUE(failures_.empty()) << failures_.front();
    expect_written(static_cast<std::uint16_t>(written_.size()));
  }
}

}  // namespace
}  // namespace furrow
