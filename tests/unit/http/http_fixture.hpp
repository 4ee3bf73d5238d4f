// SPDX-License-Identifier: Apache-2.0
// What the tests of HTTP share: plain connections, a server that misbehaves, parts of a response.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace furrow::test {

/// A connection as a client or a server sees it.
class Socket {
 public:
  explicit Socket(int descriptor) : descriptor_(descriptor) {}
  Socket(Socket&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  ~Socket() {
    if (descriptor_ >= 0) {
      ::close(descriptor_);
    }
  }
  /// From 127.0.0.`from`, as another client.
  static Socket connect_to(std::uint16_t port, std::uint32_t from = 1) {
    Socket socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK - 1 + from);
    EXPECT_EQ(::bind(socket.descriptor_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(socket.descriptor_, reinterpret_cast<sockaddr*>(&address), sizeof address),
              0);
    return socket;
  }

  /// False when the peer does not want it.
  bool send(std::string_view bytes) const {
    while (!bytes.empty()) {
      const ssize_t n = ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (n <= 0) {
        return false;
      }
      bytes.remove_prefix(static_cast<std::size_t>(n));
    }
    return true;
  }
  /// At least one more byte behind `text`; false at the end.
  bool receive(std::string& text) const {
    char buffer[65536];
    const ssize_t n = ::recv(descriptor_, buffer, sizeof buffer, 0);
    if (n <= 0) {
      return false;
    }
    text.append(buffer, static_cast<std::size_t>(n));
    return true;
  }
  std::string receive_until(std::string_view end) const {
    std::string text;
    while (text.find(end) == std::string::npos && receive(text)) {
    }
    return text;
  }
  std::string receive_all() const {
    std::string text;
    while (receive(text)) {
    }
    return text;
  }
  [[nodiscard]] int descriptor() const { return descriptor_; }

 private:
  int descriptor_;
};

/// Accepts connections and lets `talk` do to each what a server should not. `talk` gets the number
/// of the connection and returns soon after is_over() says so.
class BadServer {
 public:
  using Talk = std::function<void(BadServer&, int n, Socket&)>;
  explicit BadServer(Talk talk) : talk_(std::move(talk)) {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    EXPECT_EQ(::bind(listener_, reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(::listen(listener_, 64), 0);
    EXPECT_EQ(::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size), 0);
    port_ = ntohs(address.sin_port);
    accepter_ = std::thread([this] { accept_all(); });
  }
  BadServer(const BadServer&) = delete;
  BadServer& operator=(const BadServer&) = delete;
  ~BadServer() {
    {
      const std::lock_guard lock(mutex_);
      is_over_ = true;
    }
    changed_.notify_all();
    ::shutdown(listener_, SHUT_RDWR);
    accepter_.join();
    for (std::thread& thread : talks_) {
      thread.join();
    }
    ::close(listener_);
  }

  [[nodiscard]] std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  [[nodiscard]] int n_connections() const { return n_; }
  /// Does nothing until the end of the test.
  void wait_for_end() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return is_over_; });
  }

 private:
  void accept_all() {
    while (true) {
      const int descriptor = ::accept(listener_, nullptr, nullptr);
      if (descriptor < 0) {
        return;
      }
      talks_.emplace_back([this, n = n_++, descriptor] {
        Socket socket(descriptor);
        talk_(*this, n, socket);
      });
    }
  }

  Talk talk_;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::atomic<int> n_ = 0;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool is_over_ = false;
  std::vector<std::thread> talks_;
  std::thread accepter_;
};

/// An address at which connections are never made: the queue of its socket is full.
class FullBacklog {
 public:
  FullBacklog() : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* any = reinterpret_cast<sockaddr*>(&address);
    EXPECT_EQ(::bind(listener_.descriptor(), any, size), 0);
    EXPECT_EQ(::listen(listener_.descriptor(), 0), 0);
    EXPECT_EQ(::getsockname(listener_.descriptor(), any, &size), 0);
    port_ = ntohs(address.sin_port);
    for (int i = 0; i < 4; ++i) {  // the system takes one or two more than it is told
      waiting_.emplace_back(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
      ::connect(waiting_.back().descriptor(), any, size);
    }
  }
  [[nodiscard]] std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }

 private:
  Socket listener_;
  std::vector<Socket> waiting_;
  std::uint16_t port_ = 0;
};

/// The status of a response; "none" of what is none.
inline std::string status_of(const std::string& response) {
  return response.starts_with("HTTP/1.1 ") ? response.substr(9, 3) : "none";
}

inline std::string header_of(const std::string& response, const std::string& name) {
  const std::size_t begin = response.find("\r\n" + name + ": ");
  if (begin == std::string::npos || begin > response.find("\r\n\r\n")) {
    return {};
  }
  const std::size_t value = begin + name.size() + 4;
  return response.substr(value, response.find("\r\n", value) - value);
}

inline std::string body_of(const std::string& response) {
  const std::size_t end = response.find("\r\n\r\n");
  return end == std::string::npos ? std::string() : response.substr(end + 4);
}

/// What a server says to one request, which asks it to close the connection afterwards.
inline std::string ask(std::uint16_t port, const std::string& request_line,
                       const std::string& headers = {}, const std::string& body = {}) {
  const Socket socket = Socket::connect_to(port);
  EXPECT_TRUE(socket.send(request_line + " HTTP/1.1\r\nHost: test\r\nConnection: close\r\n" +
                          headers + "\r\n" + body));
  return socket.receive_all();
}

}  // namespace furrow::test
