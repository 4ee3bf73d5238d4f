// SPDX-License-Identifier: Apache-2.0
#include "host/http/http_connection.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstring>
#include <new>
#include <system_error>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

namespace furrow {
namespace {

constexpr std::size_t kBufferSize = 4096;  // a request is a few hundred bytes

int poll_timeout(HttpConnection::Clock::time_point deadline) {
  const auto left =
      std::chrono::ceil<std::chrono::milliseconds>(deadline - HttpConnection::Clock::now());
  return static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, INT_MAX));
}

void address_of(int (*ask)(int, sockaddr*, socklen_t*), int socket, std::string& ip, int& port) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  char host[NI_MAXHOST] = "";
  char service[NI_MAXSERV] = "0";
  if (ask(socket, reinterpret_cast<sockaddr*>(&address), &size) == 0) {
    ::getnameinfo(reinterpret_cast<sockaddr*>(&address), size, host, sizeof host, service,
                  sizeof service, NI_NUMERICHOST | NI_NUMERICSERV);
  }
  ip = host;
  port = std::atoi(service);  // NOLINT(cert-err34-c): the system wrote it
}

}  // namespace

StopEvent::StopEvent() : descriptor_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (descriptor_ < 0) {
    throw std::system_error(errno, std::generic_category(), "eventfd");
  }
}
StopEvent::~StopEvent() {
  ::close(descriptor_);
}
void StopEvent::set() noexcept {
  const std::uint64_t one = 1;
  // Fails only when the event was set close to 2^64 times before.
  [[maybe_unused]] const ssize_t written = ::write(descriptor_, &one, sizeof one);
}

void HttpConnection::FreeTls::operator()(ssl_st* tls) const noexcept {
  SSL_free(tls);
}

HttpConnection::HttpConnection(OwnedDescriptor socket,
                               std::unique_ptr<ConnectionPlaces::Place> place, ssl_ctx_st* tls,
                               const StopEvent& stop)
    : socket_(std::move(socket)), place_(std::move(place)), stop_(stop) {
  if (tls != nullptr) {
    tls_.reset(SSL_new(tls));
    if (tls_ == nullptr) {
      throw std::bad_alloc();
    }
    SSL_set_fd(tls_.get(), socket_.get());
  }
}

HttpConnection::~HttpConnection() {
  if (tls_ != nullptr && !is_broken_) {
    ERR_clear_error();
    SSL_shutdown(tls_.get());  // says goodbye, does not wait for the answer
  }
  ::shutdown(socket_.get(), SHUT_RDWR);
}

bool HttpConnection::wait(short events, Clock::time_point deadline) const {
  std::array<pollfd, 2> polled = {{{socket_.get(), events, 0}, {stop_.descriptor(), POLLIN, 0}}};
  int ready = 0;
  do {
    ready = ::poll(polled.data(), polled.size(), poll_timeout(deadline));
  } while (ready < 0 && errno == EINTR);
  // Errors of the socket are found by what is tried next.
  return ready > 0 && polled[1].revents == 0 && !place_->is_ended();
}

bool HttpConnection::wait_for_taking(short events) {
  if (taking_time_ >= write_time_) {
    return false;
  }
  const Clock::time_point begin = Clock::now();
  place_->owes(ConnectionPlaces::Debt::kTaking, taking_time_);
  const bool is_ready = wait(events, begin + (write_time_ - taking_time_));
  place_->is_served();
  taking_time_ += Clock::now() - begin;
  return is_ready;
}

short HttpConnection::events_wanted(int result) const {
  switch (SSL_get_error(tls_.get(), result)) {
    case SSL_ERROR_WANT_READ:
      return POLLIN;
    case SSL_ERROR_WANT_WRITE:
      return POLLOUT;
    default:
      return 0;
  }
}

bool HttpConnection::handshake(Clock::time_point deadline) {
  while (tls_ != nullptr) {
    ERR_clear_error();
    const int result = SSL_accept(tls_.get());
    if (result == 1) {
      break;
    }
    const short events = events_wanted(result);
    if (events == 0 || !wait(events, deadline)) {
      is_broken_ = true;
      return false;
    }
  }
  return true;
}

bool HttpConnection::wait_for_request(Clock::time_point deadline) {
  if (is_unreadable_) {
    return false;
  }
  place_->owes_request();
  return begin_ != end_ || (tls_ != nullptr && SSL_pending(tls_.get()) > 0) ||
         wait(POLLIN, deadline);
}

void HttpConnection::begin_request(Clock::time_point read_deadline, std::size_t max_bytes,
                                   std::chrono::milliseconds write_time, std::size_t write_window) {
  read_deadline_ = read_deadline;
  bytes_left_ = max_bytes;
  body_left_ = 0;
  write_time_ = write_time;
  write_window_ = write_window;
  n_written_ = 0;
  taking_time_ = {};
  place_->owes(ConnectionPlaces::Debt::kRequest);
}

void HttpConnection::expect_body(std::size_t n_bytes) {
  body_left_ = n_bytes;
  if (n_bytes == 0) {
    place_->is_served();
  }
}

void HttpConnection::close_gently(Clock::time_point deadline, std::size_t max_bytes) {
  if (is_broken_) {
    return;
  }
  if (tls_ != nullptr) {
    ERR_clear_error();
    SSL_shutdown(tls_.get());
  }
  is_broken_ = true;
  ::shutdown(socket_.get(), SHUT_WR);
  place_->owes(ConnectionPlaces::Debt::kRequest);
  buffer_.resize(kBufferSize);
  for (std::size_t n_dropped = 0; n_dropped < max_bytes && wait(POLLIN, deadline);) {
    const ssize_t n = ::recv(socket_.get(), buffer_.data(), buffer_.size(), 0);
    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
      return;
    }
    n_dropped += n > 0 ? static_cast<std::size_t>(n) : 0;
  }
}

bool HttpConnection::fill_buffer() {
  buffer_.resize(kBufferSize);
  while (true) {
    short events = POLLIN;
    ssize_t n = 0;
    if (tls_ != nullptr) {
      ERR_clear_error();
      n = SSL_read(tls_.get(), buffer_.data(), static_cast<int>(buffer_.size()));
      events = n > 0 ? short{0} : events_wanted(static_cast<int>(n));
    } else {
      n = ::recv(socket_.get(), buffer_.data(), buffer_.size(), 0);
      events = n < 0 && (errno == EAGAIN || errno == EINTR) ? POLLIN : short{0};
    }
    if (n > 0) {
      begin_ = 0;
      end_ = static_cast<std::size_t>(n);
      return true;
    }
    if (events == 0 || !wait(events, read_deadline_)) {
      is_broken_ = true;
      return false;
    }
  }
}

ssize_t HttpConnection::read(char* out, size_t size) {
  if (is_broken_ || bytes_left_ == 0 || (begin_ == end_ && !fill_buffer())) {
    is_unreadable_ = true;
    return -1;
  }
  const std::size_t n = std::min({size, end_ - begin_, bytes_left_});
  std::memcpy(out, buffer_.data() + begin_, n);
  begin_ += n;
  bytes_left_ -= n;
  if (body_left_ != 0) {
    body_left_ -= std::min(body_left_, n);
    expect_body(body_left_);
  }
  return static_cast<ssize_t>(n);
}

ssize_t HttpConnection::write(const char* bytes, size_t size) {
  std::size_t done = 0;
  while (done < size && !is_broken_) {
    short events = POLLOUT;
    ssize_t n = 0;
    if (tls_ != nullptr) {
      ERR_clear_error();
      n = SSL_write(tls_.get(), bytes + done,
                    static_cast<int>(std::min<std::size_t>(size - done, INT_MAX)));
      events = n > 0 ? short{0} : events_wanted(static_cast<int>(n));
    } else {
      n = ::send(socket_.get(), bytes + done, size - done, MSG_NOSIGNAL);
      events = n < 0 && (errno == EAGAIN || errno == EINTR) ? POLLOUT : short{0};
    }
    if (n > 0) {
      done += static_cast<std::size_t>(n);
      n_written_ += static_cast<std::size_t>(n);
      if (n_written_ >= write_window_) {
        n_written_ = 0;
        taking_time_ = {};
      }
    } else if (events == 0 || !wait_for_taking(events)) {
      is_broken_ = true;
    }
  }
  return is_broken_ ? -1 : static_cast<ssize_t>(size);
}

void HttpConnection::get_remote_ip_and_port(std::string& ip, int& port) const {
  address_of(::getpeername, socket_.get(), ip, port);
}
void HttpConnection::get_local_ip_and_port(std::string& ip, int& port) const {
  address_of(::getsockname, socket_.get(), ip, port);
}

void refuse_connection(const OwnedDescriptor& socket, bool with_tls) noexcept {
  if (with_tls) {
    return;
  }
  static constexpr char kAnswer[] =
      "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nConnection: close\r\n"
      "Content-Length: 0\r\n\r\n";
  ::send(socket.get(), kAnswer, sizeof kAnswer - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
  ::shutdown(socket.get(), SHUT_WR);
  // Closing while bytes of the request are unread would make the system throw the answer away.
  std::array<char, 4096> request;
  ::recv(socket.get(), request.data(), request.size(), MSG_DONTWAIT);
}

}  // namespace furrow
