#include "host/pieces/http_piece_server.hpp"

#include <atomic>
#include <cerrno>
#include <mutex>
#include <stop_token>
#include <system_error>
#include <thread>
#include <utility>

#include <sys/socket.h>

#include "host/base/threads.hpp"
#include "host/pieces/connection_threads.hpp"
#include "host/pieces/http_connection.hpp"
#include "host/pieces/http_piece_routes.hpp"

namespace furrow {
namespace {

constexpr int kBacklog = 512;  // httplib asks for 5

/// The socket may be taken over from a server that just ended, but not from one that listens.
void set_socket_options(socket_t socket) {
  const int on = 1;
  ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
}

}  // namespace

CannotListen::CannotListen(const std::string& address, std::uint16_t port, int error_number)
    : Error(ErrorKind::kIo, "cannot listen on " + address + " port " + std::to_string(port) + ": " +
                                std::generic_category().message(error_number)) {}

class HttpPieceServer::Core : public httplib::Server {
 public:
  Core(PieceGetter& getter, HttpServerOptions options)
      : options_(std::move(options)),
        tls_(options_.tls.has_value() ? make_server_tls(*options_.tls) : nullptr),
        routes_(getter, options_, stop_.get_token()) {
    new_task_queue = [this] { return new ConnectionThreads(options_.limits.max_connections); };
    set_payload_max_length(options_.limits.max_batch * sizeof(std::uint64_t));
    set_tcp_nodelay(true);
    set_socket_options(furrow::set_socket_options);
    set_pre_routing_handler([this](const httplib::Request& request, httplib::Response& response) {
      return routes_.route(request, response);
    });
    Post(HttpPieceRoutes::kPiecesPath,
         [this](const httplib::Request& request, httplib::Response& response) {
           routes_.serve_batch(request, response);
         });
    set_exception_handler(
        [this](const httplib::Request&, httplib::Response& response, std::exception_ptr error) {
          try {
            std::rethrow_exception(std::move(error));
          } catch (const std::exception& e) {
            routes_.warn(e.what());
          }
          response.status = 500;
        });
    listen_on_port();
  }
  ~Core() override { stop_serving(); }

  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] const HttpServerOptions& options() const { return options_; }
  [[nodiscard]] HttpServerCounters counters() const {
    HttpServerCounters result = routes_.counters();
    result.refused = n_refused_;
    return result;
  }

  void stop_serving() {
    const std::lock_guard lock(stop_mutex_);
    stop_.request_stop();
    stop_event_.set();
    httplib::Server::stop();
    if (listener_.joinable()) {
      listener_.join();
    }
  }

 private:
  void listen_on_port() {
    errno = 0;
    int port = options_.port;
    bool is_bound = false;
    if (port == 0) {
      port = bind_to_any_port(options_.address);
      is_bound = port > 0;
    } else {
      is_bound = bind_to_port(options_.address, port);
    }
    if (!is_bound || ::listen(svr_sock_, kBacklog) != 0) {
      throw CannotListen(options_.address, options_.port, errno == 0 ? EADDRNOTAVAIL : errno);
    }
    port_ = static_cast<std::uint16_t>(port);
    listener_ = start_thread("fw-listen", [this] {
      listen_after_bind();
      has_ended_ = true;
    });
    // A server that does not run yet would not notice that it has to stop.
    while (!is_running() && !has_ended_) {
      std::this_thread::yield();
    }
  }

  bool process_and_close_socket(socket_t socket) override {
    if (ConnectionThreads::is_refusing()) {
      ++n_refused_;
      refuse_connection(socket, tls_ != nullptr);
      return true;
    }
    try {
      HttpConnection connection(socket, tls_.get(), stop_event_);
      serve(connection);
    } catch (const std::exception& error) {
      routes_.warn(error.what());  // the connection is gone, the server goes on
    }
    return true;
  }

  void serve(HttpConnection& connection) {
    using Clock = HttpConnection::Clock;
    const HttpServerLimits& limits = options_.limits;
    if (!connection.handshake(Clock::now() + limits.request_time)) {
      return;
    }
    bool is_closed = false;
    while (!is_closed && connection.wait_for_request(Clock::now() + limits.idle_time)) {
      connection.begin_request(Clock::now() + limits.request_time,
                               limits.max_header_bytes + limits.max_batch * sizeof(std::uint64_t),
                               limits.piece_time);
      bool has_unread_body = true;  // until the headers are known
      const bool is_answered = process_request(
          connection, stop_.stop_requested(), is_closed, [&](httplib::Request& request) {
            has_unread_body = routes_.leaves_body_unread(request);
            if (has_unread_body) {
              request.headers.erase("Connection");
              request.set_header("Connection", "close");
            }
          });
      if (!is_answered || has_unread_body) {
        return;
      }
    }
  }

  HttpServerOptions options_;
  TlsContext tls_;
  std::stop_source stop_;
  StopEvent stop_event_;
  HttpPieceRoutes routes_;
  std::uint16_t port_ = 0;
  std::mutex stop_mutex_;
  std::atomic<bool> has_ended_ = false;
  std::atomic<std::uint64_t> n_refused_ = 0;
  std::jthread listener_;
};

HttpPieceServer::HttpPieceServer(PieceGetter& getter, HttpServerOptions options)
    : core_(std::make_unique<Core>(getter, std::move(options))) {}
HttpPieceServer::~HttpPieceServer() = default;

std::uint16_t HttpPieceServer::port() const {
  return core_->port();
}

std::string HttpPieceServer::url() const {
  const HttpServerOptions& options = core_->options();
  const bool is_ipv6 = options.address.find(':') != std::string::npos;
  return (options.tls.has_value() ? "https://" : "http://") +
         (is_ipv6 ? "[" + options.address + "]" : options.address) + ":" + std::to_string(port());
}

HttpServerCounters HttpPieceServer::counters() const {
  return core_->counters();
}

void HttpPieceServer::stop() {
  core_->stop_serving();
}

}  // namespace furrow
