// PieceSources over sources that lack pieces, fail, and are silent.
#include "host/pieces/piece_sources.hpp"

#include <atomic>
#include <future>

#include <gtest/gtest.h>

#include "host/pieces/source_errors.hpp"
#include "tests/unit/http_fixture.hpp"

namespace furrow {
namespace {

using namespace std::chrono_literals;
using test::get_all;
using test::MadeUpGetter;

/// Lets a test keep a hand on a getter that PieceSources owns.
class Shared : public PieceGetter {
 public:
  explicit Shared(PieceGetter& getter) : getter_(getter) {}
  void get_pieces(std::span<const PieceIndex> indices, const Sink& sink,
                  std::stop_token stop) override {
    getter_.get_pieces(indices, sink, stop);
  }

 private:
  PieceGetter& getter_;
};

/// Fails as a whole while is_down, in one of the two ways.
class Unreliable : public MadeUpGetter {
 public:
  std::atomic<bool> is_down = false;
  bool throws = true;
  int n_calls = 0;
  void get_pieces(std::span<const PieceIndex> indices, const Sink& sink,
                  std::stop_token stop) override {
    ++n_calls;
    if (!is_down) {
      MadeUpGetter::get_pieces(indices, sink, stop);
    } else if (throws) {
      throw InvalidArgument("out of order");
    } else {
      for (const PieceIndex index : indices) {
        sink(index, PieceAnswer::failed(std::make_exception_ptr(HttpConnectionFailed("refused"))));
      }
    }
  }
};

std::vector<PieceSource> named(std::initializer_list<std::pair<const char*, PieceGetter*>> list) {
  std::vector<PieceSource> sources;
  for (const auto& [name, getter] : list) {
    sources.push_back({name, std::make_unique<Shared>(*getter)});
  }
  return sources;
}

TEST(PieceSources, WhatTheFirstLacksTheNextIsAsked) {
  MadeUpGetter first;
  first.missing = {1, 2, 3, 4};
  first.damaged = {5, 6, 7};
  MadeUpGetter second;
  second.missing = {1, 2, 5};
  second.damaged = {3, 6};
  PieceSources sources(named({{"first", &first}, {"second", &second}}));
  const auto answers = get_all(sources, test::indices_up_to(10));
  ASSERT_EQ(answers.size(), 10U);
  for (const std::uint64_t i : {0, 4, 7, 8, 9}) {
    test::expect_found(answers, i);
  }
  EXPECT_TRUE(test::is_not_found(answers.at(1)));
  EXPECT_TRUE(test::is_not_found(answers.at(2)));
  test::expect_failure<AllSourcesFailed>(answers.at(3),
                                         {"piece 3", "first: not there", "second: /"});
  test::expect_failure<AllSourcesFailed>(answers.at(5), {"first: /", "second: not there"});
  test::expect_failure<AllSourcesFailed>(answers.at(6), {"first: /", "second: /"});
  EXPECT_EQ(second.n_asked, 7U);
  const PieceSourceCounters counted = sources.counters(0);
  EXPECT_EQ(counted.asked, 10U);
  EXPECT_EQ(counted.found, 3U);
  EXPECT_EQ(counted.not_found, 4U);
  EXPECT_EQ(counted.failed, 3U);
  EXPECT_EQ(counted.bytes, 3 * kPieceSize);
  EXPECT_EQ(sources.counters(1).found, 2U);
  EXPECT_EQ(sources.name(1), "second");
}

TEST(PieceSources, SourceThatIsDownIsLeftAloneForAWhile) {
  for (const bool throws : {true, false}) {
    Unreliable first;
    first.throws = throws;
    first.is_down = true;
    MadeUpGetter second;
    second.missing = {3};
    auto now = std::make_shared<PieceSourcesOptions::Clock::time_point>();
    PieceSourcesOptions options;
    options.now = [now] { return *now; };
    options.backoff = 10s;
    options.max_backoff = 35s;
    PieceSources sources(named({{"first", &first}, {"second", &second}}), options);
    const auto answers = get_all(sources, test::indices_up_to(4));
    test::expect_found(answers, 2);
    test::expect_failure<AllSourcesFailed>(answers.at(3), {"first: ", "second: not there"});
    EXPECT_EQ(first.n_calls, 1);
    // 10, then 20, then 35 seconds.
    int n_calls = 1;
    for (const auto pause : {10s, 20s, 35s, 35s}) {
      *now += pause - 1s;
      test::expect_found(get_all(sources, {PieceIndex(1)}), 1);
      EXPECT_EQ(first.n_calls, n_calls) << pause.count();
      *now += 1s;
      test::expect_found(get_all(sources, {PieceIndex(1)}), 1);
      EXPECT_EQ(first.n_calls, ++n_calls) << pause.count();
    }
    EXPECT_EQ(sources.counters(0).skipped, 4U);
    first.is_down = false;
    *now += 35s;
    EXPECT_EQ(get_all(sources, {PieceIndex(3)}).at(3).error, nullptr);
    test::expect_found(get_all(sources, {PieceIndex(3)}), 3);
    EXPECT_EQ(first.n_calls, n_calls + 2);
  }
}

TEST(PieceSources, WhenAllAreDownAllAreAsked) {
  Unreliable only;
  only.is_down = true;
  PieceSourcesOptions options;
  options.now = [] { return PieceSourcesOptions::Clock::time_point(); };
  PieceSources sources(named({{"only", &only}}), options);
  test::expect_failure<AllSourcesFailed>(get_all(sources, {PieceIndex(1)}).at(1), {"out of order"});
  only.is_down = false;
  test::expect_found(get_all(sources, {PieceIndex(1)}), 1);
}

TEST(PieceSources, ExceptionOfTheSinkIsNotTheFaultOfASource) {
  MadeUpGetter first;
  MadeUpGetter second;
  PieceSources sources(named({{"first", &first}, {"second", &second}}));
  EXPECT_THROW(
      sources.get_pieces(test::indices_up_to(3),
                         [](PieceIndex, PieceAnswer) { throw InvalidArgument("enough"); }, {}),
      InvalidArgument);
  EXPECT_EQ(second.n_asked, 0U);
  EXPECT_EQ(get_all(sources, test::indices_up_to(3)).size(), 3U);
}

TEST(PieceSources, StopLeavesTheRestUnanswered) {
  MadeUpGetter first;
  first.missing = {0};
  MadeUpGetter second;
  std::stop_source stop;
  first.before = [&](PieceIndex index) {
    if (index.value() == 2) {
      stop.request_stop();
    }
  };
  PieceSources sources(named({{"first", &first}, {"second", &second}}));
  const auto answers = get_all(sources, test::indices_up_to(9), stop.get_token());
  EXPECT_TRUE(answers.contains(1));
  EXPECT_FALSE(answers.contains(0));
  EXPECT_FALSE(answers.contains(5));
  EXPECT_EQ(second.n_asked, 0U);
}

TEST(PieceSources, StallIsReported) {
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

TEST(PieceSources, NeedsASource) {
  EXPECT_THROW(PieceSources({}), InvalidArgument);
}

}  // namespace
}  // namespace furrow
