// SPDX-License-Identifier: Apache-2.0
// HttpServer with routes that are made up, as clients see it that send what they like. Linked
// without any room but those below HTTP.
#include "host/http/http_server.hpp"

#include <chrono>
#include <future>
#include <memory>
#include <stdexcept>
#include <vector>

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/http/http_fixture.hpp"
#include "tests/unit/http/made_up_routes.hpp"

namespace furrow {
namespace {

using namespace std::chrono_literals;
using test::ask;
using test::body_of;
using test::header_of;
using test::MadeUpFace;
using test::Socket;
using test::status_of;

const std::string kHead = "HEAD /thing HTTP/1.1\r\nHost: test\r\n\r\n";

TEST(HttpServer, RoutesAnswer) {
  MadeUpFace face;
  const HttpServer server(face.routes(), {});
  EXPECT_EQ(server.url(), "http://127.0.0.1:" + std::to_string(server.port()));
  const std::string thing = ask(server.port(), "GET /thing");
  EXPECT_EQ(status_of(thing), "200");
  EXPECT_EQ(header_of(thing, "Content-Type"), "text/plain");
  EXPECT_EQ(body_of(thing), "a thing\n");
  const std::string head = ask(server.port(), "HEAD /thing");
  EXPECT_EQ(header_of(head, "Content-Length"), "8");
  EXPECT_EQ(body_of(head), "");
  EXPECT_EQ(body_of(ask(server.port(), "GET /things/a/b")), "a/b is what you want\n");
  EXPECT_EQ(body_of(ask(server.port(), "POST /list", "Content-Length: 3\r\n", "abc")),
            "abc is a list\n");
  EXPECT_EQ(status_of(ask(server.port(), "GET /")), "404");
  EXPECT_EQ(status_of(ask(server.port(), "GET /thingamajig")), "404");
  const std::string wrong = ask(server.port(), "DELETE /thing");
  EXPECT_EQ(status_of(wrong), "405");
  EXPECT_EQ(header_of(wrong, "Allow"), "GET, HEAD");
  EXPECT_EQ(body_of(wrong), "DELETE is not possible here\n");
  EXPECT_EQ(header_of(ask(server.port(), "GET /list"), "Allow"), "POST");
  EXPECT_EQ(status_of(ask(server.port(), "GARBAGE")), "400");
  EXPECT_EQ(status_of(ask(server.port(), "GET /" + std::string(9000, 'a'))), "414");
  EXPECT_EQ(face.n_asked, 4U);
}

TEST(HttpServer, AResponseMayHaveHeadersAndALengthOfItsOwn) {
  HttpRoutes routes;
  routes.get("/tagged", [](const HttpRequest& request) {
    HttpResponse response{.headers = {{"ETag", "\"x\""}}, .content_type = "text/x", .size = 7};
    response.writer = [](const HttpSink& sink) { return sink("seven") && sink("up"); };
    if (request.header("If-None-Match") == "\"x\"") {
      return HttpResponse{.status = kStatusNotModified, .headers = response.headers};
    }
    return response;
  });
  const HttpServer server(std::move(routes), {});
  const std::string whole = ask(server.port(), "GET /tagged");
  EXPECT_EQ(header_of(whole, "ETag"), "\"x\"");
  EXPECT_EQ(header_of(whole, "Content-Type"), "text/x");
  EXPECT_EQ(header_of(whole, "Content-Length"), "7");
  EXPECT_EQ(body_of(whole), "sevenup");
  EXPECT_EQ(body_of(ask(server.port(), "HEAD /tagged")), "");
  const std::string same = ask(server.port(), "GET /tagged", "If-None-Match: \"x\"\r\n");
  EXPECT_EQ(status_of(same), "304");
  EXPECT_EQ(body_of(same), "");
}

TEST(HttpServer, WhatAHandlerThrowsIsAWarning) {
  HttpRoutes routes;
  routes.get("/broken",
             [](const HttpRequest&) -> HttpResponse { throw std::runtime_error("out of order"); });
  routes.get("/odd", [](const HttpRequest& request) {
    request.warnings().tell("how odd");
    return HttpResponse::line(kStatusOk, "odd");
  });
  std::vector<std::string> warnings;
  HttpServerOptions options;
  options.on_warning = [&](const std::string& line) { warnings.push_back(line); };
  {
    const HttpServer server(std::move(routes), options);
    EXPECT_EQ(status_of(ask(server.port(), "GET /broken")), "500");
    EXPECT_EQ(status_of(ask(server.port(), "GET /odd")), "200");
  }
  EXPECT_EQ(warnings, (std::vector<std::string>{"out of order", "how odd"}));
}

TEST(HttpServer, KeepsAConnection) {
  MadeUpFace face;
  const HttpServer server(face.routes(), {});
  const Socket socket = Socket::connect_to(server.port());
  for (int i = 0; i < 20; ++i) {
    ASSERT_TRUE(socket.send(kHead));
    EXPECT_EQ(status_of(socket.receive_until("\r\n\r\n")), "200") << i;
  }
  ASSERT_TRUE(socket.send("GET /nothing HTTP/1.1\r\nHost: test\r\n\r\n"));
  EXPECT_EQ(status_of(socket.receive_until("nothing here\n")), "404");
  // Two at once.
  ASSERT_TRUE(socket.send(kHead + kHead));
  std::string both = socket.receive_until("\r\n\r\n");
  while (both.find("\r\n\r\n") == both.rfind("\r\n\r\n") && socket.receive(both)) {
  }
  EXPECT_NE(both.find("\r\n\r\n"), both.rfind("\r\n\r\n"));
  EXPECT_EQ(server.counters().requests, 23U);
}

// What stands behind the headers of a refused request must not be taken for the next one.
TEST(HttpServer, ClosesBehindABodyThatItDidNotRead) {
  MadeUpFace face;
  const HttpServer server(face.routes(), {});
  for (const std::string line : {"GET /thing", "PUT /thing", "POST /nowhere"}) {
    const Socket socket = Socket::connect_to(server.port());
    const std::string hidden = "GET /thing HTTP/1.1\r\nHost: test\r\n\r\n";
    ASSERT_TRUE(socket.send(line + " HTTP/1.1\r\nHost: test\r\nContent-Length: " +
                            std::to_string(hidden.size()) + "\r\n\r\n" + hidden));
    socket.receive_all();
    EXPECT_EQ(face.n_asked, line.starts_with("GET") ? 1U : 0U) << line;
    face.n_asked = 0;
  }
}

TEST(HttpServer, TokenIsAskedForEverywhere) {
  MadeUpFace face;
  HttpServerOptions options;
  options.token = "right";
  const HttpServer server(face.routes(), options);
  for (const std::string line : {"GET /thing", "GET /things/x", "GET /", "POST /list", "PUT /x"}) {
    for (const std::string headers :
         {"", "Authorization: Bearer wrong\r\n", "Authorization: Bearer righ\r\n",
          "Authorization: Bearer rightt\r\n", "Authorization: Basic right\r\n",
          "Authorization: right\r\n", "Authorization: Bearer \r\n"}) {
      const std::string response = ask(server.port(), line, headers);
      EXPECT_EQ(status_of(response), "401") << line << " " << headers;
      EXPECT_EQ(header_of(response, "WWW-Authenticate"), "Bearer");
    }
  }
  EXPECT_EQ(face.n_asked, 0U);
  EXPECT_EQ(server.counters().unauthorized, 35U);
  EXPECT_EQ(status_of(ask(server.port(), "GET /thing", "Authorization: Bearer right\r\n")), "200");
}

TEST(HttpServer, RefusesConnectionsBeyondItsLimit) {
  MadeUpFace face;
  HttpServerOptions options;
  options.limits.max_connections = options.limits.max_connections_per_address = 2;
  options.limits.patience_for_request = 1h;  // nobody gives way
  const HttpServer server(face.routes(), options);
  auto first = std::make_unique<Socket>(Socket::connect_to(server.port()));
  const Socket second = Socket::connect_to(server.port());
  for (const Socket* socket :
       {static_cast<const Socket*>(first.get()), &second}) {  // both have their thread then
    ASSERT_TRUE(socket->send(kHead));
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
    response = next.send(kHead) ? next.receive_until("\r\n\r\n") : std::string();
  } while (status_of(response) != "200");
}

TEST(HttpServer, RequestsThatNeverEndAreEnded) {
  MadeUpFace face;
  HttpServerOptions options;
  options.limits.request_time = 200ms;
  options.limits.idle_time = 100ms;
  const HttpServer server(face.routes(), options);
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
  ASSERT_TRUE(half.send("GET /thi"));
  EXPECT_TRUE(is_ended(half, ""));
  const Socket dripping = Socket::connect_to(server.port());
  ASSERT_TRUE(dripping.send("GET /thing HTTP/1.1\r\n"));
  EXPECT_TRUE(is_ended(dripping, "x"));
  const Socket no_body = Socket::connect_to(server.port());
  ASSERT_TRUE(no_body.send("POST /list HTTP/1.1\r\nContent-Length: 8\r\n\r\n1234"));
  EXPECT_TRUE(is_ended(no_body, ""));
  EXPECT_EQ(face.n_asked, 0U);
}

TEST(HttpServer, HeadersHaveALimit) {
  MadeUpFace face;
  const HttpServer server(face.routes(), {});
  const Socket socket = Socket::connect_to(server.port());
  std::string headers = "GET /thing HTTP/1.1\r\n";
  for (int i = 0; i < 1000; ++i) {
    headers += "X-" + std::to_string(i) + ": " + std::string(40, 'x') + "\r\n";
  }
  socket.send(headers + "\r\n");
  EXPECT_NE(status_of(socket.receive_all()), "200");
  EXPECT_EQ(face.n_asked, 0U);
}

TEST(HttpServer, ClientThatDoesNotTakeWhatItAskedForIsLeft) {
  MadeUpFace face;
  HttpServerOptions options;
  options.limits.write_time = 100ms;
  const HttpServer server(face.routes(), options);
  const Socket socket = Socket::connect_to(server.port());
  ASSERT_TRUE(socket.send("GET /large HTTP/1.1\r\nHost: test\r\n\r\n"));
  // It is more than the system buffers: the server has to wait, and to give up.
  while (face.n_windows == 0) {
    std::this_thread::yield();
  }
  std::uint64_t n_windows = 0;
  do {
    n_windows = face.n_windows;
    std::this_thread::sleep_for(300ms);
  } while (n_windows != face.n_windows);
  EXPECT_LT(n_windows, test::kWindows);
  socket.receive_all();  // ends
}

TEST(HttpServer, StopsWhateverItIsAt) {
  MadeUpFace face;
  std::promise<void> is_inside;
  face.before = [&] { is_inside.set_value(); };
  HttpServer server(face.routes(), {});
  const Socket idle = Socket::connect_to(server.port());
  const Socket half = Socket::connect_to(server.port());
  ASSERT_TRUE(half.send("GET /thi"));
  const Socket blocked = Socket::connect_to(server.port());
  ASSERT_TRUE(blocked.send("GET /large HTTP/1.1\r\nHost: test\r\n\r\n"));
  is_inside.get_future().wait();
  server.stop();  // returns although nobody reads, and idle_time is a minute
  server.stop();
  EXPECT_EQ(idle.receive_all(), "");
}

TEST(HttpServer, AStopIsHeardByHandlers) {
  std::promise<void> is_inside;
  HttpRoutes routes;
  routes.get("/patient", [&](const HttpRequest& request) {
    is_inside.set_value();
    while (!request.stop().stop_requested()) {
      std::this_thread::yield();
    }
    return HttpResponse::line(kStatusUnavailable, "the server ends");
  });
  HttpServer server(std::move(routes), {});
  const Socket socket = Socket::connect_to(server.port());
  ASSERT_TRUE(socket.send("GET /patient HTTP/1.1\r\nHost: test\r\n\r\n"));
  is_inside.get_future().wait();
  server.stop();  // would not return
}

TEST(HttpServer, AddressInUseOrUnknown) {
  const HttpServer server({}, {});
  HttpServerOptions same;
  same.port = server.port();
  try {
    const HttpServer second({}, same);
    FAIL() << "two servers on one port";
  } catch (const CannotListen& error) {
    EXPECT_NE(std::string(error.what()).find(std::to_string(server.port())), std::string::npos);
  }
  HttpServerOptions unknown;
  unknown.address = "furrow.invalid";
  EXPECT_THROW(HttpServer({}, unknown), CannotListen);
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

TEST(HttpServer, ListensOnIpv6) {
  HttpServerOptions options;
  options.address = "::1";
  if (!has_ipv6()) {
    GTEST_SKIP() << "no IPv6 here";
  }
  const HttpServer server({}, options);
  EXPECT_EQ(server.url(), "http://[::1]:" + std::to_string(server.port()));
}

}  // namespace
}  // namespace furrow
