// SPDX-License-Identifier: Apache-2.0
// What is said when pieces are missing and none arrives.
#include <atomic>
#include <chrono>
#include <ctime>
#include <future>
#include <stop_token>
#include <thread>

#include <gtest/gtest.h>

#include "host/pieces/piece_sources.hpp"
#include "host/pieces/source_errors.hpp"
#include "tests/unit/pieces/sources_fixture.hpp"

namespace furrow {
namespace {

using namespace std::chrono_literals;
using test::get_all;
using test::MadeUpGetter;
using test::named;
using test::Unreliable;
using test::Waits;

TEST(SourcesStall, StallIsReported) {
  std::promise<PieceStall> stalled;
  MadeUpGetter first;
  MadeUpGetter second;
  first.missing = {1, 2};
  // Waits for the alarm: without it the test does not end.
  second.before = [&, n = 0](PieceIndex) mutable {
    if (n++ == 0) {
      const PieceStall stall = stalled.get_future().get();
      EXPECT_EQ(stall.n_missing, 2U);
      EXPECT_EQ(stall.source, "second");
      EXPECT_GE(stall.silent, 20ms);
    }
  };
  PieceSourcesOptions options;
  options.stall_time = 20ms;
  std::atomic<bool> is_reported = false;
  options.on_stall = [&](const PieceStall& stall) {
    if (stall.source == "second" && !is_reported.exchange(true)) {
      stalled.set_value(stall);
    }
  };
  PieceSources sources(named({{"first", &first}, {"second", &second}}), options);
  EXPECT_EQ(get_all(sources, test::indices_up_to(6)).size(), 6U);
  EXPECT_TRUE(is_reported);
}

TEST(SourcesStall, NothingIsWatchedWhenNothingIsMissing) {
  // The watch took a whole core when the sink of the last piece took longer than the stall time.
  MadeUpGetter first;
  PieceSourcesOptions options;
  options.stall_time = 20ms;
  int n_stalls = 0;
  options.on_stall = [&](const PieceStall&) { ++n_stalls; };
  PieceSources sources(named({{"first", &first}}), options);
  std::clock_t taken = 0;
  sources.get_pieces(test::indices_up_to(1),
                     [&](PieceIndex, const PieceAnswer&) {
                       const std::clock_t before = std::clock();
                       std::this_thread::sleep_for(300ms);
                       taken = std::clock() - before;
                     },
                     {});
  EXPECT_LT(taken, CLOCKS_PER_SEC / 10);
  EXPECT_EQ(n_stalls, 0);
}

TEST(SourcesStall, AStallNamesNoSourceThatIsNotAsked) {
  Unreliable only;
  only.is_down = true;
  std::promise<PieceStall> stalled;
  std::atomic<bool> is_told = false;
  PieceSourcesOptions options;
  options.stall_time = 30ms;
  options.backoff = 1h;
  options.max_backoff = 1h;
  options.on_stall = [&](const PieceStall& stall) {
    if (!is_told.exchange(true)) {
      stalled.set_value(stall);
    }
  };
  PieceSources sources(named({{"only", &only}}), options);
  std::stop_source stop;
  std::jthread batch([&] { get_all(sources, test::indices_up_to(2), stop.get_token()); });
  const PieceStall stall = stalled.get_future().get();
  stop.request_stop();
  EXPECT_EQ(stall.source, "");
  EXPECT_EQ(stall.n_missing, 2U);
}

}  // namespace
}  // namespace furrow
