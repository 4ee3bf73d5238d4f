// SPDX-License-Identifier: Apache-2.0
// One connection of the HTTP server: a stream of bytes, with or without TLS, on which nothing takes
// longer than it may.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <httplib.h>

#include "host/http/connection_places.hpp"
#include "host/http/listening_socket.hpp"

struct ssl_ctx_st;
struct ssl_st;

namespace furrow {

/// Once set, wakes every thread that waits for a connection.
class StopEvent {
 public:
  StopEvent();
  StopEvent(const StopEvent&) = delete;
  StopEvent& operator=(const StopEvent&) = delete;
  ~StopEvent();
  void set() noexcept;
  [[nodiscard]] int descriptor() const { return descriptor_; }

 private:
  int descriptor_;
};

/// Reads and writes fail, by the rules of httplib with -1, when the time is over, the server stops
/// or the peer is gone; all that is left then is to destroy the connection. For one thread.
class HttpConnection : public httplib::Stream {
 public:
  using Clock = std::chrono::steady_clock;

  /// Owns the socket, which does not block, and its place from now on. `tls` may be null; it and
  /// `stop` outlive the connection.
  HttpConnection(OwnedDescriptor socket, std::unique_ptr<ConnectionPlaces::Place> place,
                 ssl_ctx_st* tls, const StopEvent& stop);
  HttpConnection(const HttpConnection&) = delete;
  HttpConnection& operator=(const HttpConnection&) = delete;
  ~HttpConnection() override;

  /// Agrees on TLS where it is used. False when that failed.
  [[nodiscard]] bool handshake(Clock::time_point deadline);
  /// Waits for the first byte of a request. False also when the one before could not be read.
  [[nodiscard]] bool wait_for_request(Clock::time_point deadline);
  /// From now on reading is over at `read_deadline` and after `max_bytes`, and the client may take
  /// `write_time` for each `write_window` bytes that are written.
  void begin_request(Clock::time_point read_deadline, std::size_t max_bytes,
                     std::chrono::milliseconds write_time, std::size_t write_window);
  /// The headers are read, and the client owes nothing but so many bytes behind them.
  void expect_body(std::size_t n_bytes);
  /// Takes and drops what the client still sends of a request that was answered unread, until it
  /// closes, but within limits: closing at once would make the system throw the answer away. No
  /// reading or writing afterwards.
  void close_gently(Clock::time_point deadline, std::size_t max_bytes);

  [[nodiscard]] bool is_readable() const override { return true; }
  [[nodiscard]] bool is_writable() const override { return !is_broken_; }
  ssize_t read(char* out, size_t size) override;
  ssize_t write(const char* bytes, size_t size) override;
  void get_remote_ip_and_port(std::string& ip, int& port) const override;
  void get_local_ip_and_port(std::string& ip, int& port) const override;
  [[nodiscard]] socket_t socket() const override { return socket_.get(); }

 private:
  struct FreeTls {
    void operator()(ssl_st* tls) const noexcept;
  };

  bool wait(short events, Clock::time_point deadline) const;
  /// Waits for the client to take what was written. False when its time is over.
  bool wait_for_taking(short events);
  /// What to wait for before an operation of TLS that gave `result` can go on; 0 when it failed.
  [[nodiscard]] short events_wanted(int result) const;
  bool fill_buffer();

  OwnedDescriptor socket_;
  std::unique_ptr<ConnectionPlaces::Place> place_;  // given back before the socket is closed
  const StopEvent& stop_;
  std::unique_ptr<ssl_st, FreeTls> tls_;
  std::vector<char> buffer_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  Clock::time_point read_deadline_;
  std::size_t bytes_left_ = 0;
  std::size_t body_left_ = 0;
  std::chrono::milliseconds write_time_{0};
  std::size_t write_window_ = 0;
  std::size_t n_written_ = 0;       // in this window
  Clock::duration taking_time_{0};  // how long the client was waited for in it
  bool is_unreadable_ = false;      // it can still be told why
  bool is_broken_ = false;
};

/// Answers 503 on a connection that nobody can serve, without waiting for anything. A client that
/// wants TLS is told nothing.
void refuse_connection(const OwnedDescriptor& socket, bool with_tls) noexcept;

}  // namespace furrow
