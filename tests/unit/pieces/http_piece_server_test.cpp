// SPDX-License-Identifier: Apache-2.0
// The routes of pieces, as clients see them.
#include "host/pieces/http_piece_server.hpp"

#include <chrono>
#include <future>

#include <gtest/gtest.h>

#include "tests/support/made_up_piece.hpp"
#include "tests/unit/pieces/http_piece_fixture.hpp"

namespace furrow {
namespace {

using namespace std::chrono_literals;
using test::ask;
using test::body_of;
using test::header_of;
using test::made_up_piece;
using test::MadeUpGetter;
using test::Socket;
using test::status_of;

std::string ask_batch(const HttpPieceServer& server, const std::string& body) {
  return ask(server.port(), "POST /v1/pieces",
             "Content-Length: " + std::to_string(body.size()) + "\r\n", body);
}

std::string list_of(const std::vector<PieceIndex>& indices) {
  return std::string(test::text_of(encode_piece_request(indices)));
}

TEST(HttpPieceServer, GivesAPieceAndItsTag) {
  MadeUpGetter source;
  const HttpPieceServer server(source, {});
  const PiecePtr piece = made_up_piece(PieceIndex(12));
  const std::string tag = etag_of(blake3(bytes_of(*piece)));
  const std::string response = ask(server.port(), "GET /v1/pieces/12");
  EXPECT_EQ(status_of(response), "200");
  EXPECT_EQ(header_of(response, "ETag"), tag);
  EXPECT_EQ(header_of(response, "Content-Length"), "1049560");
  EXPECT_TRUE(body_of(response) == test::text_of(bytes_of(*piece)));

  const std::string head = ask(server.port(), "HEAD /v1/pieces/12");
  EXPECT_EQ(status_of(head), "200");
  EXPECT_EQ(header_of(head, "ETag"), tag);
  EXPECT_EQ(header_of(head, "Content-Length"), "1049560");
  EXPECT_EQ(body_of(head), "");

  for (const std::string& known : {tag, "W/" + tag, "\"x\", " + tag, std::string("*")}) {
    const std::string same =
        ask(server.port(), "GET /v1/pieces/12", "If-None-Match: " + known + "\r\n");
    EXPECT_EQ(status_of(same), "304") << known;
    EXPECT_EQ(body_of(same), "");
  }
  EXPECT_EQ(status_of(ask(server.port(), "GET /v1/pieces/13", "If-None-Match: " + tag + "\r\n")),
            "200");
}

TEST(HttpPieceServer, StatusesOfWhatCannotBeHad) {
  MadeUpGetter source;
  source.damaged = {3};
  HttpServerOptions options;
  std::vector<std::string> warnings;
  options.on_warning = [&](const std::string& line) { warnings.push_back(line); };
  {
    const HttpPieceServer server(source, options);
    const auto status = [&](const std::string& line) {
      return status_of(ask(server.port(), line));
    };
    EXPECT_EQ(status("GET /v1/pieces/18446744073709551615"), "404");
    for (const std::string bad :
         {"18446744073709551616", "-1", "+1", "0x10", "1a", "%20", "1/2", "", "1.0"}) {
      EXPECT_EQ(status("GET /v1/pieces/" + bad), "400") << bad;
    }
    EXPECT_EQ(status("GET /v1/pieces/1001"), "404");
    EXPECT_EQ(status("GET /"), "404");
    EXPECT_EQ(status("GET /v1/manifest"), "404");
    EXPECT_EQ(status("GET /v1/pieces"), "405");
    EXPECT_EQ(status("DELETE /v1/pieces/1"), "405");
    EXPECT_EQ(status("PUT /v1/manifest"), "405");
    EXPECT_EQ(status("GARBAGE"), "400");
    EXPECT_EQ(status("GET /" + std::string(9000, 'a')), "414");
    EXPECT_TRUE(warnings.empty());
    ask(server.port(), "GET /v1/pieces/3");  // of which one line is enough
    const std::string damaged = ask(server.port(), "GET /v1/pieces/3");
    EXPECT_EQ(status_of(damaged), "500");
    EXPECT_EQ(body_of(damaged), "piece 3 is damaged\n");
  }
  ASSERT_EQ(warnings.size(), 1U);
  EXPECT_NE(warnings[0].find("/secret/path"), std::string::npos) << "the owner has to know where";
}

TEST(HttpPieceServer, GetterThatThrowsIsAnError) {
  class Thrower : public PieceGetter {
   public:
    void get_pieces(std::span<const PieceIndex>, const Sink&, std::stop_token) override {
      throw InvalidArgument("out of order");
    }
  } source;
  const HttpPieceServer server(source, {});
  EXPECT_EQ(status_of(ask(server.port(), "GET /v1/pieces/3")), "500");
  const std::string batch = ask_batch(server, list_of({PieceIndex(3), PieceIndex(4)}));
  EXPECT_EQ(status_of(batch), "200");
  EXPECT_EQ(server.piece_counters().failed, 3U);
}

TEST(HttpPieceServer, BatchesHaveRules) {
  MadeUpGetter source;
  const HttpPieceServer server(source, {}, {.max_batch = 4});
  EXPECT_EQ(status_of(ask_batch(server, list_of(test::indices_up_to(4)))), "200");
  EXPECT_EQ(status_of(ask_batch(server, list_of(test::indices_up_to(5)))), "413");
  EXPECT_EQ(status_of(ask_batch(server, "")), "400");
  EXPECT_EQ(status_of(ask_batch(server, "1234567")), "400");
  EXPECT_EQ(server.piece_counters().pieces, 4U);
  // Without an announced length, the limit is kept all the same.
  const std::string endless =
      ask(server.port(), "POST /v1/pieces", "Transfer-Encoding: chunked\r\n",
          "100000\r\n" + std::string(20'000, 'x'));
  EXPECT_NE(status_of(endless), "200");
  EXPECT_EQ(server.piece_counters().pieces, 4U);
}

TEST(HttpPieceServer, ClientThatDoesNotTakeItsPieceIsLeft) {
  MadeUpGetter source;
  HttpServerOptions options;
  options.limits.write_time = 100ms;
  const HttpPieceServer server(source, options);
  const Socket socket = Socket::connect_to(server.port());
  std::string request = "POST /v1/pieces HTTP/1.1\r\nHost: test\r\nContent-Length: 512\r\n\r\n";
  ASSERT_TRUE(socket.send(request + list_of(test::indices_up_to(64))));
  // 64 MiB are more than the system buffers: the server has to wait, and to give up.
  while (server.counters().requests == 0 || source.n_asked == 0) {
    std::this_thread::yield();
  }
  std::uint64_t n_asked = 0;
  do {
    n_asked = source.n_asked;
    std::this_thread::sleep_for(300ms);
  } while (n_asked != source.n_asked);
  EXPECT_LT(n_asked, 64U);
  socket.receive_all();  // ends
}

TEST(HttpPieceServer, StopsWhateverItIsAt) {
  MadeUpGetter source;
  std::promise<void> is_inside;
  source.before = [&, n = 0](PieceIndex) mutable {
    if (n++ == 0) {
      is_inside.set_value();
    }
  };
  HttpPieceServer server(source, {});
  const Socket idle = Socket::connect_to(server.port());
  const Socket half = Socket::connect_to(server.port());
  ASSERT_TRUE(half.send("GET /v1/pie"));
  const Socket blocked = Socket::connect_to(server.port());
  ASSERT_TRUE(
      blocked.send("POST /v1/pieces HTTP/1.1\r\nHost: test\r\nContent-Length: 2048\r\n\r\n" +
                   list_of(test::indices_up_to(256))));
  is_inside.get_future().wait();
  server.stop();  // returns although nobody reads, and idle_time is a minute
  server.stop();
  EXPECT_EQ(idle.receive_all(), "");
}

}  // namespace
}  // namespace furrow
