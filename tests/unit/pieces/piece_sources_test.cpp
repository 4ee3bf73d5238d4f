// SPDX-License-Identifier: Apache-2.0
// PieceSources over sources that lack pieces, fail, and are silent.
#include "host/pieces/piece_sources.hpp"

#include <atomic>
#include <condition_variable>
#include <ctime>
#include <future>
#include <mutex>
#include <stdexcept>
#include <thread>

#include <gtest/gtest.h>

#include "host/pieces/source_errors.hpp"
#include "tests/unit/pieces/made_up_pieces.hpp"

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

/// Fails as a whole while is_down, in one of two ways.
class Unreliable : public MadeUpGetter {
 public:
  std::atomic<bool> is_down = false;
  bool throws = true;
  std::exception_ptr with = std::make_exception_ptr(HttpConnectionFailed("refused"));
  int n_calls = 0;
  void get_pieces(std::span<const PieceIndex> indices, const Sink& sink,
                  std::stop_token stop) override {
    ++n_calls;
    if (!is_down) {
      MadeUpGetter::get_pieces(indices, sink, stop);
    } else if (throws) {
      throw std::runtime_error("out of order");
    } else {
      for (const PieceIndex index : indices) {
        sink(index, PieceAnswer::failed(with));
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

/// Options with a clock that stands still but for waiting, and that remember what was said.
struct Scene {
  using Clock = PieceSourcesOptions::Clock;
  std::shared_ptr<Clock::time_point> now = std::make_shared<Clock::time_point>(Clock::duration(1h));
  std::vector<std::chrono::milliseconds> waits;
  std::vector<PieceSourceEvent> events;
  std::vector<std::uint64_t> bad;
  int n_reports = 0;
  std::function<void()> on_wait;

  PieceSourcesOptions options() {
    PieceSourcesOptions result;
    result.backoff = 10s;
    result.max_backoff = 35s;
    result.patience = 0s;
    result.now = [now = now] { return *now; };
    result.sleep_until = [this](Clock::time_point until, const std::stop_token&) {
      waits.push_back(std::chrono::ceil<std::chrono::milliseconds>(until - *now));
      *now = std::max(*now, until);
      if (on_wait) {
        on_wait();
      }
    };
    result.on_event = [this](const PieceSourceEvent& event) { events.push_back(event); };
    result.on_bad_answer = [this](const PieceSource&, PieceIndex index, const auto&) {
      bad.push_back(index.value());
    };
    result.on_faults = [this] { ++n_reports; };
    return result;
  }
  [[nodiscard]] std::vector<PieceSourceEvent::Change> changes() const {
    std::vector<PieceSourceEvent::Change> result;
    for (const PieceSourceEvent& event : events) {
      result.push_back(event.change);
    }
    return result;
  }
};
using Change = PieceSourceEvent::Change;
using Waits = std::vector<std::chrono::milliseconds>;

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
    options.patience = 0s;
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
    first.is_down = false;
    *now += 35s;
    EXPECT_EQ(get_all(sources, {PieceIndex(3)}).at(3).error, nullptr);
    test::expect_found(get_all(sources, {PieceIndex(3)}), 3);
    EXPECT_EQ(first.n_calls, n_calls + 2);
  }
}

TEST(PieceSources, AnUnreachableSourceIsWaitedForAndThePieceAskedForAgain) {
  // Each piece was failed at once, and rebuilt from 128 others of the same source.
  for (const bool throws : {true, false}) {
    Scene scene;
    Unreliable only;
    only.throws = throws;
    only.is_down = true;
    scene.on_wait = [&] { only.is_down = scene.waits.size() < 4; };
    PieceSources sources(named({{"only", &only}}), scene.options());
    const auto answers = get_all(sources, test::indices_up_to(5));
    for (std::uint64_t i = 0; i < 5; ++i) {
      test::expect_found(answers, i);
    }
    EXPECT_EQ(scene.waits, (Waits{10s, 20s, 35s, 35s}));
    EXPECT_EQ(only.n_asked, 5U) << "nothing is asked for in vain but by the tries";
    EXPECT_EQ(scene.changes(), (std::vector{Change::kAway, Change::kBack})) << "said once";
    EXPECT_TRUE(scene.bad.empty());
  }
}

TEST(PieceSources, AnotherSourceIsNotKeptWaitingBeyondThePatience) {
  Scene scene;
  Unreliable first;
  first.is_down = true;
  MadeUpGetter second;
  second.missing = {3};
  PieceSourcesOptions options = scene.options();
  options.patience = 25s;
  PieceSources sources(named({{"first", &first}, {"second", &second}}), options);
  const auto answers = get_all(sources, test::indices_up_to(5));
  test::expect_found(answers, 4);
  test::expect_failure<AllSourcesFailed>(answers.at(3), {"first: ", "second: not there"});
  EXPECT_EQ(scene.waits, (Waits{10s, 15s}));
  get_all(sources, {PieceIndex(3)});
  EXPECT_EQ(scene.waits.size(), 2U) << "the patience with it is over";
  EXPECT_EQ(second.n_asked, 5U + 1) << "what has an answer is not asked for again";
}

TEST(PieceSources, ARefusalIsSaidOnceAndASourceThatNeverServedIsGivenUp) {
  Scene scene;
  Unreliable wrong_token;
  wrong_token.throws = false;
  wrong_token.is_down = true;
  wrong_token.with = std::make_exception_ptr(HttpUnauthorized("status 401"));
  MadeUpGetter second;
  PieceSources both(named({{"first", &wrong_token}, {"second", &second}}), scene.options());
  for (int round = 0; round < 5; ++round) {
    EXPECT_EQ(get_all(both, test::indices_up_to(50)).size(), 50U);
    *scene.now += 10min;
  }
  EXPECT_EQ(wrong_token.n_calls, 1);
  EXPECT_EQ(scene.changes(), std::vector{Change::kGivenUp});
  EXPECT_EQ(both.counters(0).faults[static_cast<std::size_t>(PieceFault::kRefused)], 1U);

  PieceSources alone(named({{"only", &wrong_token}}), scene.options());
  try {
    get_all(alone, test::indices_up_to(3));
    FAIL() << "nothing was thrown";
  } catch (const NoSourceLeft& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kMismatch);
    EXPECT_NE(std::string(error.what()).find("only: status 401"), std::string::npos)
        << error.what();
  }
  EXPECT_TRUE(scene.waits.empty());
}

TEST(PieceSources, ARefusalOfASourceThatHasServedIsWaitedFor) {
  Scene scene;
  Unreliable server;
  server.throws = false;
  server.with = std::make_exception_ptr(HttpUnauthorized("status 401"));
  PieceSources sources(named({{"server", &server}}), scene.options());
  test::expect_found(get_all(sources, {PieceIndex(1)}), 1);
  server.is_down = true;
  scene.on_wait = [&] { server.is_down = scene.waits.size() < 3; };
  test::expect_found(get_all(sources, {PieceIndex(2)}), 2);
  EXPECT_EQ(scene.waits, (Waits{10s, 20s, 35s}));
  EXPECT_EQ(scene.changes(), (std::vector{Change::kRefuses, Change::kBack}));
}

TEST(PieceSources, AStoreThatIsGoneIsNotWaitedFor) {
  Scene scene;
  Unreliable store;
  store.throws = false;
  store.with = std::make_exception_ptr(StoreGone("the store is gone"));
  MadeUpGetter second;
  std::vector<PieceSource> list = named({{"store", &store}, {"second", &second}});
  list.front().may_return = false;
  PieceSources sources(std::move(list), scene.options());
  test::expect_found(get_all(sources, {PieceIndex(1)}), 1);
  store.is_down = true;
  test::expect_found(get_all(sources, {PieceIndex(2)}), 2);
  test::expect_found(get_all(sources, {PieceIndex(3)}), 3);
  EXPECT_EQ(store.n_calls, 2);
  EXPECT_EQ(scene.changes(), std::vector{Change::kGivenUp});
  EXPECT_TRUE(scene.waits.empty());
}

TEST(PieceSources, NothingButFaultsOfTheMomentMeansThatItIsAway) {
  // A server that takes connections and says nothing was asked for each piece, and then for the 128
  // others of its segment.
  Scene scene;
  Unreliable silent;
  silent.throws = false;
  silent.is_down = true;
  silent.with = std::make_exception_ptr(HttpTimeout("no answer"));
  scene.on_wait = [&] { silent.is_down = scene.waits.size() < 3; };
  PieceSources sources(named({{"silent", &silent}}), scene.options());
  EXPECT_EQ(get_all(sources, test::indices_up_to(40)).size(), 40U);
  EXPECT_EQ(silent.n_asked, 40U);
  EXPECT_EQ(scene.waits.size(), 3U);
}

/// Breaks the connection for some pieces.
class Breaking : public Unreliable {
 public:
  std::set<std::uint64_t> bad;
  std::uint64_t n_probed = 0;
  void get_pieces(std::span<const PieceIndex> indices, const Sink& sink,
                  std::stop_token stop) override {
    std::vector<PieceIndex> good;
    for (const PieceIndex index : indices) {
      if (bad.contains(index.value())) {
        sink(index, PieceAnswer::failed(std::make_exception_ptr(HttpTransferFailed("broken"))));
      } else {
        good.push_back(index);
      }
    }
    n_probed += good.size();
    Unreliable::get_pieces(good, sink, stop);
  }
};

TEST(PieceSources, APieceThatBreaksTheConnectionEachTimeIsItsOwnFaultAtLast) {
  Scene scene;
  Breaking server;
  server.bad = {1, 2};
  PieceSources sources(named({{"server", &server}}), scene.options());
  test::expect_found(get_all(sources, {PieceIndex(7)}), 7);
  server.n_probed = 0;
  const auto answers = get_all(sources, {PieceIndex(1), PieceIndex(2)});
  test::expect_failure<AllSourcesFailed>(answers.at(1), {"broken"});
  test::expect_failure<AllSourcesFailed>(answers.at(2), {"broken"});
  EXPECT_EQ(scene.waits.size(), 4U);
  EXPECT_EQ(scene.bad, (std::vector<std::uint64_t>{1, 2}));
  EXPECT_EQ(server.n_probed, 1U) << "for a piece that it gave before";
  EXPECT_EQ(scene.changes(), (std::vector{Change::kAway, Change::kBack}));
}

TEST(PieceSources, ASourceThatSaysNothingIsNotBack) {
  // When all pieces of a batch had met with the most faults, they failed one by one, the source
  // "answered again" although it had not, and what it might have was rebuilt from it.
  for (const bool has_served : {true, false}) {
    Scene scene;
    Unreliable silent;
    silent.throws = false;
    silent.with = std::make_exception_ptr(HttpTimeout("no answer"));
    PieceSources sources(named({{"silent", &silent}}), scene.options());
    if (has_served) {
      test::expect_found(get_all(sources, {PieceIndex(9)}), 9);
    }
    silent.is_down = true;
    scene.on_wait = [&] { silent.is_down = scene.waits.size() < 12; };
    const auto answers = get_all(sources, test::indices_up_to(5));
    ASSERT_EQ(answers.size(), 5U);
    for (std::uint64_t i = 0; i < 5; ++i) {
      test::expect_found(answers, i);
    }
    EXPECT_EQ(scene.waits.size(), 12U);
    EXPECT_EQ(scene.changes(), (std::vector{Change::kAway, Change::kBack}));
    EXPECT_TRUE(scene.bad.empty());
  }
}

TEST(PieceSources, APageInsteadOfPiecesIsARefusalAlsoInMidRun) {
  for (const bool has_served : {true, false}) {
    Scene scene;
    Unreliable portal;
    portal.throws = false;
    portal.with = std::make_exception_ptr(HttpNotAPiece("a web page"));
    MadeUpGetter second;
    PieceSources sources(named({{"portal", &portal}, {"second", &second}}), scene.options());
    if (has_served) {
      test::expect_found(get_all(sources, {PieceIndex(9)}), 9);
    }
    portal.is_down = true;
    test::expect_found(get_all(sources, {PieceIndex(1)}), 1);
    EXPECT_EQ(scene.changes(), std::vector{has_served ? Change::kRefuses : Change::kGivenUp});
    EXPECT_EQ(faults_text(sources.counters(0)), "1 answered with something else");
    EXPECT_TRUE(scene.bad.empty());
    EXPECT_TRUE(sources.may_change());
  }
}

TEST(PieceSources, BatchesThatFailTogetherCountOnce) {
  // Each doubled the back-off: eight downloads at a time made a minute of one hiccup.
  constexpr int kBatches = 4;
  Scene scene;
  Unreliable server;
  std::atomic<int> n_inside = 0;
  class Together : public PieceGetter {
   public:
    Together(Unreliable& server, std::atomic<int>& n_inside)
        : server_(server), n_inside_(n_inside) {}
    void get_pieces(std::span<const PieceIndex> indices, const Sink& sink,
                    std::stop_token stop) override {
      if (server_.is_down) {
        ++n_inside_;
        while (n_inside_ < kBatches) {
          std::this_thread::yield();
        }
        throw HttpConnectionFailed("refused");
      }
      server_.MadeUpGetter::get_pieces(indices, sink, stop);
    }

   private:
    Unreliable& server_;
    std::atomic<int>& n_inside_;
  } together(server, n_inside);
  std::mutex mutex;
  std::condition_variable all_wait;
  int n_waiting = 0;
  PieceSourcesOptions options = scene.options();
  std::vector<std::chrono::milliseconds> waits;
  options.sleep_until = [&](auto until, const std::stop_token&) {
    std::unique_lock lock(mutex);
    waits.push_back(std::chrono::ceil<std::chrono::milliseconds>(until - *scene.now));
    if (++n_waiting == kBatches) {
      server.is_down = false;
      *scene.now = until;
      all_wait.notify_all();
    }
    all_wait.wait(lock, [&] { return n_waiting >= kBatches; });
  };
  PieceSources sources(named({{"server", &together}}), options);
  server.is_down = true;
  std::vector<std::jthread> batches;
  for (std::uint64_t i = 0; i < kBatches; ++i) {
    batches.emplace_back([&, i] { test::expect_found(get_all(sources, {PieceIndex(i)}), i); });
  }
  batches.clear();
  EXPECT_EQ(waits, Waits(kBatches, 10s));
}

TEST(PieceSources, BadAnswersAreCountedBySourceAndKindWhileAnotherHelps) {
  Scene scene;
  MadeUpGetter first;
  first.damaged = {5, 6, 7};
  MadeUpGetter second;
  PieceSources sources(named({{"first", &first}, {"second", &second}}), scene.options());
  EXPECT_EQ(get_all(sources, test::indices_up_to(10)).size(), 10U);
  EXPECT_EQ(faults_text(sources.counters(0)), "3 damaged");
  EXPECT_EQ(faults_text(sources.counters(1)), "");
  EXPECT_EQ(scene.bad, (std::vector<std::uint64_t>{5, 6, 7}));
  EXPECT_EQ(scene.n_reports, 1) << "the first at once";
  get_all(sources, test::indices_up_to(10));
  EXPECT_EQ(scene.n_reports, 1) << "then once a minute";
  *scene.now += 1min;
  get_all(sources, test::indices_up_to(3));
  EXPECT_EQ(scene.n_reports, 2) << "also what was found before";
  *scene.now += 1min;
  get_all(sources, test::indices_up_to(3));
  EXPECT_EQ(scene.n_reports, 2) << "nothing new";
  first.damaged = {1};
  second.damaged = {1};
  get_all(sources, {PieceIndex(1)});
  EXPECT_EQ(scene.n_reports, 4) << "the first of another source at once";
}

TEST(PieceSources, WaitingForASourceEndsWithAStop) {
  Unreliable only;
  only.is_down = true;
  std::stop_source stop;
  PieceSourcesOptions options;
  options.backoff = 1h;
  options.on_event = [&](const PieceSourceEvent&) { stop.request_stop(); };
  options.max_backoff = 1h;
  PieceSources sources(named({{"only", &only}}), options);
  EXPECT_TRUE(get_all(sources, test::indices_up_to(3), stop.get_token()).empty());
}

TEST(PieceSources, OneBatchThatFindsTheSourceBackWakesTheOthers) {
  Unreliable only;
  only.is_down = true;
  std::promise<void> away;
  PieceSourcesOptions options;
  options.backoff = 1h;
  options.max_backoff = 1h;
  auto offset = std::make_shared<std::atomic<std::int64_t>>(0);
  options.now = [offset] {
    return PieceSourcesOptions::Clock::now() + std::chrono::hours(offset->load());
  };
  options.on_event = [&](const PieceSourceEvent& event) {
    if (event.change == Change::kAway) {
      away.set_value();
    }
  };
  PieceSources sources(named({{"only", &only}}), options);
  std::jthread first([&] { test::expect_found(get_all(sources, {PieceIndex(1)}), 1); });
  away.get_future().wait();
  only.is_down = false;
  *offset = 2;
  test::expect_found(get_all(sources, {PieceIndex(2)}), 2);
  first.join();  // in an hour, without the news
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

TEST(PieceSources, NothingIsWatchedWhenNothingIsMissing) {
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

TEST(PieceSources, AStallNamesNoSourceThatIsNotAsked) {
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

TEST(PieceSources, OnlyASourceThatMayReturnMayChange) {
  Unreliable wrong_token;
  wrong_token.throws = false;
  wrong_token.is_down = true;
  wrong_token.with = std::make_exception_ptr(HttpUnauthorized("status 401"));
  MadeUpGetter store;
  std::vector<PieceSource> list = named({{"server", &wrong_token}, {"store", &store}});
  list.back().may_return = false;
  Scene scene;
  PieceSources sources(std::move(list), scene.options());
  EXPECT_TRUE(sources.may_change());
  test::expect_found(get_all(sources, {PieceIndex(1)}), 1);
  EXPECT_FALSE(sources.may_change()) << "the server is given up";
}

TEST(PieceSources, FaultsInWordsFitAnyNumber) {
  PieceSourceCounters counters;
  counters.faults[static_cast<std::size_t>(PieceFault::kWrong)] = 1;
  counters.faults[static_cast<std::size_t>(PieceFault::kDamaged)] = 2;
  EXPECT_EQ(faults_text(counters), "2 damaged, 1 wrong");
}

TEST(PieceSources, NeedsASource) {
  EXPECT_THROW(PieceSources({}), InvalidArgument);
}

}  // namespace
}  // namespace furrow
