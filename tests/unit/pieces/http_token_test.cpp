// SPDX-License-Identifier: Apache-2.0
// Tokens and passwords of HttpPieceGetter: what they open, how often a refusal is heard, that none is shown.
#include <string>

#include <gtest/gtest.h>

#include "host/pieces/http_manifest.hpp"
#include "host/pieces/http_piece_getter.hpp"
#include "host/pieces/http_piece_server.hpp"
#include "host/pieces/source_errors.hpp"
#include "tests/support/other_threads.hpp"
#include "tests/unit/pieces/http_piece_fixture.hpp"

namespace furrow {
namespace {

using test::BadServer;
using test::expect_failure;
using test::get_all;
using test::quick_options;

class HttpTokenEitherWay : public test::EitherWay {};
INSTANTIATE_TEST_SUITE_P(PiecesPerRequest, HttpTokenEitherWay, testing::Values(1, 4, 8));

TEST_P(HttpTokenEitherWay, TokenIsNeeded) {
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

TEST_P(HttpTokenEitherWay, ARefusalIsHeardOnce) {
  // As many requests as may be in flight were made, and refused, before the first answer was read.
  test::MadeUpGetter source;
  HttpServerOptions with_token;
  with_token.token = "the right one";
  const HttpPieceServer server(source, with_token);
  HttpPieceGetter getter(options(server.url()), test::made_up_validator());
  EXPECT_EQ(get_all(getter, test::indices_up_to(50)).size(), 50U);
  EXPECT_EQ(server.counters().unauthorized, 1U);
}

TEST_P(HttpTokenEitherWay, ARefusalAfterPiecesIsHeardOnceInEachBatch) {
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
  EXPECT_TRUE(test::other_threads_wait());  // those that were given up have been refused, too
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

TEST_P(HttpTokenEitherWay, ARenewedTokenIsTaken) {
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

TEST_P(HttpTokenEitherWay, NoMessageHasTokenOrPassword) {
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

TEST(HttpToken, ANameInAnAddressIsNotRepeated) {
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

}  // namespace
}  // namespace furrow
