// SPDX-License-Identifier: Apache-2.0
// What the tests of pieces over HTTP share: made-up pieces, a server that misbehaves, answers.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstring>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "furrow/piece_getter.hpp"

#include "host/archive/piece_validation.hpp"
#include "host/crypto/blake3.hpp"
#include "host/pieces/http_source_options.hpp"
#include "host/pieces/piece_etag.hpp"
#include "host/pieces/piece_frame.hpp"
#include "host/pieces/piece_validator.hpp"

namespace furrow::test {

/// A piece that its index fixes, with a period that is coprime to every size in it.
inline PiecePtr made_up_piece(PieceIndex index) {
  auto piece = std::make_shared<Piece>();
  const std::span<std::uint8_t> bytes = mutable_bytes_of(*piece);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    bytes[i] = static_cast<std::uint8_t>((i + 17 * index.value()) % 251);
  }
  std::memcpy(bytes.data(), &index, sizeof index);
  return piece;
}

inline bool same_piece(const Piece& a, const Piece& b) {
  return std::memcmp(&a, &b, sizeof(Piece)) == 0;
}

/// Refuses what is not made_up_piece(index).
inline PieceValidator made_up_validator() {
  return [](PieceIndex index, const Piece& piece) {
    if (!same_piece(piece, *made_up_piece(index))) {
      throw InvalidRecordProof(index);
    }
  };
}

inline std::string_view text_of(std::span<const std::uint8_t> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// Has all pieces below 1000, except those of `missing`, and fails for those of `damaged`.
class MadeUpGetter : public PieceGetter {
 public:
  std::set<std::uint64_t> missing;
  std::set<std::uint64_t> damaged;
  /// Called before each piece.
  std::function<void(PieceIndex)> before;
  std::atomic<std::uint64_t> n_asked = 0;

  void get_pieces(std::span<const PieceIndex> indices, const Sink& sink,
                  std::stop_token stop) override {
    for (const PieceIndex index : indices) {
      if (stop.stop_requested()) {
        return;
      }
      ++n_asked;
      if (before != nullptr) {
        before(index);
      }
      if (damaged.contains(index.value())) {
        sink(index, PieceAnswer::failed(std::make_exception_ptr(
                        ChecksumMismatch("/secret/path: " + describe_piece(index), "aa", "bb"))));
      } else if (index.value() >= 1000 || missing.contains(index.value())) {
        sink(index, PieceAnswer::not_found());
      } else {
        sink(index, PieceAnswer::found(made_up_piece(index)));
      }
    }
  }
};

inline std::vector<PieceIndex> indices_up_to(std::uint64_t n) {
  std::vector<PieceIndex> result;
  for (std::uint64_t i = 0; i < n; ++i) {
    result.emplace_back(i);
  }
  return result;
}

/// The answers of one batch, one for each index; that calls of the sink do not overlap is checked.
using Answers = std::map<std::uint64_t, PieceAnswer>;
inline Answers get_all(PieceGetter& getter, const std::vector<PieceIndex>& indices,
                       const std::stop_token& stop = {}) {
  Answers answers;
  std::atomic<int> n_inside = 0;
  getter.get_pieces(
      indices,
      [&](PieceIndex index, PieceAnswer answer) {
        EXPECT_EQ(n_inside++, 0) << "calls of the sink overlap";
        EXPECT_TRUE(answers.emplace(index.value(), std::move(answer)).second) << index.value();
        --n_inside;
      },
      stop);
  return answers;
}

inline void expect_found(const Answers& answers, std::uint64_t index) {
  const auto found = answers.find(index);
  ASSERT_NE(found, answers.end()) << "no answer for piece " << index;
  if (found->second.error != nullptr) {
    try {
      std::rethrow_exception(found->second.error);
    } catch (const std::exception& error) {
      FAIL() << "piece " << index << ": " << error.what();
    }
  }
  ASSERT_NE(found->second.piece, nullptr) << "piece " << index << " not found";
  EXPECT_TRUE(same_piece(*found->second.piece, *made_up_piece(PieceIndex(index)))) << index;
}

inline bool is_not_found(const PieceAnswer& answer) {
  return answer.piece == nullptr && answer.error == nullptr;
}

/// The message of an error of this type; a failure of the test for any other.
template <class ErrorType>
std::string message_of_failure(const PieceAnswer& answer) {
  EXPECT_EQ(answer.piece, nullptr);
  if (answer.error == nullptr) {
    ADD_FAILURE() << "not failed";
    return {};
  }
  try {
    std::rethrow_exception(answer.error);
  } catch (const ErrorType& error) {
    return error.what();
  } catch (const std::exception& error) {
    ADD_FAILURE() << "another type: " << error.what();
    return error.what();
  }
}

template <class ErrorType>
void expect_failure(const PieceAnswer& answer, const std::vector<std::string>& named) {
  const std::string message = message_of_failure<ErrorType>(answer);
  for (const std::string& part : named) {
    EXPECT_NE(message.find(part), std::string::npos) << "'" << part << "' in: " << message;
  }
}

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

/// A response with a piece, as the server would give it.
inline std::string piece_response(std::string_view body, const std::string& etag = {}) {
  return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" +
         (etag.empty() ? "" : "ETag: " + etag + "\r\n") + "\r\n" + std::string(body);
}

inline std::string frame(PieceIndex index, PieceFrameStatus status,
                         std::span<const std::uint8_t> body) {
  const PieceFrameHeader header = piece_frame_header(index, status, body);
  return std::string(text_of(bytes_of(header))) + std::string(text_of(body));
}

/// Options for tests: little patience, no second try.
inline HttpSourceOptions quick_options(const std::string& url) {
  HttpSourceOptions options;
  options.url = url;
  options.tries = 1;
  options.retry_delay = std::chrono::milliseconds(1);
  options.in_flight = 8;
  return options;
}

}  // namespace furrow::test
