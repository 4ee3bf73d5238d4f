// SPDX-License-Identifier: Apache-2.0
// What is wrong with an answer is named for what it is, without the secrets of the request.
#include <chrono>
#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "host/http/curl_url.hpp"
#include "host/http/http_server.hpp"
#include "tests/unit/http/http_fetch.hpp"
#include "tests/unit/http/http_fixture.hpp"
#include "tests/unit/http/made_up_routes.hpp"

namespace furrow {
namespace {

using namespace std::chrono_literals;
using test::BadServer;
using test::fetch;
using test::Fetched;
using test::Socket;
using Kind = HttpProblem::Kind;

HttpClientOptions asking(const std::string& url) {
  HttpClientOptions options;
  options.url = url;
  options.wanted = "things";
  return options;
}

/// What a server that says this to every request is taken for.
Fetched fetch_from(const std::string& response) {
  BadServer server([&](BadServer&, int, Socket& socket) {
    socket.receive_until("\r\n\r\n");
    socket.send(response);
  });
  return fetch(asking(server.url()), "/thing");
}

void expect_problem(const Fetched& fetched, Kind kind, const std::string& named) {
  ASSERT_TRUE(fetched.problem.has_value()) << fetched.body;
  EXPECT_EQ(fetched.problem->kind, kind) << fetched.problem->message;
  EXPECT_NE(fetched.problem->message.find(named), std::string::npos) << fetched.problem->message;
  EXPECT_TRUE(fetched.problem->message.starts_with("thing from http")) << fetched.problem->message;
}

TEST(HttpClient, GetsWhatAServerHas) {
  test::MadeUpFace face;
  const HttpServer server(face.routes(), {});
  EXPECT_EQ(fetch(asking(server.url() + "/"), "/thing").body, "a thing\n");
  const Fetched nothing = fetch(asking(server.url()), "/nothing");
  expect_problem(nothing, Kind::kStatus, "404 (there is nothing here)");
  EXPECT_EQ(nothing.problem->status, kStatusNotFound);
  EXPECT_EQ(nothing.problem->fields.path, server.url() + "/nothing");
  EXPECT_EQ(nothing.problem->fields.expected, "status 200");
  EXPECT_EQ(nothing.problem->fields.actual, "404");
}

TEST(HttpClient, ShowsItsToken) {
  test::MadeUpFace face;
  HttpServerOptions with_token;
  with_token.token = "sesame12";
  const HttpServer server(face.routes(), with_token);
  HttpClientOptions options = asking(server.url());
  options.token = "sesame13";
  expect_problem(fetch(options, "/thing"), Kind::kUnauthorized, "401 (a token is needed)");
  options.token = "sesame12";
  EXPECT_EQ(fetch(options, "/thing").body, "a thing\n");
}

TEST(HttpClient, EachStatusIsNamed) {
  const auto with = [](const std::string& status) {
    return fetch_from("HTTP/1.1 " + status + "\r\nContent-Length: 3\r\n\r\nwhy");
  };
  expect_problem(with("401 Unauthorized"), Kind::kUnauthorized, "401 (why)");
  expect_problem(with("403 Forbidden"), Kind::kUnauthorized, "403 (why)");
  for (const std::string status : {"206 Part", "400 Bad", "429 Slow", "500 Oops", "503 Busy"}) {
    expect_problem(with(status), Kind::kStatus, status.substr(0, 3) + " (why)");
  }
  expect_problem(with("511 Log in"), Kind::kForeign, "captive portal");
  expect_problem(with("302 Found\r\nLocation: https://u:hunter2@x"), Kind::kForeign,
                 "a redirection to https://***@x");
}

TEST(HttpClient, WhatOtherServersSayIsNamed) {
  const auto with = [](const std::string& headers, const std::string& body) {
    return fetch_from("HTTP/1.1 200 OK\r\n" + headers +
                      "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
  };
  EXPECT_EQ(with("Content-Encoding: identity\r\n", "x").body, "x");
  expect_problem(with("Content-Type: Text/HTML; charset=utf-8\r\n", "x"), Kind::kForeign,
                 "expected things, actual a web page");
  expect_problem(with("Content-Encoding: br\r\n", "x"), Kind::kForeign, "compressed");
  expect_problem(fetch_from("HTTP/1.1 200 OK\r\nX: " + std::string(70'000, 'x') + "\r\n\r\n"),
                 Kind::kForeign, "65536 bytes of headers");
  // Of a body that somebody found to be wrong.
  HttpClientOptions options = asking("http://127.0.0.1:1");
  CurlRequest request(options);
  request.set_path("/thing");
  for (const std::string page : {"<!DOCTYPE html>", " \r\n<HTML>", "\x1f\x8b\x08"}) {
    EXPECT_EQ(problem_of_body(request, "thing", page).value().kind, Kind::kForeign) << page;
  }
  EXPECT_FALSE(problem_of_body(request, "thing", "merely wrong").has_value());
}

TEST(HttpClient, ConnectionsThatAreNotThereOrBreak) {
  std::string nobody;
  {
    const HttpServer server({}, {});
    nobody = server.url();
  }
  expect_problem(fetch(asking(nobody), "/thing"), Kind::kNoConnection, "");
  expect_problem(fetch(asking("http://furrow.invalid:1"), "/x"), Kind::kNoConnection, "furrow");
  const test::FullBacklog full;  // like a host that drops what is sent to it
  HttpClientOptions impatient = asking(full.url());
  impatient.connect_time = 200ms;
  expect_problem(fetch(impatient, "/thing"), Kind::kNoConnection, "");
  expect_problem(fetch_from(""), Kind::kBroken, "");
  expect_problem(fetch_from("SSH-2.0-OpenSSH_9.2\r\n"), Kind::kBroken, "");
  expect_problem(fetch_from("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"), Kind::kBroken, "");
  BadServer silent([](BadServer& self, int, Socket&) { self.wait_for_end(); });
  HttpClientOptions stalled = asking(silent.url());
  stalled.stall_time = 1s;
  expect_problem(fetch(stalled, "/thing"), Kind::kTimeout, "");
}

TEST(HttpClient, SecretsAreNotRepeated) {
  // libcurl sends user and password in base64.
  BadServer parrot([](BadServer&, int, Socket& socket) {
    const std::string request = socket.receive_until("\r\n\r\n");
    socket.send("HTTP/1.1 400 Bad\r\nConnection: close\r\nContent-Length: " +
                std::to_string(request.size()) + "\r\n\r\n" + request);
  });
  HttpClientOptions options = asking("http://user:geh%40eim@" + parrot.url().substr(7));
  const std::string named = fetch(options, "/thing").problem.value().message;
  options.token = "a-token-of-mine";
  const std::string both = fetch(options, "/thing").problem.value().message;
  for (const std::string& message : {named, both}) {
    for (const char* part : {"user:", "geh%40", "geh@", "a-token-of-mine", "dXNlcjpnZWhAZWlt"}) {
      EXPECT_EQ(message.find(part), std::string::npos) << part << " in: " << message;
    }
    EXPECT_NE(message.find("http://***@127.0.0.1"), std::string::npos) << message;
  }
}

TEST(HttpClient, AStopEndsARequest) {
  std::stop_source stop;
  BadServer silent([&](BadServer& self, int, Socket&) {
    stop.request_stop();
    self.wait_for_end();
  });
  EXPECT_TRUE(fetch(asking(silent.url()), "/thing", stop.get_token()).is_stopped);
}

TEST(HttpClient, AddressesThatCannotBeReadAreRefused) {
  EXPECT_NO_THROW(require_readable_url("http://u:p@a:1/b", "here"));
  for (const std::string url : {"http://a:99999", "http://u:hunter2@w@a", "ftp://a", "/a"}) {
    try {
      require_readable_url(url, "here");
      ADD_FAILURE() << url;
    } catch (const InvalidArgument& error) {
      EXPECT_TRUE(std::string(error.what()).starts_with("here: expected an address"))
          << error.what();
      EXPECT_EQ(std::string(error.what()).find("hunter2"), std::string::npos) << error.what();
    }
  }
}

}  // namespace
}  // namespace furrow
