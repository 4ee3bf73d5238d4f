// SPDX-License-Identifier: Apache-2.0
// Between a client and its server: bytes arrive later, as over a long line of endless bandwidth.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <vector>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

namespace furrow {

/// One direction: what is read from one socket is written to the other one `delay` later.
class DelayedPipe {
 public:
  DelayedPipe(int from, int to, std::chrono::milliseconds delay)
      : reader_([this, from, delay] { read(from, delay); }), writer_([this, to] { write(to); }) {}

 private:
  using Clock = std::chrono::steady_clock;
  struct Portion {
    Clock::time_point due;
    std::vector<char> bytes;
  };

  void read(int from, std::chrono::milliseconds delay) {
    std::vector<char> buffer(1 << 18);
    while (true) {
      const ssize_t n = ::recv(from, buffer.data(), buffer.size(), 0);
      const std::scoped_lock lock(mutex_);
      if (n <= 0) {
        has_ended_ = true;
      } else {
        under_way_.push_back({Clock::now() + delay, {buffer.data(), buffer.data() + n}});
      }
      changed_.notify_one();
      if (n <= 0) {
        return;
      }
    }
  }
  void write(int to) {
    while (true) {
      Portion portion;
      {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return has_ended_ || !under_way_.empty(); });
        if (under_way_.empty()) {
          ::shutdown(to, SHUT_WR);
          return;
        }
        portion = std::move(under_way_.front());
        under_way_.pop_front();
      }
      std::this_thread::sleep_until(portion.due);
      for (std::size_t sent = 0; sent < portion.bytes.size();) {
        const ssize_t n =
            ::send(to, portion.bytes.data() + sent, portion.bytes.size() - sent, MSG_NOSIGNAL);
        if (n <= 0) {
          break;  // nobody is there any more; the rest is thrown away
        }
        sent += static_cast<std::size_t>(n);
      }
    }
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Portion> under_way_;
  bool has_ended_ = false;
  std::jthread reader_;
  std::jthread writer_;
};

/// For one connection to a port of the loopback, which has to be closed before this is destroyed.
class DelayRelay {
 public:
  DelayRelay(std::uint16_t server_port, std::chrono::milliseconds delay)
      : listener_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address = loopback(0);
    socklen_t size = sizeof address;
    if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
        ::listen(listener_, 1) != 0 ||
        ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
      throw std::runtime_error("relay: no port");
    }
    port_ = ntohs(address.sin_port);
    thread_ = std::jthread([this, server_port, delay] { carry(server_port, delay); });
  }
  DelayRelay(const DelayRelay&) = delete;
  DelayRelay& operator=(const DelayRelay&) = delete;
  ~DelayRelay() {
    ::shutdown(listener_, SHUT_RDWR);
    thread_.join();
    ::close(listener_);
  }
  [[nodiscard]] std::uint16_t port() const { return port_; }

 private:
  static sockaddr_in loopback(std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    return address;
  }
  void carry(std::uint16_t server_port, std::chrono::milliseconds delay) const {
    const int client = ::accept(listener_, nullptr, nullptr);
    if (client < 0) {
      return;
    }
    const int server = ::socket(AF_INET, SOCK_STREAM, 0);
    const sockaddr_in address = loopback(server_port);
    const int on = 1;
    ::setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    ::setsockopt(server, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (::connect(server, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) {
      DelayedPipe there(client, server, delay);
      DelayedPipe back(server, client, delay);
    }
    ::close(server);
    ::close(client);
  }

  int listener_;
  std::uint16_t port_ = 0;
  std::jthread thread_;
};

}  // namespace furrow
