// SPDX-License-Identifier: Apache-2.0
// A server over HTTP/1.1, with or without TLS, for whatever its routes answer.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "host/base/observer.hpp"
#include "host/http/http_routes.hpp"
#include "host/http/listening_socket.hpp"
#include "host/http/tls_server.hpp"

namespace furrow {

/// What a client may ask of a server.
struct HttpServerLimits {
  /// Connections at a time, each with a thread. When all are taken, the connection whose client
  /// keeps the server waiting for longest ends in favour of a new one; when none does, the new one
  /// is refused with status 503. Fewer where the process may not open as many files.
  std::size_t max_connections = 256;
  /// The same for the connections from one address, or from one IPv6 network of 64 bits, whose
  /// addresses are all one client's. 0 is half of max_connections.
  std::size_t max_connections_per_address = 0;
  /// Request line and headers.
  std::size_t max_header_bytes = 16 * 1024;
  /// From the first byte of a request to its last one, and for agreeing on TLS.
  std::chrono::milliseconds request_time = std::chrono::seconds(10);
  /// For the client to take so many bytes of a response.
  std::chrono::milliseconds write_time = std::chrono::seconds(60);
  std::size_t write_window = std::size_t{1} << 20;
  /// How long a connection is kept without a request.
  std::chrono::milliseconds idle_time = std::chrono::seconds(60);
  /// How long a client may keep the server waiting for a request, or for taking what is sent,
  /// before its connection may end in favour of another one.
  std::chrono::milliseconds patience_for_request = std::chrono::seconds(1);
  std::chrono::milliseconds patience_for_taking = std::chrono::seconds(10);
};

struct HttpServerOptions {
  /// Address or name of this machine to listen on.
  std::string address = "127.0.0.1";
  /// 0 picks one that is free.
  std::uint16_t port = 0;
  /// What clients have to show, when set and not empty. Without it everybody is served.
  std::string token;
  std::optional<TlsFiles> tls;
  HttpServerLimits limits;
  /// Called on threads of the server, one at a time, with a line about what went wrong.
  Observer<const std::string&> on_warning;
};

/// What a server did, whatever it was asked for.
struct HttpServerCounters {
  std::uint64_t requests = 0;
  std::uint64_t unauthorized = 0;  ///< requests without the token
  std::uint64_t refused = 0;   ///< connections beyond a limit, or that the system had no room for
  std::uint64_t gave_way = 0;  ///< connections ended in favour of others
};

/// Serves from construction to stop(). All members are thread-safe.
///
/// The process ignores SIGPIPE afterwards.
class HttpServer {
 public:
  /// What the handlers of the routes use outlives the server. Throws CannotListen, InvalidTlsFile,
  /// and ResourceExhausted when the system has no thread to begin with.
  /// A stop request gives up the look-up of a name to listen on, with CannotListen; it does not
  /// stop the server.
  HttpServer(HttpRoutes routes, HttpServerOptions options,
             const std::stop_token& stop_look_up = {});
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;
  /// Stops.
  ~HttpServer();

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
