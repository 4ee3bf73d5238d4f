// SPDX-License-Identifier: Apache-2.0
// HttpPieceGetter against servers that are busy, silent, restarted or gone.
#include <atomic>
#include <chrono>
#include <string>

#include <gtest/gtest.h>

#include "host/pieces/http_piece_getter.hpp"
#include "host/pieces/http_piece_server.hpp"
#include "host/pieces/source_errors.hpp"
#include "tests/support/made_up_piece.hpp"
#include "tests/unit/pieces/http_piece_fixture.hpp"

namespace furrow {
namespace {

using namespace std::chrono_literals;
using test::BadServer;
using test::expect_failure;
using test::get_all;
using test::made_up_piece;
using test::quick_options;

class HttpAwayEitherWay : public test::EitherWay {};
INSTANTIATE_TEST_SUITE_P(PiecesPerRequest, HttpAwayEitherWay, testing::Values(1, 4, 8));

TEST_P(HttpAwayEitherWay, ServerRestartedInABatch) {
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

TEST_P(HttpAwayEitherWay, NobodyListens) {
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

TEST_P(HttpAwayEitherWay, NameThatNobodyHas) {
  HttpPieceGetter getter(options("http://furrow.invalid:1"), test::made_up_validator());
  const auto answers = get_all(getter, test::indices_up_to(3));
  expect_failure<HttpConnectionFailed>(answers.at(2), {"furrow.invalid"});
}

TEST_P(HttpAwayEitherWay, NeverAnswered) {
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

TEST(HttpAway, NoByteForTheStallTime) {
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

TEST(HttpAway, WhatAProxySaysOfItsServerIsOfTheMoment) {
  for (const char* status : {"502 Bad Gateway", "503 Busy", "504 Gateway Timeout", "429 Slow"}) {
    std::atomic<int> n_asked = 0;
    const std::string piece(test::text_of(bytes_of(*made_up_piece(PieceIndex(2)))));
    BadServer proxy([&](BadServer&, int, test::Socket& socket) {
      socket.receive_until("\r\n\r\n");
      socket.send(n_asked++ == 0 ? test::response(status) : test::piece_response(piece));
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

TEST_P(HttpAwayEitherWay, BusyServerIsAskedAgain) {
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

}  // namespace
}  // namespace furrow
