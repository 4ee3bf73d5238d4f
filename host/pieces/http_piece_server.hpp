// SPDX-License-Identifier: Apache-2.0
// Serves pieces over HTTP (docs/formats/piece-http.md), and nothing else.
#pragma once

#include <cstdint>
#include <stop_token>
#include <string>

#include "furrow/piece_getter.hpp"

#include "host/http/http_server.hpp"
#include "host/pieces/http_piece_routes.hpp"

namespace furrow {

/// An HttpServer with the routes of pieces. Thread-safe.
class HttpPieceServer {
 public:
  /// What HttpPieceRoutes and HttpServer say of their constructors holds. The write time of the
  /// options is for one piece, whatever their window is.
  explicit HttpPieceServer(PieceGetter& getter, HttpServerOptions options = {},
                           HttpPieceRoutesOptions pieces = {},
                           const std::stop_token& stop_look_up = {});

  [[nodiscard]] std::uint16_t port() const { return server_.port(); }
  [[nodiscard]] std::string url() const { return server_.url(); }
  [[nodiscard]] HttpServerCounters counters() const { return server_.counters(); }
  [[nodiscard]] HttpPieceCounters piece_counters() const { return routes_.counters(); }
  void stop() { server_.stop(); }

 private:
  HttpPieceRoutes routes_;
  HttpServer server_;  // last: it uses the routes until it ends
};

}  // namespace furrow
