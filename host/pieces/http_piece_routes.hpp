// SPDX-License-Identifier: Apache-2.0
// What the HTTP server answers to each request (docs/formats/piece-http.md).
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <exception>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <httplib.h>

#include "furrow/piece_getter.hpp"

#include "host/pieces/http_piece_server.hpp"

namespace furrow {

/// Thread-safe. Getter and options outlive it.
class HttpPieceRoutes {
 public:
  using HandlerResponse = httplib::Server::HandlerResponse;

  /// Work is given up when `stop` says so.
  HttpPieceRoutes(PieceGetter& getter, const HttpServerOptions& options, std::stop_token stop);

  /// Called with the headers of each request. The bytes behind them that are read before it is
  /// answered; none when it is answered without reading what belongs to it, so that its connection
  /// cannot be used any more.
  std::optional<std::size_t> body_to_read(const httplib::Request& request);
  /// Whether route() refuses the request without its body, so that a client that asks first
  /// ("Expect: 100-continue") need not send it.
  [[nodiscard]] bool refuses_body(const httplib::Request& request) const;
  /// Answers everything but a sound batch, which is unhandled.
  HandlerResponse route(const httplib::Request& request, httplib::Response& response);
  void serve_batch(const httplib::Request& request, httplib::Response& response);

  /// Nothing of the observer comes out of it.
  void warn(const std::string& line);
  /// Its message; in a handler.
  void warn_of_current_exception() noexcept;
  /// Without refused connections.
  [[nodiscard]] HttpServerCounters counters() const;

  static constexpr const char* kPiecesPath = "/v1/pieces";

 private:
  /// Why a request is refused for what it says of its body.
  struct BodyProblem {
    int status;
    const char* text;
  };
  [[nodiscard]] bool is_authorized(const httplib::Request& request) const;
  [[nodiscard]] std::optional<BodyProblem> body_problem(const httplib::Request& request) const;
  void serve_manifest(const httplib::Request& request, httplib::Response& response);
  void serve_piece(std::string_view index_text, const httplib::Request& request,
                   httplib::Response& response);
  void answer_without_piece(PieceIndex index, const std::exception_ptr& error,
                            httplib::Response& response);
  /// Warns of a piece that failed, unless it did so a moment ago.
  void warn_of(PieceIndex index, const std::exception_ptr& error);
  bool send_frames(const std::vector<PieceIndex>& indices, httplib::DataSink& sink);
  bool send_frame(PieceIndex index, const PieceAnswer& given, httplib::DataSink& sink);

  PieceGetter& getter_;
  const HttpServerOptions& options_;
  std::stop_token stop_;
  std::string manifest_etag_;
  std::mutex warning_mutex_;
  std::unordered_map<std::uint64_t, std::chrono::steady_clock::time_point> next_warnings_;
  std::atomic<std::uint64_t> n_requests_ = 0;
  std::atomic<std::uint64_t> n_pieces_ = 0;
  std::atomic<std::uint64_t> n_not_found_ = 0;
  std::atomic<std::uint64_t> n_failed_ = 0;
  std::atomic<std::uint64_t> n_unauthorized_ = 0;
};

}  // namespace furrow
