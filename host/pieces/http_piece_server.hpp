// Serves pieces over HTTP (docs/formats/piece-http.md).
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "furrow/piece_getter.hpp"

#include "host/pieces/tls_server.hpp"

namespace furrow {

/// The address cannot be listened on; the message names it.
class CannotListen : public Error {
 public:
  CannotListen(const std::string& address, std::uint16_t port, int error_number);
};

/// What a client may ask of a server.
struct HttpServerLimits {
  /// Connections at a time, each with a thread and at most one piece in memory, or a few while the
  /// getter reads ahead. Those beyond are refused with status 503.
  std::size_t max_connections = 256;
  /// Pieces in one batch.
  std::size_t max_batch = 256;
  /// Request line and headers.
  std::size_t max_header_bytes = 16 * 1024;
  /// From the first byte of a request to its last one, and for agreeing on TLS.
  std::chrono::milliseconds request_time = std::chrono::seconds(10);
  /// For the client to take one piece.
  std::chrono::milliseconds piece_time = std::chrono::seconds(60);
  /// How long a connection is kept without a request.
  std::chrono::milliseconds idle_time = std::chrono::seconds(60);
};

struct HttpServerOptions {
  /// Address or name of this machine to listen on.
  std::string address = "127.0.0.1";
  /// 0 picks one that is free.
  std::uint16_t port = 0;
  /// What clients have to show, when set and not empty. Without it everybody is served.
  std::string token;
  std::optional<TlsFiles> tls;
  /// The text that /v1/manifest gives; nothing there when empty.
  std::string manifest_json;
  HttpServerLimits limits;
  /// Called on threads of the server, one at a time, with a line about a piece that failed.
  std::function<void(const std::string& line)> on_warning;
};

/// What a server did.
struct HttpServerCounters {
  std::uint64_t requests = 0;
  std::uint64_t pieces = 0;        ///< sent as a whole
  std::uint64_t not_found = 0;     ///< pieces that the getter does not have
  std::uint64_t failed = 0;        ///< pieces that the getter failed to give
  std::uint64_t unauthorized = 0;  ///< requests without the token
  std::uint64_t refused = 0;       ///< connections beyond the limit
};

/// Serves from construction to stop(). All members are thread-safe.
///
/// The process ignores SIGPIPE afterwards.
class HttpPieceServer {
 public:
  /// `getter` outlives the server and is asked by several threads at once. Throws CannotListen and
  /// InvalidTlsFile.
  HttpPieceServer(PieceGetter& getter, HttpServerOptions options);
  HttpPieceServer(const HttpPieceServer&) = delete;
  HttpPieceServer& operator=(const HttpPieceServer&) = delete;
  /// Stops.
  ~HttpPieceServer();

  /// The port in use.
  [[nodiscard]] std::uint16_t port() const;
  /// "http://127.0.0.1:8080", "https://[::1]:8080".
  [[nodiscard]] std::string url() const;
  [[nodiscard]] HttpServerCounters counters() const;

  /// Ends all connections, whatever they are at, and waits for their threads.
  void stop();

 private:
  class Core;
  std::unique_ptr<Core> core_;
};

}  // namespace furrow
