// SPDX-License-Identifier: Apache-2.0
// HttpPieceGetter against HttpPieceServer, and against servers that are busy, silent or gone.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>

#include <gtest/gtest.h>

#include "host/base/foreign_error.hpp"
#include "host/pieces/http_manifest.hpp"
#include "host/pieces/http_piece_getter.hpp"
#include "host/pieces/http_piece_server.hpp"
#include "host/pieces/source_errors.hpp"
#include "tests/unit/pieces/http_piece_fixture.hpp"

namespace furrow {
namespace {

using namespace std::chrono_literals;
using test::BadServer;
using test::expect_failure;
using test::get_all;
using test::made_up_piece;
using test::quick_options;

/// Single requests and batches have to behave alike.
class HttpPieceGetterEitherWay : public testing::TestWithParam<std::size_t> {
 protected:
  static HttpSourceOptions options(const std::string& url) {
    HttpSourceOptions result = quick_options(url);
    result.pieces_per_request = GetParam();
    return result;
  }
};
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
  std::mutex mutex;
  std::condition_variable arrived;
  std::size_t n_now = 0;
  std::size_t n_most = 0;
  test::MadeUpGetter source;
  source.before = [&](PieceIndex index) {
    if (index == PieceIndex(0)) {
      return;
    }
    {
      std::unique_lock lock(mutex);
      n_most = std::max(n_most, ++n_now);
      arrived.notify_all();
      arrived.wait(lock, [&] { return n_most >= 4; });
    }
    std::this_thread::sleep_for(20ms);  // in which those come that should not
    const std::lock_guard lock(mutex);
    --n_now;
  };
  const HttpPieceServer server(source, {});
  HttpSourceOptions options = quick_options(server.url());
  options.in_flight = 8;
  options.pieces_per_request = 1;
  HttpPieceGetter getter(options, test::made_up_validator());
  std::vector<PieceIndex> inner = test::indices_up_to(17);
  inner.erase(inner.begin());
  test::Answers answers;
  const std::vector<PieceIndex> outer = {PieceIndex(0)};
  getter.get_pieces(outer,
                    [&](PieceIndex, const PieceAnswer&) { answers = get_all(getter, inner); }, {});
  for (const PieceIndex index : inner) {
    test::expect_found(answers, index.value());
  }
  const std::lock_guard lock(mutex);
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

TEST_P(HttpPieceGetterEitherWay, ServerRestartedInABatch) {
  test::MadeUpGetter source;
  auto server = std::make_unique<HttpPieceServer>(source, HttpServerOptions{});
  const std::uint16_t port = server->port();
  HttpSourceOptions patient = options(server->url());
  patient.tries = 100;
  patient.in_flight = GetParam();  // so that pieces are left when the server goes
  HttpPieceGetter getter(patient, test::made_up_validator());
  std::size_t n_found = 0;
  getter.get_pieces(test::indices_up_to(40),
                    [&](PieceIndex index, PieceAnswer answer) {
                      ASSERT_NE(answer.piece, nullptr) << test::message_of_failure<Error>(answer);
                      EXPECT_TRUE(test::same_piece(*answer.piece, *made_up_piece(index)));
                      if (++n_found == 10) {
                        server.reset();
                        HttpServerOptions again;
                        again.port = port;
                        server = std::make_unique<HttpPieceServer>(source, again);
                      }
                    },
                    {});
  EXPECT_EQ(n_found, 40U);
}

TEST_P(HttpPieceGetterEitherWay, NobodyListens) {
  std::string url;
  {
    test::MadeUpGetter source;
    url = HttpPieceServer(source, {}).url();
  }
  HttpSourceOptions more_tries = options(url);
  more_tries.tries = 3;
  HttpPieceGetter getter(more_tries, test::made_up_validator());
  const auto answers = get_all(getter, test::indices_up_to(100));
  ASSERT_EQ(answers.size(), 100U);
  for (const auto& [index, answer] : answers) {
    expect_failure<HttpConnectionFailed>(answer, {url});
  }
}

TEST_P(HttpPieceGetterEitherWay, NameThatNobodyHas) {
  HttpPieceGetter getter(options("http://furrow.invalid:1"), test::made_up_validator());
  const auto answers = get_all(getter, test::indices_up_to(3));
  expect_failure<HttpConnectionFailed>(answers.at(2), {"furrow.invalid"});
}

TEST_P(HttpPieceGetterEitherWay, NeverAnswered) {
  BadServer server([](BadServer& self, int, test::Socket&) { self.wait_for_end(); });
  HttpSourceOptions impatient = options(server.url());
  impatient.piece_time = 300ms;
  HttpPieceGetter getter(impatient, test::made_up_validator());
  const auto answers = get_all(getter, test::indices_up_to(4));
  ASSERT_EQ(answers.size(), 4U);
  expect_failure<HttpTimeout>(answers.at(0), {server.url()});
  if (GetParam() == 1) {
    // That nobody answered is not the fault of pieces that were not asked for.
    expect_failure<SourceUnavailable>(answers.at(3), {server.url()});
  }
}

TEST(HttpPieceGetter, NoByteForTheStallTime) {
  BadServer server([](BadServer& self, int, test::Socket& socket) {
    socket.receive_until("\r\n\r\n");
    socket.send("HTTP/1.1 200 OK\r\nContent-Length: 1049560\r\n\r\nabc");
    self.wait_for_end();
  });
  HttpSourceOptions impatient = quick_options(server.url());
  impatient.stall_time = 1s;
  HttpPieceGetter getter(impatient, test::made_up_validator());
  expect_failure<HttpTimeout>(get_all(getter, {PieceIndex(9)}).at(9), {server.url()});
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

TEST_P(HttpPieceGetterEitherWay, TokenIsNeeded) {
  test::MadeUpGetter source;
  HttpServerOptions with_token;
  with_token.token = "the right one";
  const HttpPieceServer server(source, with_token, {.manifest_json = "{}"});
  for (const std::string token : {"", "the wrong one", "the right on", "the right onf"}) {
    HttpSourceOptions wrong = options(server.url());
    wrong.token = token;
    HttpPieceGetter getter(wrong, test::made_up_validator());
    const auto answers = get_all(getter, test::indices_up_to(20));
    ASSERT_EQ(answers.size(), 20U);
    for (const auto& [index, answer] : answers) {
      expect_failure<HttpUnauthorized>(answer, {server.url(), "401"});
    }
    EXPECT_THROW(fetch_manifest_text(wrong, {}), HttpUnauthorized);
  }
  EXPECT_EQ(source.n_asked, 0U);
  HttpSourceOptions right = options(server.url());
  right.token = "the right one";
  HttpPieceGetter getter(right, test::made_up_validator());
  test::expect_found(get_all(getter, {PieceIndex(4)}), 4);
  EXPECT_EQ(fetch_manifest_text(right, {}), "{}");
}

TEST_P(HttpPieceGetterEitherWay, ARefusalIsHeardOnce) {
  // As many requests as may be in flight were made, and refused, before the first answer was read.
  test::MadeUpGetter source;
  HttpServerOptions with_token;
  with_token.token = "the right one";
  const HttpPieceServer server(source, with_token);
  HttpPieceGetter getter(options(server.url()), test::made_up_validator());
  EXPECT_EQ(get_all(getter, test::indices_up_to(50)).size(), 50U);
  EXPECT_EQ(server.counters().unauthorized, 1U);
}

TEST_P(HttpPieceGetterEitherWay, ARefusalAfterPiecesIsHeardOnceInEachBatch) {
  // A server that had answered once was asked with all requests at a time for ever after.
  test::MadeUpGetter source;
  HttpServerOptions with_token;
  with_token.token = "the right one";
  const HttpPieceServer server(source, with_token);
  HttpSourceOptions of_file = options(server.url());
  std::string token = "the right one";
  of_file.read_token = [&] { return token; };
  HttpPieceGetter getter(of_file, test::made_up_validator());
  test::expect_found(get_all(getter, test::indices_up_to(20)), 19);
  token = "another one";
  get_all(getter, test::indices_up_to(50));
  std::this_thread::sleep_for(200ms);  // for those that were given up
  const std::uint64_t before = server.counters().unauthorized;
  for (int round = 0; round < 3; ++round) {
    EXPECT_EQ(get_all(getter, test::indices_up_to(50)).size(), 50U);
  }
  EXPECT_EQ(server.counters().unauthorized, before + 3);
  token = "the right one";
  const auto answers = get_all(getter, test::indices_up_to(50));
  for (std::uint64_t i = 0; i < 50; ++i) {
    test::expect_found(answers, i);
  }
}

TEST_P(HttpPieceGetterEitherWay, ARenewedTokenIsTaken) {
  test::MadeUpGetter source;
  HttpServerOptions with_token;
  with_token.token = "the new one";
  const HttpPieceServer server(source, with_token);
  HttpSourceOptions of_file = options(server.url());
  std::string file = "the old one";
  of_file.read_token = [&] {
    if (file.empty()) {
      throw InvalidArgument("no token in it");
    }
    return file;
  };
  HttpPieceGetter getter(of_file, test::made_up_validator());
  expect_failure<HttpUnauthorized>(get_all(getter, {PieceIndex(1)}).at(1), {"401"});
  file = "the new one";
  test::expect_found(get_all(getter, {PieceIndex(1)}), 1);
  file = "";  // just being replaced
  test::expect_found(get_all(getter, {PieceIndex(2)}), 2);
}

TEST_P(HttpPieceGetterEitherWay, NoMessageHasTokenOrPassword) {
  std::string url;
  {
    test::MadeUpGetter source;
    url = HttpPieceServer(source, {}).url();
  }
  BadServer parrot([](BadServer&, int, test::Socket& socket) {
    const std::string request = socket.receive_until("\r\n\r\n");
    socket.send("HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Length: " +
                std::to_string(request.size()) + "\r\n\r\n" + request);
  });
  for (const std::string& host :
       {url.substr(7), parrot.url().substr(7), std::string("geheim.invalid")}) {
    HttpSourceOptions secret = options("http://user:geh%40eim@" + host);
    secret.token = "a-token-of-mine";
    HttpPieceGetter getter(secret, test::made_up_validator());
    const auto answers = get_all(getter, {PieceIndex(1)});
    const std::string message = test::message_of_failure<SourceFailed>(answers.at(1));
    for (const char* part : {"user:", "geh%40", "eim@", "a-token-of-mine", "dXNlcjpnZWhAZWlt"}) {
      EXPECT_EQ(message.find(part), std::string::npos) << part << " in: " << message;
    }
    EXPECT_NE(message.find("http://***@"), std::string::npos) << message;
    try {
      fetch_manifest_text(secret, {});
      ADD_FAILURE() << "a manifest";
    } catch (const Error& error) {
      EXPECT_EQ(std::string(error.what()).find("a-token-of-mine"), std::string::npos)
          << error.what();
    }
  }
}

TEST_P(HttpPieceGetterEitherWay, WhatIsNoServerOfTheRightPiecesRefuses) {
  test::MadeUpGetter source;
  for (std::uint64_t i = 0; i < 100; ++i) {
    source.missing.insert(i);
  }
  int n_checks = 0;
  HttpSourceOptions checking;
  const auto answer_of = [&](const std::string& url, std::vector<PieceIndex> indices) {
    checking = options(url);
    checking.check_manifest = [&](const std::string& text) {
      ++n_checks;
      if (text == "another history") {
        throw HistoryMismatch("it has another history");
      }
    };
    HttpPieceGetter getter(checking, test::made_up_validator());
    auto answers = get_all(getter, indices);
    EXPECT_EQ(answers.size(), indices.size());
    return answers.at(indices.front().value());
  };
  const std::vector<PieceIndex> many = test::indices_up_to(30);
  {
    const HttpPieceServer server(source, {});  // 404 for everything
    expect_failure<HttpApiAbsent>(answer_of(server.url(), many), {server.url(), "404"});
    EXPECT_EQ(server.piece_counters().not_found,
              GetParam() == 1 ? 1U : server.piece_counters().not_found);
    EXPECT_EQ(n_checks, 0);
  }
  {
    const HttpPieceServer server(source, {}, {.manifest_json = "another history"});
    expect_failure<HistoryMismatch>(answer_of(server.url(), many), {"another history"});
    EXPECT_EQ(n_checks, 1);
  }
  const HttpPieceServer server(source, {}, {.manifest_json = "the right history"});
  EXPECT_TRUE(test::is_not_found(answer_of(server.url(), many)));
  EXPECT_EQ(n_checks, 2) << "once";
  EXPECT_NE(answer_of(server.url(), {PieceIndex(200), PieceIndex(3)}).piece, nullptr);
  EXPECT_EQ(n_checks, 2) << "who gives a piece is known by it";
}

TEST(HttpPieceGetter, ANameInAnAddressIsNotRepeated) {
  // libcurl sends it in base64.
  BadServer parrot([](BadServer&, int, test::Socket& socket) {
    const std::string request = socket.receive_until("\r\n\r\n");
    EXPECT_NE(request.find("dXNlcjpnZWhAZWlt"), std::string::npos) << request;
    socket.send("HTTP/1.1 400 Bad\r\nConnection: close\r\nContent-Length: " +
                std::to_string(request.size() + 180) + "\r\n\r\n" + std::string(180, '.') +
                request.substr(request.find("Authorization")) + std::string(180, '.'));
  });
  HttpSourceOptions secret = quick_options("http://user:geh%40eim@" + parrot.url().substr(7));
  HttpPieceGetter getter(secret, test::made_up_validator());
  const std::string message =
      test::message_of_failure<Error>(get_all(getter, {PieceIndex(1)}).at(1));
  EXPECT_EQ(message.find("dXNl"), std::string::npos) << message;
}

/// A server that is right until `is_right` is false; then it says `wrong` to everything.
std::unique_ptr<BadServer> turning_server(const std::atomic<bool>& is_right, std::string wrong,
                                          std::atomic<int>& n_asked) {
  return std::make_unique<BadServer>(
      [&is_right, &n_asked, wrong = std::move(wrong)](BadServer&, int, test::Socket& socket) {
        const std::string request = socket.receive_until("\r\n\r\n");
        ++n_asked;
        constexpr std::string_view kPiece = "GET /v1/pieces/";
        if (!is_right) {
          socket.send(wrong);
        } else if (request.starts_with(kPiece)) {
          const PieceIndex index(std::stoull(request.substr(kPiece.size())));
          socket.send(test::piece_response(test::text_of(bytes_of(*made_up_piece(index)))));
        } else {
          socket.send(test::piece_response("the manifest"));
        }
      });
}

std::string response(const std::string& head, const std::string& body = {}) {
  return "HTTP/1.1 " + head + "\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\nConnection: close\r\n\r\n" + body;
}

HttpSourceOptions checking_options(const std::string& url) {
  HttpSourceOptions result = quick_options(url);
  result.check_manifest = [](const std::string& text) {
    if (text != "the manifest") {
      throw MalformedData("not the manifest");
    }
  };
  return result;
}

const std::vector<std::string> kRefusals = {
    response("404 Not Found"),
    response("405 Method Not Allowed"),
    response("407 Proxy Authentication Required"),
    response("410 Gone"),
    response("200 OK", R"({"error":"please log in"})"),
    response("302 Found\r\nLocation: /login"),
    response("200 OK\r\nContent-Type: text/html", "<html>Log in</html>")};

TEST(HttpPieceGetter, AWrongServerIsRefusedWhateverItSays) {
  // Only one that said 404 was; what others gave was rebuilt from them, for ever.
  for (const std::string& wrong : kRefusals) {
    SCOPED_TRACE(wrong);
    const std::atomic<bool> is_right = false;
    std::atomic<int> n_asked = 0;
    const auto server = turning_server(is_right, wrong, n_asked);
    HttpPieceGetter getter(checking_options(server->url()), test::made_up_validator());
    const auto answers = get_all(getter, test::indices_up_to(20));
    ASSERT_EQ(answers.size(), 20U);
    for (const auto& [index, answer] : answers) {
      ASSERT_NE(answer.error, nullptr) << "not there";
      EXPECT_TRUE(is_refusal(fault_of(answer.error))) << message_of(answer.error);
    }
    EXPECT_LE(n_asked, 2) << "a piece and the manifest";
  }
}

TEST(HttpPieceGetter, AServerThatTurnsIntoAnotherRefuses) {
  // Whoever had given a piece was believed ever after: 404 for all meant that all was to be
  // rebuilt.
  for (const std::string& wrong : kRefusals) {
    SCOPED_TRACE(wrong);
    std::atomic<bool> is_right = true;
    std::atomic<int> n_asked = 0;
    const auto server = turning_server(is_right, wrong, n_asked);
    HttpPieceGetter getter(checking_options(server->url()), test::made_up_validator());
    test::expect_found(get_all(getter, test::indices_up_to(5)), 4);
    is_right = false;
    const auto answers = get_all(getter, test::indices_up_to(20));
    for (const auto& [index, answer] : answers) {
      ASSERT_NE(answer.error, nullptr) << "piece " << index << " is not there";
      EXPECT_TRUE(is_refusal(fault_of(answer.error))) << message_of(answer.error);
    }
    is_right = true;
    test::expect_found(get_all(getter, {PieceIndex(7)}), 7);
  }
}

TEST(HttpPieceGetter, AServerInTroubleIsAway) {
  for (const bool has_served : {true, false}) {
    for (const char* status : {"500 Internal Server Error", "501 Not Implemented"}) {
      std::atomic<bool> is_right = has_served;
      std::atomic<int> n_asked = 0;
      const auto server = turning_server(is_right, response(status), n_asked);
      HttpPieceGetter getter(checking_options(server->url()), test::made_up_validator());
      if (has_served) {
        test::expect_found(get_all(getter, {PieceIndex(4)}), 4);
      }
      is_right = false;
      expect_failure<SourceUnavailable>(get_all(getter, {PieceIndex(1)}).at(1),
                                        {server->url(), std::string(status).substr(0, 3)});
      is_right = true;
      test::expect_found(get_all(getter, {PieceIndex(1)}), 1);
    }
  }
}

TEST(HttpPieceGetter, APieceThatIsMissingOrDamagedIsThatPieces) {
  test::MadeUpGetter source;
  source.missing = {3};
  source.damaged = {5};
  const HttpPieceServer server(source, {}, {.manifest_json = "the manifest"});
  for (const bool has_served : {true, false}) {
    HttpPieceGetter getter(checking_options(server.url()), test::made_up_validator());
    if (has_served) {
      test::expect_found(get_all(getter, {PieceIndex(4)}), 4);
    }
    EXPECT_TRUE(test::is_not_found(get_all(getter, {PieceIndex(3)}).at(3)));
    expect_failure<HttpStatusError>(get_all(getter, {PieceIndex(5)}).at(5), {"500", "damaged"});
  }
}

TEST(HttpPieceGetter, WhatAProxySaysOfItsServerIsOfTheMoment) {
  for (const char* status : {"502 Bad Gateway", "503 Busy", "504 Gateway Timeout", "429 Slow"}) {
    std::atomic<int> n_asked = 0;
    const std::string piece(test::text_of(bytes_of(*made_up_piece(PieceIndex(2)))));
    BadServer proxy([&](BadServer&, int, test::Socket& socket) {
      socket.receive_until("\r\n\r\n");
      socket.send(n_asked++ == 0 ? response(status) : test::piece_response(piece));
    });
    HttpSourceOptions options = quick_options(proxy.url());
    HttpPieceGetter hasty(options, test::made_up_validator());
    const PieceAnswer answer = get_all(hasty, {PieceIndex(2)}).at(2);
    ASSERT_NE(answer.error, nullptr);
    EXPECT_EQ(fault_of(answer.error), PieceFault::kBusy);
    EXPECT_TRUE(is_passing(fault_of(answer.error)));
    try {
      std::rethrow_exception(answer.error);
    } catch (const Error& error) {
      EXPECT_EQ(error.fields().actual, std::string(status).substr(0, 3));
      EXPECT_EQ(error.fields().path, proxy.url() + "/v1/pieces/2");
    }
    n_asked = 0;
    options.tries = 2;
    HttpPieceGetter getter(options, test::made_up_validator());
    test::expect_found(get_all(getter, {PieceIndex(2)}), 2);
  }
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

TEST_P(HttpPieceGetterEitherWay, BusyServerIsAskedAgain) {
  std::atomic<int> n_busy = 0;
  const std::string piece(test::text_of(bytes_of(*made_up_piece(PieceIndex(2)))));
  BadServer server([&](BadServer&, int, test::Socket& socket) {
    const std::string request = socket.receive_until("\r\n\r\n");
    if (n_busy++ < 2) {
      socket.send(
          "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n"
          "\r\n");
    } else if (request.starts_with("GET")) {
      socket.send(test::piece_response(piece));
    } else {
      socket.send(test::piece_response(test::frame(PieceIndex(2), PieceFrameStatus::kFound,
                                                   bytes_of(*made_up_piece(PieceIndex(2))))));
    }
  });
  HttpSourceOptions patient = options(server.url());
  patient.tries = 2;
  HttpPieceGetter hasty(patient, test::made_up_validator());
  expect_failure<HttpStatusError>(get_all(hasty, {PieceIndex(2)}).at(2), {server.url(), "503"});
  n_busy = 0;
  patient.tries = 3;
  HttpPieceGetter getter(patient, test::made_up_validator());
  test::expect_found(get_all(getter, {PieceIndex(2)}), 2);
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
