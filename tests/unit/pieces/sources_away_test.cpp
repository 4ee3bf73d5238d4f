// SPDX-License-Identifier: Apache-2.0
// PieceSources over sources that are away or refuse: back-off, patience, and when one is given up.
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <future>
#include <memory>
#include <mutex>
#include <set>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "host/pieces/piece_sources.hpp"
#include "host/pieces/source_errors.hpp"
#include "tests/unit/pieces/sources_fixture.hpp"

namespace furrow {
namespace {

using namespace std::chrono_literals;
using test::Change;
using test::get_all;
using test::MadeUpGetter;
using test::named;
using test::Scene;
using test::Unreliable;
using test::Waits;

TEST(SourcesAway, SourceThatIsDownIsLeftAloneForAWhile) {
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

TEST(SourcesAway, AnUnreachableSourceIsWaitedForAndThePieceAskedForAgain) {
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

TEST(SourcesAway, AnotherSourceIsNotKeptWaitingBeyondThePatience) {
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

TEST(SourcesAway, ARefusalIsSaidOnceAndASourceThatNeverServedIsGivenUp) {
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

TEST(SourcesAway, ARefusalOfASourceThatHasServedIsWaitedFor) {
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

TEST(SourcesAway, AStoreThatIsGoneIsNotWaitedFor) {
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

TEST(SourcesAway, NothingButFaultsOfTheMomentMeansThatItIsAway) {
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

TEST(SourcesAway, APieceThatBreaksTheConnectionEachTimeIsItsOwnFaultAtLast) {
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

TEST(SourcesAway, ASourceThatSaysNothingIsNotBack) {
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

TEST(SourcesAway, APageInsteadOfPiecesIsARefusalAlsoInMidRun) {
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

TEST(SourcesAway, BatchesThatFailTogetherCountOnce) {
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

TEST(SourcesAway, WaitingForASourceEndsWithAStop) {
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

TEST(SourcesAway, OneBatchThatFindsTheSourceBackWakesTheOthers) {
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

TEST(SourcesAway, OnlyASourceThatMayReturnMayChange) {
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

}  // namespace
}  // namespace furrow
