// SPDX-License-Identifier: Apache-2.0
#include "host/http/http_server.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <exception>
#include <system_error>
#include <thread>
#include <utility>

#include <fcntl.h>
#include <httplib.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "host/base/mutex.hpp"
#include "host/base/threads.hpp"
#include "host/http/connection_places.hpp"
#include "host/http/connection_threads.hpp"
#include "host/http/http_connection.hpp"
#include "host/http/http_dispatch.hpp"

namespace furrow {
namespace {

/// Files that the process opens for other things than connections and what they read.
constexpr std::size_t kOtherDescriptors = 64;
/// A connection is one, and the file that its answer comes from.
constexpr std::size_t kDescriptorsPerConnection = 2;
/// Before accept is tried again when the system lacks something.
constexpr int kPauseMilliseconds = 100;
/// Between two warnings of that: clients are not to fill the log.
constexpr std::chrono::minutes kWarningPause(1);
/// What a client may still send of a request that was answered unread, and for how long.
constexpr std::size_t kMaxDroppedBytes = std::size_t{1} << 20;
constexpr std::chrono::milliseconds kClosingTime = std::chrono::seconds(1);

/// As many connections as the process may have files open.
std::size_t possible_connections(std::size_t wanted) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) {
    return wanted;
  }
  const std::size_t most =
      std::max<std::size_t>(limit.rlim_cur, kOtherDescriptors) - kOtherDescriptors;
  return std::clamp<std::size_t>(most / kDescriptorsPerConnection, 1,
                                 std::max<std::size_t>(wanted, 1));
}

std::size_t possible_per_address(const HttpServerLimits& limits) {
  return limits.max_connections_per_address != 0
             ? limits.max_connections_per_address
             : (possible_connections(limits.max_connections) + 1) / 2;
}

/// Kept so that a connection can be accepted, and told that there is no room, when no other file
/// can be opened.
OwnedDescriptor spare_descriptor() {
  return OwnedDescriptor(::open("/dev/null", O_RDONLY | O_CLOEXEC));
}

}  // namespace

class HttpServer::Core : public httplib::Server {
 public:
  Core(HttpRoutes routes, HttpServerOptions options, const std::stop_token& stop_look_up)
      : options_(std::move(options)),
        warnings_(options_.on_warning),
        dispatch_(std::move(routes), options_.token, warnings_, stop_.get_token()),
        tls_(options_.tls.has_value() ? make_server_tls(*options_.tls) : nullptr),
        places_({.max_connections = possible_connections(options_.limits.max_connections),
                 .max_per_client = possible_per_address(options_.limits),
                 .patience_for_request = options_.limits.patience_for_request,
                 .patience_for_taking = options_.limits.patience_for_taking}),
        listening_(options_.address, options_.port, stop_look_up),
        spare_(spare_descriptor()) {
    set_payload_max_length(dispatch_.max_body_bytes());
    set_expect_100_continue_handler(
        [this](const httplib::Request& request, httplib::Response& response) {
          return dispatch_.refuses(request, response) ? response.status : 100;
        });
    set_pre_routing_handler([this](const httplib::Request& request, httplib::Response& response) {
      return dispatch_.answers_without_body(request, response) ? HandlerResponse::Handled
                                                               : HandlerResponse::Unhandled;
    });
    // What is left, whose body httplib reads first.
    Post(".*", [this](const httplib::Request& request, httplib::Response& response) {
      dispatch_.answer_with_body(request, response);
    });
    set_exception_handler(
        [this](const httplib::Request&, httplib::Response& response, std::exception_ptr error) {
          try {
            std::rethrow_exception(std::move(error));
          } catch (const std::exception& e) {
            warnings_.tell(e.what());
          }
          response.status = kStatusServerError;
        });
    svr_sock_ = listening_.descriptor();  // httplib sends content only while it has one
    const std::size_t possible = possible_connections(options_.limits.max_connections);
    if (possible < options_.limits.max_connections) {
      warnings_.tell("the limit of open files leaves room for " + std::to_string(possible) +
                     " of " + std::to_string(options_.limits.max_connections) + " connections");
    }
    listener_ = start_thread("fw-listen", [this] { accept_all(); });
  }
  ~Core() override { stop_serving(); }

  [[nodiscard]] std::uint16_t port() const { return listening_.port(); }
  [[nodiscard]] std::string url() const {
    const bool is_ipv6 = options_.address.find(':') != std::string::npos;
    return (options_.tls.has_value() ? "https://" : "http://") +
           (is_ipv6 ? "[" + options_.address + "]" : options_.address) + ":" +
           std::to_string(port());
  }
  [[nodiscard]] HttpServerCounters counters() const {
    return {.requests = dispatch_.n_requests(),
            .unauthorized = dispatch_.n_unauthorized(),
            .refused = n_refused_,
            .gave_way = places_.n_given_way()};
  }

  void stop_serving() {
    const Lock lock(stop_mutex_);
    stop_.request_stop();
    stop_event_.set();
    svr_sock_ = INVALID_SOCKET;
    if (listener_.joinable()) {
      listener_.join();
    }
    listening_.close();
  }

 private:
  /// Waits for a connection, or for so long; a stop ends the waiting.
  void wait_for_connection(int milliseconds) const {
    std::array<pollfd, 2> polled = {
        {{listening_.descriptor(), static_cast<short>(milliseconds < 0 ? POLLIN : 0), 0},
         {stop_event_.descriptor(), POLLIN, 0}}};
    ::poll(polled.data(), polled.size(), milliseconds);
  }

  void accept_all() {
    ConnectionThreads threads;
    while (!stop_.stop_requested()) {
      wait_for_connection(-1);
      try {
        ListeningSocket::Accepted accepted = listening_.accept();
        if (accepted.error != 0) {
          do_without(accepted.error);
        } else if (accepted.socket.get() >= 0) {
          begin(threads, std::move(accepted));
        }
      } catch (const std::bad_alloc&) {
        ++n_refused_;  // that connection is closed, the server goes on
      }
    }
  }

  /// The system has no room for a connection: it is told so where that can be done, and the one
  /// that gives way first makes room for the next.
  void do_without(int error) {
    const auto now = ConnectionPlaces::Clock::now();
    if (now >= next_warning_) {
      next_warning_ = now + kWarningPause;
      warnings_.tell("no room for a connection: " + std::generic_category().message(error));
    }
    ++n_refused_;
    places_.end_one();
    spare_ = OwnedDescriptor();
    const ListeningSocket::Accepted accepted = listening_.accept();
    if (accepted.socket.get() >= 0) {
      refuse_connection(accepted.socket, tls_ != nullptr);
    } else {
      wait_for_connection(kPauseMilliseconds);
    }
    spare_ = spare_descriptor();
  }

  /// A connection on its way to a thread.
  struct Pending {
    OwnedDescriptor socket;
    std::unique_ptr<ConnectionPlaces::Place> place;  // ends before the socket does
  };

  void begin(ConnectionThreads& threads, ListeningSocket::Accepted accepted) {
    // Shared, because what a thread is given has to be copyable.
    const auto pending = std::make_shared<Pending>(Pending{std::move(accepted.socket), nullptr});
    pending->place = places_.take(pending->socket.get(), accepted.client);
    if (pending->place == nullptr || !threads.start([this, pending] { serve(*pending); })) {
      pending->place.reset();
      ++n_refused_;
      refuse_connection(pending->socket, tls_ != nullptr);
    }
  }

  void serve(Pending& pending) noexcept {
    try {
      HttpConnection connection(std::move(pending.socket), std::move(pending.place), tls_.get(),
                                stop_event_);
      serve(connection);
    } catch (...) {  // the connection is gone, the server goes on
      warnings_.tell_of_current_exception();
    }
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
                               limits.max_header_bytes + dispatch_.max_body_bytes(),
                               limits.write_time, limits.write_window);
      bool has_unread_body = true;  // until the headers are known
      const bool is_answered = process_request(
          connection, stop_.stop_requested(), is_closed, [&](httplib::Request& request) {
            // None of what httplib would do by itself: thousands of ranges in one answer, or
            // compressing the same text for everybody who asks.
            request.ranges.clear();
            request.headers.erase("Range");
            request.headers.erase("Accept-Encoding");
            const std::optional<std::size_t> body = dispatch_.body_to_read(request);
            has_unread_body = !body.has_value();
            connection.expect_body(body.value_or(0));
            if (has_unread_body) {
              request.headers.erase("Connection");
              request.set_header("Connection", "close");
            }
          });
      if (!is_answered || has_unread_body) {
        connection.close_gently(Clock::now() + kClosingTime, kMaxDroppedBytes);
        return;
      }
    }
  }

  const HttpServerOptions options_;
  HttpWarnings warnings_;
  std::stop_source stop_;
  StopEvent stop_event_;
  HttpDispatch dispatch_;
  TlsContext tls_;
  ConnectionPlaces places_;
  ListeningSocket listening_;
  OwnedDescriptor spare_;
  ConnectionPlaces::Clock::time_point next_warning_{};
  Mutex stop_mutex_;
  std::atomic<std::uint64_t> n_refused_ = 0;
  std::jthread listener_ FURROW_GUARDED_BY(stop_mutex_);
};

HttpServer::HttpServer(HttpRoutes routes, HttpServerOptions options,
                       const std::stop_token& stop_look_up)
    : core_(std::make_unique<Core>(std::move(routes), std::move(options), stop_look_up)) {}
HttpServer::~HttpServer() = default;

std::uint16_t HttpServer::port() const {
  return core_->port();
}

std::string HttpServer::url() const {
  return core_->url();
}

HttpServerCounters HttpServer::counters() const {
  return core_->counters();
}

void HttpServer::stop() {
  core_->stop_serving();
}

}  // namespace furrow
