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

  /// Owns the socket from now on. `tls` may be null; it and `stop` outlive the connection.
  HttpConnection(int socket, ssl_ctx_st* tls, const StopEvent& stop);
  HttpConnection(const HttpConnection&) = delete;
  HttpConnection& operator=(const HttpConnection&) = delete;
  ~HttpConnection() override;

  /// Agrees on TLS where it is used. False when that failed.
  [[nodiscard]] bool handshake(Clock::time_point deadline);
  /// Waits for the first byte of a request. False also when the one before could not be read.
  [[nodiscard]] bool wait_for_request(Clock::time_point deadline);
  /// From now on reading is over at `read_deadline` and after `max_bytes`, and each write may take
  /// `write_time`.
  void begin_request(Clock::time_point read_deadline, std::size_t max_bytes,
                     std::chrono::milliseconds write_time);

  [[nodiscard]] bool is_readable() const override { return true; }
  [[nodiscard]] bool is_writable() const override { return !is_broken_; }
  ssize_t read(char* out, size_t size) override;
  ssize_t write(const char* bytes, size_t size) override;
  void get_remote_ip_and_port(std::string& ip, int& port) const override;
  void get_local_ip_and_port(std::string& ip, int& port) const override;
  [[nodiscard]] socket_t socket() const override { return socket_; }

 private:
  struct FreeTls {
    void operator()(ssl_st* tls) const noexcept;
  };

  bool wait(short events, Clock::time_point deadline) const;
  /// What to wait for before an operation of TLS that gave `result` can go on; 0 when it failed.
  [[nodiscard]] short events_wanted(int result) const;
  bool fill_buffer();

  int socket_;
  const StopEvent& stop_;
  std::unique_ptr<ssl_st, FreeTls> tls_;
  std::vector<char> buffer_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  Clock::time_point read_deadline_;
  std::size_t bytes_left_ = 0;
  std::chrono::milliseconds write_time_{0};
  bool is_unreadable_ = false;  // it can still be told why
  bool is_broken_ = false;
};

/// Answers 503 on a connection for which there is no thread, without waiting for anything, and
/// closes it. A client that wants TLS is just closed.
void refuse_connection(int socket, bool with_tls) noexcept;

}  // namespace furrow
