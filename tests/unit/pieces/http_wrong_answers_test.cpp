// SPDX-License-Identifier: Apache-2.0
// HttpPieceGetter and the getter of manifests against servers whose answers are wrong.
#include <chrono>
#include <memory>
#include <random>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "host/pieces/http_manifest.hpp"
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

/// Gives one response to every request, then closes.
std::unique_ptr<BadServer> server_that_says(std::string response) {
  return std::make_unique<BadServer>(
      [response = std::move(response)](BadServer&, int, test::Socket& socket) {
        socket.receive_until("\r\n\r\n");
        socket.send(response);
      });
}

PieceAnswer get_from(const std::string& url, std::size_t pieces_per_request) {
  HttpSourceOptions options = quick_options(url);
  options.pieces_per_request = pieces_per_request;
  HttpPieceGetter getter(options, test::made_up_validator());
  return get_all(getter, {PieceIndex(6)}).at(6);
}

TEST(HttpPieceGetter, SingleResponsesThatAreWrong) {
  const PiecePtr piece = made_up_piece(PieceIndex(6));
  const std::string body(test::text_of(bytes_of(*piece)));
  const std::string etag = etag_of(blake3(bytes_of(*piece)));
  const auto answer_to = [&](const std::string& response) {
    const auto server = server_that_says(response);
    return get_from(server->url(), 1);
  };
  EXPECT_NE(answer_to(test::piece_response(body, etag)).piece, nullptr);
  EXPECT_NE(answer_to(test::piece_response(body, "W/\"of another kind\"")).piece, nullptr);
  EXPECT_NE(answer_to("HTTP/1.1 200 OK\r\n\r\n" + body).piece, nullptr);  // up to the end

  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  for (int i = 0; i < 5; ++i) {
    std::string flipped = body;
    flipped[random() % flipped.size()] ^= static_cast<char>(1 << (random() % 8));
    expect_failure<ChecksumMismatch>(answer_to(test::piece_response(flipped, etag)),
                                     {"piece 6", "127.0.0.1"});
    expect_failure<InvalidRecordProof>(answer_to(test::piece_response(flipped)), {"piece 6"});
  }
  const PiecePtr other = made_up_piece(PieceIndex(7));
  expect_failure<InvalidRecordProof>(
      answer_to(
          test::piece_response(test::text_of(bytes_of(*other)), etag_of(blake3(bytes_of(*other))))),
      {"piece 6"});

  const std::string cut = test::piece_response(body, etag);
  expect_failure<HttpTransferFailed>(answer_to(cut.substr(0, cut.size() - 1)), {"piece 6"});
  // Who is refused need not hear the whole message.
  const std::string refusal = "401 Unauthorized\r\nContent-Length: 100\r\n\r\nno tok";
  expect_failure<HttpUnauthorized>(answer_to("HTTP/1.1 " + refusal), {"401", "no tok"});
  expect_failure<HttpTransferFailed>(
      answer_to("HTTP/1.1 404 Not Found\r\nContent-Length: 100\r\n\r\nno pie"), {"piece 6"});
  expect_failure<InvalidBytesLength>(answer_to("HTTP/1.1 200 OK\r\n\r\n" + body.substr(1)),
                                     {"1049559"});
  expect_failure<InvalidBytesLength>(answer_to("HTTP/1.1 200 OK\r\n\r\n" + body + "x"),
                                     {"1049560"});
  expect_failure<InvalidBytesLength>(answer_to(test::piece_response(body + "x")), {"1049561"});
  expect_failure<InvalidBytesLength>(
      answer_to("HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551615\r\n\r\n"), {"1049560"});
  expect_failure<InvalidBytesLength>(answer_to(test::piece_response("")), {"1049560", "actual 0"});
  expect_failure<HttpTransferFailed>(answer_to(""), {"127.0.0.1"});
  expect_failure<HttpTransferFailed>(answer_to("SSH-2.0-OpenSSH_9.2\r\n"), {"127.0.0.1"});
  for (const std::string status : {"204 No Content", "206 Partial Content", "304 Not Modified",
                                   "400 Bad Request", "500 Oops", "503 Busy", "429 Slow down"}) {
    expect_failure<HttpStatusError>(answer_to("HTTP/1.1 " + status +
                                              "\r\nLocation: http://127.0.0.1:1/\r\n"
                                              "Content-Length: 0\r\n\r\n"),
                                    {"piece 6", status.substr(0, 3)});
  }
  expect_failure<HttpUnauthorized>(answer_to("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"),
                                   {"403"});
  EXPECT_TRUE(test::is_not_found(answer_to("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")));
}

TEST(HttpPieceGetter, BatchesThatAreWrong) {
  const PiecePtr piece = made_up_piece(PieceIndex(6));
  const auto body = bytes_of(*piece);
  const std::string good = test::frame(PieceIndex(6), PieceFrameStatus::kFound, body);
  const auto answer_to = [&](const std::string& frames) {
    const auto server = server_that_says(test::piece_response(frames));
    return get_from(server->url(), 8);
  };
  EXPECT_NE(answer_to(good).piece, nullptr);
  EXPECT_TRUE(
      test::is_not_found(answer_to(test::frame(PieceIndex(6), PieceFrameStatus::kNotFound, {}))));
  const std::string text = "is\nin pieces";
  expect_failure<RemotePieceFailed>(
      answer_to(test::frame(PieceIndex(6), PieceFrameStatus::kFailed,
                            {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()})),
      {"piece 6", "is in pieces"});

  expect_failure<UnexpectedPiece>(
      answer_to(test::frame(PieceIndex(7), PieceFrameStatus::kFound, body)),
      {"expected the piece asked for, actual piece index 7"});
  expect_failure<InvalidRecordProof>(
      answer_to(test::frame(PieceIndex(6), PieceFrameStatus::kFound,
                            bytes_of(*made_up_piece(PieceIndex(7))))),
      {"piece 6"});
  std::string flipped = good;
  flipped[70000] ^= 1;
  expect_failure<ChecksumMismatch>(answer_to(flipped), {"piece 6"});
  for (const std::size_t kept :
       {std::size_t{0}, std::size_t{1}, std::size_t{47}, std::size_t{48}, good.size() - 1}) {
    expect_failure<HttpTransferFailed>(answer_to(good.substr(0, kept)), {"1 piece missing"});
  }
  // What comes behind the last piece is an error, too, but the piece is here already.
  EXPECT_NE(answer_to(good + good).piece, nullptr);
}

TEST(HttpPieceGetter, BrokenFrameCostsOnlyThePiecesBehindIt) {
  std::string frames;
  for (std::uint64_t i = 0; i < 4; ++i) {
    frames += test::frame(PieceIndex(i), PieceFrameStatus::kFound,
                          bytes_of(*made_up_piece(PieceIndex(i))));
  }
  frames[2 * (frames.size() / 4) + 100] ^= 1;
  const auto server = server_that_says(test::piece_response(frames));
  HttpSourceOptions options = quick_options(server->url());
  options.in_flight = options.pieces_per_request = 4;
  HttpPieceGetter getter(options, test::made_up_validator());
  // One slot: all four pieces are in one request.
  const auto answers = get_all(getter, test::indices_up_to(4));
  test::expect_found(answers, 0);
  test::expect_found(answers, 1);
  expect_failure<ChecksumMismatch>(answers.at(2), {"piece 2"});
  expect_failure<ChecksumMismatch>(answers.at(3), {"piece 2"});
}

struct Foreign {
  std::string response;
  std::vector<std::string> named;
};

/// Answers of what stands between a client and a server of pieces.
std::vector<Foreign> foreign_answers() {
  const auto with = [](const std::string& head, const std::string& body) {
    return "HTTP/1.1 " + head + "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
           body;
  };
  const std::string page = "<!DOCTYPE html><title>Log in</title>";
  const std::string gzip = "\x1f\x8b\x08" + std::string(100, 'x');
  std::vector<Foreign> result = {
      {with("200 OK\r\nContent-Type: text/html; charset=utf-8", page), {"a web page", "text/html"}},
      {with("200 OK\r\nContent-Type: TEXT/HTML", std::string(kPieceSize, 'x')), {"a web page"}},
      {with("200 OK\r\nContent-Type: application/xhtml+xml", ""), {"a web page"}},
      {with("200 OK", page), {"a web page", "<!DOCTYPE html>"}},
      {with("200 OK\r\nContent-Type: application/octet-stream", "\r\n <HTML>"), {"a web page"}},
      {with("200 OK\r\nContent-Encoding: gzip", gzip), {"compressed", "gzip"}},
      {with("200 OK\r\nContent-Encoding: br", std::string(kPieceSize, 'x')), {"compressed", "br"}},
      {with("200 OK\r\nContent-Type: application/octet-stream", gzip), {"compressed", "gzip"}},
      {with("200 OK\r\nContent-Type: image/png", "PNG"), {"another type", "image/png"}},
      {with("511 Network Authentication Required", page), {"511", "captive portal"}},
  };
  for (const std::string status :
       {"301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"}) {
    result.push_back(
        {with(status + "\r\nLocation: https://u:hunter2@login.example/?k=hunter2", page),
         {status.substr(0, 3), "redirection to https://***@login.example/?***"}});
  }
  result.push_back({with("302 Found", ""), {"302", "redirection"}});
  return result;
}

TEST(HttpPieceGetter, WhatIsNoPieceIsNamed) {
  for (const Foreign& foreign : foreign_answers()) {
    SCOPED_TRACE(foreign.response.substr(0, 100));
    for (const std::size_t pieces_per_request : {1, 8}) {
      int n_connections = 0;
      {
        const auto server = server_that_says(foreign.response);
        HttpSourceOptions options = quick_options(server->url());
        options.pieces_per_request = pieces_per_request;
        options.tries = 3;  // none of which would change the answer
        HttpPieceGetter getter(options, test::made_up_validator());
        const PieceAnswer answer = get_all(getter, {PieceIndex(6)}).at(6);
        expect_failure<HttpNotAPiece>(answer, foreign.named);
        expect_failure<HttpNotAPiece>(answer, {pieces_per_request == 1 ? "piece 6" : "piece"});
        EXPECT_EQ(test::message_of_failure<HttpNotAPiece>(answer).find("hunter2"),
                  std::string::npos);
        n_connections = server->n_connections();
      }
      EXPECT_EQ(n_connections, 1);
    }
  }
}

TEST(HttpManifest, WhatIsNoManifestIsNamed) {
  for (const Foreign& foreign : foreign_answers()) {
    SCOPED_TRACE(foreign.response.substr(0, 100));
    const auto server = server_that_says(foreign.response);
    try {
      fetch_manifest_text(quick_options(server->url()), {});
      ADD_FAILURE() << "taken for a manifest";
    } catch (const HttpNotAPiece& error) {
      for (const std::string& part : foreign.named) {
        EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << error.what();
      }
      EXPECT_EQ(std::string(error.what()).find("hunter2"), std::string::npos) << error.what();
      EXPECT_EQ(error.fields().path, server->url() + "/v1/manifest");
    }
  }
}

// A type that says little is no reason to refuse what is right.
TEST(HttpPieceGetter, BytesDecideNotTheirType) {
  const std::string body(test::text_of(bytes_of(*made_up_piece(PieceIndex(6)))));
  const auto server = server_that_says(
      "HTTP/1.1 200 OK\r\nContent-Type: application/x-tar\r\nContent-Encoding: identity\r\n"
      "Content-Length: " +
      std::to_string(body.size()) + "\r\n\r\n" + body);
  EXPECT_NE(get_from(server->url(), 1).piece, nullptr);
}

TEST(HttpPieceGetter, SecretsAreNotRepeated) {
  const auto server = server_that_says(
      "HTTP/1.1 400 Bad\r\nContent-Length: 40\r\n\r\nyou sent 'Authorization: Bearer sesame12'..");
  HttpSourceOptions options =
      quick_options("http://user:hunter2@" + server->url().substr(std::string("http://").size()));
  options.token = "sesame12";
  HttpPieceGetter getter(options, test::made_up_validator());
  const std::string message =
      test::message_of_failure<HttpStatusError>(get_all(getter, {PieceIndex(6)}).at(6));
  EXPECT_EQ(message.find("hunter2"), std::string::npos) << message;
  EXPECT_EQ(message.find("sesame"), std::string::npos) << message;
  EXPECT_NE(message.find("http://***@127.0.0.1"), std::string::npos) << message;
}

/// Sends a beginning, and then the same again and again until nobody listens.
std::unique_ptr<BadServer> server_that_goes_on(std::string beginning, std::string rest) {
  return std::make_unique<BadServer>([beginning = std::move(beginning), rest = std::move(rest)](
                                         BadServer&, int, test::Socket& socket) {
    socket.receive_until("\r\n\r\n");
    for (bool is_heard = socket.send(beginning); is_heard;) {
      is_heard = socket.send(rest);
    }
  });
}

// Each would fill the memory or go on for ever if it were let; piece_time is two minutes here.
TEST(HttpPieceGetter, AnswersWithoutEndAreEnded) {
  const std::string chunk = "1000\r\n" + std::string(0x1000, 'x') + "\r\n";
  struct Endless {
    std::string beginning;
    std::string rest;
  };
  const Endless headers[] = {
      {"HTTP/1.1 200 OK\r\n", "X-Header: " + std::string(500, 'x') + "\r\n"},
      {"HTTP/1.1 200 OK\r\nX-Header: ", std::string(500, 'x')},
      {"", "HTTP/1.1 100 Continue\r\n\r\n"},
  };
  for (const Endless& endless : headers) {
    const auto server = server_that_goes_on(endless.beginning, endless.rest);
    expect_failure<Error>(get_from(server->url(), 1), {"piece 6"});
    EXPECT_THROW(fetch_manifest_text(quick_options(server->url()), {}), Error);
  }
  const Endless bodies[] = {
      {"HTTP/1.1 200 OK\r\n\r\n", std::string(0x1000, 'x')},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", chunk},
      {"HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n", chunk},
      {"HTTP/1.1 500 Oops\r\nTransfer-Encoding: chunked\r\n\r\n", chunk},
  };
  for (const Endless& endless : bodies) {
    SCOPED_TRACE(endless.beginning);
    const auto server = server_that_goes_on(endless.beginning, endless.rest);
    expect_failure<InvalidBytesLength>(get_from(server->url(), 1), {"1049560"});
    HttpSourceOptions options = quick_options(server->url());
    options.max_manifest_bytes = 100'000;
    EXPECT_THROW(fetch_manifest_text(options, {}), Error);
  }
}

// A byte now and then keeps a connection busy, but a piece has its time as a whole.
TEST(HttpPieceGetter, DrippingIsNotAnAnswer) {
  BadServer server([](BadServer&, int, test::Socket& socket) {
    socket.receive_until("\r\n\r\n");
    bool is_heard = socket.send("HTTP/1.1 200 OK\r\nContent-Length: 1049560\r\n\r\n");
    while (is_heard) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
      is_heard = socket.send("x");
    }
  });
  HttpSourceOptions options = quick_options(server.url());
  options.piece_time = std::chrono::milliseconds(200);
  HttpPieceGetter getter(options, test::made_up_validator());
  expect_failure<HttpTimeout>(get_all(getter, {PieceIndex(6)}).at(6), {"piece 6"});
  EXPECT_THROW(fetch_manifest_text(options, {}), HttpTimeout);
}

// Whoever was never connected has not been late with an answer: the source as a whole is away.
TEST(HttpPieceGetter, ConnectionsThatAreNeverThere) {
  const test::FullBacklog full;  // like a host that drops what is sent to it
  BadServer no_tls([](BadServer& self, int, test::Socket&) { self.wait_for_end(); });
  for (const std::string& url :
       {full.url(), "https" + no_tls.url().substr(std::string("http").size())}) {
    HttpSourceOptions options = quick_options(url);
    options.connect_time = std::chrono::milliseconds(200);
    HttpPieceGetter getter(options, test::made_up_validator());
    expect_failure<HttpConnectionFailed>(get_all(getter, {PieceIndex(6)}).at(6), {"piece 6", url});
    EXPECT_THROW(fetch_manifest_text(options, {}), HttpConnectionFailed);
  }
}

TEST(HttpManifest, IsWhatTheServerHas) {
  test::MadeUpGetter source;
  const std::string manifest(300'000, 'm');
  const HttpPieceServer server(source, {}, {.manifest_json = manifest});
  HttpSourceOptions options = quick_options(server.url() + "/");
  EXPECT_EQ(fetch_manifest_text(options, {}), manifest);
  options.max_manifest_bytes = 299'999;
  EXPECT_THROW(fetch_manifest_text(options, {}), InvalidBytesLength);

  const auto refusing = server_that_says("HTTP/1.1 403 Forbidden\r\nContent-Length: 9\r\n\r\n");
  EXPECT_THROW(fetch_manifest_text(quick_options(refusing->url()), {}), HttpUnauthorized);
  const HttpPieceServer without(source, {});
  EXPECT_THROW(fetch_manifest_text(quick_options(without.url()), {}), HttpStatusError);
  const std::string wrong_tag = etag_of(Hash{});
  const auto liar = server_that_says(test::piece_response("{}", wrong_tag));
  EXPECT_THROW(fetch_manifest_text(quick_options(liar->url()), {}), ChecksumMismatch);
  std::stop_source stop;
  BadServer silent([&](BadServer& self, int, test::Socket&) {
    stop.request_stop();
    self.wait_for_end();
  });
  EXPECT_EQ(fetch_manifest_text(quick_options(silent.url()), stop.get_token()), std::nullopt);
}

}  // namespace
}  // namespace furrow
