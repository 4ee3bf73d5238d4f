// SPDX-License-Identifier: Apache-2.0
// What becomes of a request that httplib has parsed: refused, or answered by its route.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>

#include "host/http/http_routes.hpp"
#include "host/http/http_warnings.hpp"

namespace httplib {
struct Request;
struct Response;
}  // namespace httplib

namespace furrow {

/// Thread-safe. Token and warnings outlive it.
class HttpDispatch {
 public:
  /// `stop` is passed on to the handlers.
  HttpDispatch(HttpRoutes routes, const std::string& token, HttpWarnings& warnings,
               std::stop_token stop);

  /// Called with the headers of each request. The bytes behind them that are read before it is
  /// answered; none when it is answered without reading what belongs to it, so that its connection
  /// cannot be used any more.
  std::optional<std::size_t> body_to_read(const httplib::Request& request);
  /// True, with the answer, when the headers are reason enough to refuse the request.
  bool refuses(const httplib::Request& request, httplib::Response& response);
  /// Answers everything but a sound request whose route wants a body: false for that.
  bool answers_without_body(const httplib::Request& request, httplib::Response& response);
  /// The rest, with its body.
  void answer_with_body(const httplib::Request& request, httplib::Response& response);

  [[nodiscard]] std::size_t max_body_bytes() const { return routes_.max_body_bytes(); }
  [[nodiscard]] std::uint64_t n_requests() const { return n_requests_; }
  [[nodiscard]] std::uint64_t n_unauthorized() const { return n_unauthorized_; }

 private:
  void answer(const HttpRoutes::Route& route, const httplib::Request& request,
              httplib::Response& response);

  const HttpRoutes routes_;
  const std::string& token_;
  HttpWarnings& warnings_;
  std::stop_token stop_;
  std::atomic<std::uint64_t> n_requests_ = 0;
  std::atomic<std::uint64_t> n_unauthorized_ = 0;
};

}  // namespace furrow
