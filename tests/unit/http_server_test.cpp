// SPDX-License-Identifier: Apache-2.0
// HttpPieceServer as clients see it that send what they like.
#include <chrono>
#include <future>

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "host/pieces/http_piece_server.hpp"
#include "tests/unit/http_fixture.hpp"

namespace furrow {
namespace {

using namespace std::chrono_literals;
using test::made_up_piece;
using test::MadeUpGetter;
using test::Socket;

/// What the server says to one request, which asks it to close the connection afterwards.
std::string ask(const HttpPieceServer& server, const std::string& request_line,
                const std::string& headers = {}, const std::string& body = {}) {
  const Socket socket = Socket::connect_to(server.port());
  EXPECT_TRUE(socket.send(request_line + " HTTP/1.1\r\nHost: test\r\nConnection: close\r\n" +
                          headers + "\r\n" + body));
  return socket.receive_all();
}

std::string status_of(const std::string& response) {
  return response.starts_with("HTTP/1.1 ") ? response.substr(9, 3) : "none";
}

std::string header_of(const std::string& response, const std::string& name) {
  const std::size_t begin = response.find("\r\n" + name + ": ");
  if (begin == std::string::npos || begin > response.find("\r\n\r\n")) {
    return {};
  }
  const std::size_t value = begin + name.size() + 4;
  return response.substr(value, response.find("\r\n", value) - value);
}

std::string body_of(const std::string& response) {
  const std::size_t end = response.find("\r\n\r\n");
  return end == std::string::npos ? std::string() : response.substr(end + 4);
}

std::string ask_batch(const HttpPieceServer& server, const std::string& body) {
  return ask(server, "POST /v1/pieces", "Content-Length: " + std::to_string(body.size()) + "\r\n",
             body);
}

std::string list_of(const std::vector<PieceIndex>& indices) {
  return std::string(test::text_of(encode_piece_request(indices)));
}

TEST(HttpPieceServer, GivesAPieceAndItsTag) {
  MadeUpGetter source;
  const HttpPieceServer server(source, {});
  const PiecePtr piece = made_up_piece(PieceIndex(12));
  const std::string tag = etag_of(blake3(bytes_of(*piece)));
  const std::string response = ask(server, "GET /v1/pieces/12");
  EXPECT_EQ(status_of(response), "200");
  EXPECT_EQ(header_of(response, "ETag"), tag);
  EXPECT_EQ(header_of(response, "Content-Length"), "1049560");
  EXPECT_TRUE(body_of(response) == test::text_of(bytes_of(*piece)));

  const std::string head = ask(server, "HEAD /v1/pieces/12");
  EXPECT_EQ(status_of(head), "200");
  EXPECT_EQ(header_of(head, "ETag"), tag);
  EXPECT_EQ(header_of(head, "Content-Length"), "1049560");
  EXPECT_EQ(body_of(head), "");

  for (const std::string& known : {tag, "W/" + tag, "\"x\", " + tag, std::string("*")}) {
    const std::string same = ask(server, "GET /v1/pieces/12", "If-None-Match: " + known + "\r\n");
    EXPECT_EQ(status_of(same), "304") << known;
    EXPECT_EQ(body_of(same), "");
  }
  EXPECT_EQ(status_of(ask(server, "GET /v1/pieces/13", "If-None-Match: " + tag + "\r\n")), "200");
}

TEST(HttpPieceServer, StatusesOfWhatCannotBeHad) {
  MadeUpGetter source;
  source.damaged = {3};
  HttpServerOptions options;
  std::vector<std::string> warnings;
  options.on_warning = [&](const std::string& line) { warnings.push_back(line); };
  {
    const HttpPieceServer server(source, options);
    const auto status = [&](const std::string& line) { return status_of(ask(server, line)); };
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
    ask(server, "GET /v1/pieces/3");  // of which one line is enough
    const std::string damaged = ask(server, "GET /v1/pieces/3");
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
  EXPECT_EQ(status_of(ask(server, "GET /v1/pieces/3")), "500");
  const std::string batch = ask_batch(server, list_of({PieceIndex(3), PieceIndex(4)}));
  EXPECT_EQ(status_of(batch), "200");
  EXPECT_EQ(server.counters().failed, 3U);
}

TEST(HttpPieceServer, BatchesHaveRules) {
  MadeUpGetter source;
  HttpServerOptions options;
  options.limits.max_batch = 4;
  const HttpPieceServer server(source, options);
  EXPECT_EQ(status_of(ask_batch(server, list_of(test::indices_up_to(4)))), "200");
  EXPECT_EQ(status_of(ask_batch(server, list_of(test::indices_up_to(5)))), "413");
  EXPECT_EQ(status_of(ask_batch(server, "")), "400");
  EXPECT_EQ(status_of(ask_batch(server, "1234567")), "400");
  EXPECT_EQ(server.counters().pieces, 4U);
  // Without an announced length, the limit is kept all the same.
  const std::string endless = ask(server, "POST /v1/pieces", "Transfer-Encoding: chunked\r\n",
                                  "100000\r\n" + std::string(20'000, 'x'));
  EXPECT_NE(status_of(endless), "200");
  EXPECT_EQ(server.counters().pieces, 4U);
}

TEST(HttpPieceServer, KeepsAConnection) {
  MadeUpGetter source;
  source.missing = {2};
  const HttpPieceServer server(source, {});
  const Socket socket = Socket::connect_to(server.port());
  for (int i = 0; i < 20; ++i) {
    ASSERT_TRUE(socket.send("HEAD /v1/pieces/1 HTTP/1.1\r\nHost: test\r\n\r\n"));
    EXPECT_EQ(status_of(socket.receive_until("\r\n\r\n")), "200") << i;
  }
  ASSERT_TRUE(socket.send("GET /v1/pieces/2 HTTP/1.1\r\nHost: test\r\n\r\n"));
  EXPECT_EQ(status_of(socket.receive_until("not here\n")), "404");
  // Two at once.
  const std::string head = "HEAD /v1/pieces/3 HTTP/1.1\r\nHost: test\r\n\r\n";
  ASSERT_TRUE(socket.send(head + head));
  std::string both = socket.receive_until("\r\n\r\n");
  while (both.find("\r\n\r\n") == both.rfind("\r\n\r\n") && socket.receive(both)) {
  }
  EXPECT_NE(both.find("\r\n\r\n"), both.rfind("\r\n\r\n"));
}

// What stands behind the headers of a refused request must not be taken for the next one.
TEST(HttpPieceServer, ClosesBehindABodyThatItDidNotRead) {
  MadeUpGetter source;
  const HttpPieceServer server(source, {});
  for (const std::string line : {"GET /v1/pieces/1", "PUT /v1/pieces/1", "POST /nowhere"}) {
    const Socket socket = Socket::connect_to(server.port());
    const std::string hidden = "GET /v1/pieces/2 HTTP/1.1\r\nHost: test\r\n\r\n";
    ASSERT_TRUE(socket.send(line + " HTTP/1.1\r\nHost: test\r\nContent-Length: " +
                            std::to_string(hidden.size()) + "\r\n\r\n" + hidden));
    socket.receive_all();
    EXPECT_EQ(source.n_asked, line.starts_with("GET") ? 1U : 0U) << line;
    source.n_asked = 0;
  }
}

TEST(HttpPieceServer, TokenIsAskedForEverywhere) {
  MadeUpGetter source;
  HttpServerOptions options;
  options.token = "right";
  const HttpPieceServer server(source, options);
  for (const std::string line :
       {"GET /v1/pieces/1", "GET /v1/manifest", "GET /", "POST /v1/pieces", "DELETE /x"}) {
    for (const std::string headers :
         {"", "Authorization: Bearer wrong\r\n", "Authorization: Bearer righ\r\n",
          "Authorization: Bearer rightt\r\n", "Authorization: Basic right\r\n",
          "Authorization: right\r\n", "Authorization: Bearer \r\n"}) {
      const std::string response = ask(server, line, headers);
      EXPECT_EQ(status_of(response), "401") << line << " " << headers;
      EXPECT_EQ(header_of(response, "WWW-Authenticate"), "Bearer");
    }
  }
  EXPECT_EQ(source.n_asked, 0U);
  EXPECT_EQ(server.counters().unauthorized, 35U);
  EXPECT_EQ(status_of(ask(server, "GET /v1/pieces/1", "Authorization: Bearer right\r\n")), "200");
}

TEST(HttpPieceServer, RefusesConnectionsBeyondItsLimit) {
  MadeUpGetter source;
  HttpServerOptions options;
  options.limits.max_connections = options.limits.max_connections_per_address = 2;
  options.limits.patience_for_request = 1h;  // nobody gives way
  const HttpPieceServer server(source, options);
  const std::string head = "HEAD /v1/pieces/1 HTTP/1.1\r\nHost: test\r\n\r\n";
  auto first = std::make_unique<Socket>(Socket::connect_to(server.port()));
  const Socket second = Socket::connect_to(server.port());
  for (const Socket* socket :
       {static_cast<const Socket*>(first.get()), &second}) {  // both have their thread then
    ASSERT_TRUE(socket->send(head));
    EXPECT_EQ(status_of(socket->receive_until("\r\n\r\n")), "200");
  }
  const Socket third = Socket::connect_to(server.port());
  const std::string refusal = third.receive_all();
  EXPECT_EQ(status_of(refusal), "503");
  EXPECT_EQ(header_of(refusal, "Retry-After"), "1");
  EXPECT_EQ(server.counters().refused, 1U);
  first.reset();
  // The place is free once the server has seen the end of the first one.
  std::string response;
  do {
    const Socket next = Socket::connect_to(server.port());
    response = next.send(head) ? next.receive_until("\r\n\r\n") : std::string();
  } while (status_of(response) != "200");
}

TEST(HttpPieceServer, RequestsThatNeverEndAreEnded) {
  MadeUpGetter source;
  HttpServerOptions options;
  options.limits.request_time = 200ms;
  options.limits.idle_time = 100ms;
  const HttpPieceServer server(source, options);
  const auto is_ended = [](const Socket& socket, std::string_view drop) {
    std::atomic<bool> is_over = false;
    std::thread dripping([&] {
      while (!is_over && (drop.empty() || socket.send(drop))) {
        std::this_thread::sleep_for(5ms);
      }
    });
    socket.receive_all();  // returns when the server closes
    is_over = true;
    dripping.join();
    return true;
  };
  const Socket idle = Socket::connect_to(server.port());
  EXPECT_TRUE(is_ended(idle, ""));
  const Socket half = Socket::connect_to(server.port());
  ASSERT_TRUE(half.send("GET /v1/pie"));
  EXPECT_TRUE(is_ended(half, ""));
  const Socket dripping = Socket::connect_to(server.port());
  ASSERT_TRUE(dripping.send("GET /v1/pieces/1 HTTP/1.1\r\n"));
  EXPECT_TRUE(is_ended(dripping, "x"));
  const Socket no_body = Socket::connect_to(server.port());
  ASSERT_TRUE(no_body.send("POST /v1/pieces HTTP/1.1\r\nContent-Length: 8\r\n\r\n1234"));
  EXPECT_TRUE(is_ended(no_body, ""));
  EXPECT_EQ(source.n_asked, 0U);
}

TEST(HttpPieceServer, HeadersHaveALimit) {
  MadeUpGetter source;
  const HttpPieceServer server(source, {});
  const Socket socket = Socket::connect_to(server.port());
  std::string headers = "GET /v1/pieces/1 HTTP/1.1\r\n";
  for (int i = 0; i < 1000; ++i) {
    headers += "X-" + std::to_string(i) + ": " + std::string(40, 'x') + "\r\n";
  }
  socket.send(headers + "\r\n");
  EXPECT_NE(status_of(socket.receive_all()), "200");
  EXPECT_EQ(source.n_asked, 0U);
}

TEST(HttpPieceServer, ClientThatDoesNotTakeItsPieceIsLeft) {
  MadeUpGetter source;
  HttpServerOptions options;
  options.limits.piece_time = 100ms;
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

TEST(HttpPieceServer, AddressInUseOrUnknown) {
  MadeUpGetter source;
  const HttpPieceServer server(source, {});
  HttpServerOptions same;
  same.port = server.port();
  try {
    const HttpPieceServer second(source, same);
    FAIL() << "two servers on one port";
  } catch (const CannotListen& error) {
    EXPECT_NE(std::string(error.what()).find(std::to_string(server.port())), std::string::npos);
  }
  HttpServerOptions unknown;
  unknown.address = "furrow.invalid";
  EXPECT_THROW(HttpPieceServer(source, unknown), CannotListen);
}

/// Asked of the system, so that a server that cannot is not taken for a machine that cannot.
bool has_ipv6() {
  const int socket = ::socket(AF_INET6, SOCK_STREAM, 0);
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  address.sin6_addr = in6addr_loopback;
  const bool result =
      socket >= 0 && ::bind(socket, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  ::close(socket);
  return result;
}

TEST(HttpPieceServer, ListensOnIpv6) {
  MadeUpGetter source;
  HttpServerOptions options;
  options.address = "::1";
  if (!has_ipv6()) {
    GTEST_SKIP() << "no IPv6 here";
  }
  const HttpPieceServer server(source, options);
  EXPECT_EQ(server.url(), "http://[::1]:" + std::to_string(server.port()));
}

}  // namespace
}  // namespace furrow
