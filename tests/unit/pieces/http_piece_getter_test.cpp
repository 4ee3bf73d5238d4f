// SPDX-License-Identifier: Apache-2.0
// HttpPieceGetter against HttpPieceServer: batches, memory, sinks and stops.
#include "host/pieces/http_piece_getter.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <set>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "host/pieces/http_piece_server.hpp"
#include "host/pieces/source_errors.hpp"
#include "tests/support/made_up_piece.hpp"
#include "tests/support/other_threads.hpp"
#include "tests/unit/pieces/http_piece_fixture.hpp"

namespace furrow {
namespace {

using namespace std::chrono_literals;
using test::BadServer;
using test::expect_failure;
using test::get_all;
using test::made_up_piece;
using test::quick_options;

class HttpPieceGetterEitherWay : public test::EitherWay {};
INSTANTIATE_TEST_SUITE_P(PiecesPerRequest, HttpPieceGetterEitherWay, testing::Values(1, 4, 8));

TEST_P(HttpPieceGetterEitherWay, EveryPieceGetsItsAnswer) {
  test::MadeUpGetter source;
  source.missing = {3, 40};
  source.damaged = {7};
  const HttpPieceServer server(source, {});
  HttpPieceGetter getter(options(server.url()), test::made_up_validator());
  const std::vector<PieceIndex> indices = test::indices_up_to(50);
  for (int round = 0; round < 2; ++round) {
    const auto answers = get_all(getter, indices);
    ASSERT_EQ(answers.size(), 50U);
    for (std::uint64_t i = 0; i < 50; ++i) {
      if (i == 3 || i == 40) {
        EXPECT_TRUE(test::is_not_found(answers.at(i)));
      } else if (i == 7) {
        const std::string message = test::message_of_failure<Error>(answers.at(i));
        EXPECT_NE(message.find("damaged"), std::string::npos) << message;
        EXPECT_NE(message.find(server.url()), std::string::npos) << message;
        EXPECT_EQ(message.find("secret"), std::string::npos) << "a path of the server: " << message;
      } else {
        test::expect_found(answers, i);
      }
    }
  }
  EXPECT_EQ(server.piece_counters().pieces, 2U * 47);
  EXPECT_EQ(server.piece_counters().not_found, 2U * 2);
  EXPECT_EQ(server.piece_counters().failed, 2U);
}

TEST_P(HttpPieceGetterEitherWay, NoMemoryOfPiecesStaysWhenNobodyHasThemAnyMore) {
  // Memory that a great batch took, such as that of a rebuilt piece, was never given back, for each
  // source anew, and so went beyond the memory plan.
  test::MadeUpGetter source;
  const HttpPieceServer server(source, {});
  std::atomic<int> n_blocks = 0;
  std::atomic<int> n_made = 0;
  HttpSourceOptions of_blocks = options(server.url());
  of_blocks.memory = [&](std::size_t n_bytes) {
    ++n_blocks;
    ++n_made;
    const MemoryBlock block = make_page_block(n_bytes);
    return MemoryBlock(block.get(), [block, &n_blocks](std::uint8_t*) { --n_blocks; });
  };
  HttpPieceGetter getter(of_blocks, test::made_up_validator());
  for (int round = 0; round < 2; ++round) {
    auto answers = get_all(getter, test::indices_up_to(50));
    for (std::uint64_t i = 0; i < 50; ++i) {
      test::expect_found(answers, i);
    }
    EXPECT_GT(n_blocks, 0);
    answers.clear();
    EXPECT_EQ(n_blocks, 0);
  }
  EXPECT_GT(n_made, 1);
}

TEST_P(HttpPieceGetterEitherWay, AnIndexAskedForTwiceIsAnsweredTwice) {
  test::MadeUpGetter source;
  const HttpPieceServer server(source, {});
  HttpPieceGetter getter(options(server.url()), test::made_up_validator());
  const std::vector<PieceIndex> indices = {PieceIndex(5), PieceIndex(6), PieceIndex(5)};
  std::multiset<std::uint64_t> found;
  getter.get_pieces(indices,
                    [&](PieceIndex index, PieceAnswer answer) {
                      ASSERT_NE(answer.piece, nullptr);
                      found.insert(index.value());
                    },
                    {});
  EXPECT_EQ(found, (std::multiset<std::uint64_t>{5, 5, 6}));
}

TEST_P(HttpPieceGetterEitherWay, SeveralBatchesAtOnce) {
  test::MadeUpGetter source;
  const HttpPieceServer server(source, {});
  HttpPieceGetter getter(options(server.url()), test::made_up_validator());
  std::vector<std::thread> threads;
  for (std::uint64_t t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      std::vector<PieceIndex> indices;
      for (std::uint64_t i = 0; i < 20; ++i) {
        indices.emplace_back(100 * t + i);
      }
      for (const auto& [index, answer] : get_all(getter, indices)) {
        EXPECT_TRUE(answer.piece != nullptr &&
                    test::same_piece(*answer.piece, *made_up_piece(PieceIndex(index))));
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(server.piece_counters().pieces, 80U);
}

TEST(HttpPieceGetter, BatchesAtTheSameTimeShareWhatMayBeUnderWay) {
  // Each batch had `in_flight` of its own, so that downloads and rebuilding together filled
  // servers.
  constexpr std::size_t kInner = 16;
  std::mutex mutex;
  std::condition_variable changed;
  std::size_t n_arrived = 0;
  std::size_t n_answered = 0;
  test::MadeUpGetter source;
  source.before = [&](PieceIndex index) {
    if (index == PieceIndex(0)) {
      return;
    }
    std::unique_lock lock(mutex);
    const std::size_t place = n_arrived++;
    changed.notify_all();
    changed.wait(lock, [&] { return n_answered > place; });
  };
  std::size_t n_most = 0;
  std::jthread answering([&] {
    bool have_come = true;
    while (have_come && n_answered < kInner) {
      {
        std::unique_lock lock(mutex);
        const std::size_t expected = std::min(kInner, n_answered + 4);
        have_come = changed.wait_for(lock, 1min, [&] { return n_arrived >= expected; });
      }
      EXPECT_TRUE(test::other_threads_wait());  // those have come, too, that should not
      const std::lock_guard lock(mutex);
      n_most = std::max(n_most, n_arrived - n_answered);
      n_answered = have_come ? n_arrived : kInner;
      changed.notify_all();
    }
    EXPECT_TRUE(have_come);
  });
  const HttpPieceServer server(source, {});
  HttpSourceOptions options = quick_options(server.url());
  options.in_flight = 8;
  options.pieces_per_request = 1;
  HttpPieceGetter getter(options, test::made_up_validator());
  std::vector<PieceIndex> inner = test::indices_up_to(kInner + 1);
  inner.erase(inner.begin());
  test::Answers answers;
  const std::vector<PieceIndex> outer = {PieceIndex(0)};
  getter.get_pieces(outer,
                    [&](PieceIndex, const PieceAnswer&) { answers = get_all(getter, inner); }, {});
  for (const PieceIndex index : inner) {
    test::expect_found(answers, index.value());
  }
  answering.join();
  EXPECT_EQ(n_most, 4U);
}

TEST_P(HttpPieceGetterEitherWay, PiecesOutliveGetterAndServer) {
  test::Answers answers;
  {
    test::MadeUpGetter source;
    const HttpPieceServer server(source, {});
    HttpPieceGetter getter(options(server.url()), test::made_up_validator());
    answers = get_all(getter, test::indices_up_to(30));
  }
  for (std::uint64_t i = 0; i < 30; ++i) {
    test::expect_found(answers, i);
  }
}

TEST_P(HttpPieceGetterEitherWay, StopEndsABatchThatNobodyAnswers) {
  std::stop_source stop;
  BadServer server([&](BadServer& self, int, test::Socket& socket) {
    socket.receive_until("\r\n\r\n");
    stop.request_stop();
    self.wait_for_end();
  });
  // Were it not for the stop request, this would take two minutes, and the test fail by its limit.
  HttpPieceGetter getter(options(server.url()), test::made_up_validator());
  EXPECT_TRUE(get_all(getter, test::indices_up_to(20), stop.get_token()).empty());
}

TEST_P(HttpPieceGetterEitherWay, StopInTheSink) {
  test::MadeUpGetter source;
  const HttpPieceServer server(source, {});
  HttpPieceGetter getter(options(server.url()), test::made_up_validator());
  std::stop_source stop;
  std::size_t n = 0;
  getter.get_pieces(
      test::indices_up_to(500),
      [&](PieceIndex, PieceAnswer) {
        ++n;
        stop.request_stop();
      },
      stop.get_token());
  EXPECT_LE(n, 2 * 8U);  // what was in flight
  EXPECT_TRUE(get_all(getter, {PieceIndex(1)}).at(1).piece != nullptr);
}

TEST_P(HttpPieceGetterEitherWay, ExceptionOfTheSinkComesOut) {
  test::MadeUpGetter source;
  const HttpPieceServer server(source, {});
  HttpPieceGetter getter(options(server.url()), test::made_up_validator());
  int n = 0;
  EXPECT_THROW(getter.get_pieces(test::indices_up_to(50),
                                 [&](PieceIndex, PieceAnswer) {
                                   ++n;
                                   throw InvalidArgument("no more");
                                 },
                                 {}),
               InvalidArgument);
  EXPECT_EQ(n, 1);
  EXPECT_EQ(get_all(getter, test::indices_up_to(20)).size(), 20U);
}

TEST_P(HttpPieceGetterEitherWay, PieceThatTheValidatorRefuses) {
  test::MadeUpGetter source;
  const HttpPieceServer server(source, {});
  HttpPieceGetter getter(options(server.url()), [](PieceIndex index, const Piece&) {
    if (index.value() % 2 == 1) {
      throw InvalidRecordProof(index);
    }
  });
  const auto answers = get_all(getter, test::indices_up_to(10));
  test::expect_found(answers, 4);
  expect_failure<InvalidRecordProof>(answers.at(5), {"piece 5"});
}

TEST(HttpPieceGetter, NeedsSensibleOptions) {
  const auto make = [](const std::function<void(HttpSourceOptions&)>& change) {
    HttpSourceOptions options = quick_options("http://127.0.0.1:1");
    change(options);
    HttpPieceGetter(options, test::made_up_validator());
  };
  EXPECT_NO_THROW(make([](HttpSourceOptions&) {}));
  EXPECT_THROW(make([](HttpSourceOptions& o) { o.url = "ftp://127.0.0.1"; }), InvalidArgument);
  EXPECT_THROW(make([](HttpSourceOptions& o) { o.url = "/a/directory"; }), InvalidArgument);
  EXPECT_THROW(make([](HttpSourceOptions& o) { o.url = "http://a:99999"; }), InvalidArgument);
  EXPECT_THROW(make([](HttpSourceOptions& o) { o.url = "http://u:p@w@a"; }), InvalidArgument);
  EXPECT_THROW(make([](HttpSourceOptions& o) { o.in_flight = 0; }), InvalidArgument);
  EXPECT_THROW(make([](HttpSourceOptions& o) { o.pieces_per_request = 9; }), InvalidArgument);
  EXPECT_THROW(make([](HttpSourceOptions& o) { o.pieces_per_request = 0; }), InvalidArgument);
  EXPECT_THROW(make([](HttpSourceOptions& o) { o.tries = 0; }), InvalidArgument);
}

}  // namespace
}  // namespace furrow
