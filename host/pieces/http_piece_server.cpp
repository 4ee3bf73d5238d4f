// SPDX-License-Identifier: Apache-2.0
#include "host/pieces/http_piece_server.hpp"

#include <utility>

namespace furrow {
namespace {

HttpRoutes all_of(HttpPieceRoutes& pieces) {
  HttpRoutes routes;
  pieces.add_to(routes);
  return routes;
}

/// A piece is taken within the time with the headers or the frame around it.
HttpServerOptions for_pieces(HttpServerOptions options) {
  options.limits.write_window = kPieceSize + 4096;
  return options;
}

}  // namespace

HttpPieceServer::HttpPieceServer(PieceGetter& getter, HttpServerOptions options,
                                 HttpPieceRoutesOptions pieces, const std::stop_token& stop_look_up)
    : routes_(getter, std::move(pieces)),
      server_(all_of(routes_), for_pieces(std::move(options)), stop_look_up) {}

}  // namespace furrow
