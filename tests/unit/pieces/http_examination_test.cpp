// SPDX-License-Identifier: Apache-2.0
// Servers that answer without a piece have to show that they are the right ones.
#include <atomic>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "host/base/foreign_error.hpp"
#include "host/pieces/http_piece_getter.hpp"
#include "host/pieces/http_piece_server.hpp"
#include "host/pieces/source_errors.hpp"
#include "tests/support/made_up_piece.hpp"
#include "tests/unit/pieces/http_piece_fixture.hpp"

namespace furrow {
namespace {

using test::BadServer;
using test::expect_failure;
using test::get_all;
using test::made_up_piece;
using test::quick_options;

class HttpExaminationEitherWay : public test::EitherWay {};
INSTANTIATE_TEST_SUITE_P(PiecesPerRequest, HttpExaminationEitherWay, testing::Values(1, 4, 8));

TEST_P(HttpExaminationEitherWay, WhatIsNoServerOfTheRightPiecesRefuses) {
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
    test::response("404 Not Found"),
    test::response("405 Method Not Allowed"),
    test::response("407 Proxy Authentication Required"),
    test::response("410 Gone"),
    test::response("200 OK", R"({"error":"please log in"})"),
    test::response("302 Found\r\nLocation: /login"),
    test::response("200 OK\r\nContent-Type: text/html", "<html>Log in</html>")};

TEST(HttpExamination, AWrongServerIsRefusedWhateverItSays) {
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

TEST(HttpExamination, AServerThatTurnsIntoAnotherRefuses) {
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

TEST(HttpExamination, AServerInTroubleIsAway) {
  for (const bool has_served : {true, false}) {
    for (const char* status : {"500 Internal Server Error", "501 Not Implemented"}) {
      std::atomic<bool> is_right = has_served;
      std::atomic<int> n_asked = 0;
      const auto server = turning_server(is_right, test::response(status), n_asked);
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

TEST(HttpExamination, APieceThatIsMissingOrDamagedIsThatPieces) {
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

}  // namespace
}  // namespace furrow
