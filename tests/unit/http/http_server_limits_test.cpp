// SPDX-License-Identifier: Apache-2.0
// HttpServer under clients that take what they can get: places, bodies that never come, threads.
#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <iterator>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "host/http/http_server.hpp"
#include "tests/unit/http/http_fixture.hpp"
#include "tests/unit/http/made_up_routes.hpp"

namespace furrow {
namespace {

using namespace std::chrono_literals;
using test::MadeUpFace;
using test::Socket;
using test::status_of;

const std::string kHead = "HEAD /thing HTTP/1.1\r\nHost: test\r\n\r\n";

/// The status of the answer to one request on a connection that stays.
std::string status_of_head(const Socket& socket) {
  return socket.send(kHead) ? status_of(socket.receive_until("\r\n\r\n")) : "none";
}

/// Nobody is ended for being slow.
HttpServerOptions patient_options(std::size_t max_connections, std::size_t per_address) {
  HttpServerOptions options;
  options.limits.max_connections = max_connections;
  options.limits.max_connections_per_address = per_address;
  options.limits.request_time = options.limits.write_time = options.limits.idle_time = 1h;
  options.limits.patience_for_request = options.limits.patience_for_taking = 1h;
  return options;
}

TEST(HttpServerLimits, OneAddressLeavesRoomForOthers) {
  MadeUpFace face;
  for (const std::size_t per_address : {2, 0}) {  // 0 is half
    const HttpServer server(face.routes(), patient_options(4, per_address));
    const Socket first = Socket::connect_to(server.port(), 2);
    const Socket second = Socket::connect_to(server.port(), 2);
    for (const Socket* socket : {&first, &second}) {
      ASSERT_EQ(status_of_head(*socket), "200");  // so that both have their place
      ASSERT_TRUE(socket->send("GET /thi"));      // which they keep
    }
    EXPECT_EQ(status_of(Socket::connect_to(server.port(), 2).receive_all()), "503");
    const Socket third = Socket::connect_to(server.port(), 3);
    const Socket fourth = Socket::connect_to(server.port(), 4);
    EXPECT_EQ(status_of_head(third), "200");
    EXPECT_EQ(status_of_head(fourth), "200");
    EXPECT_EQ(status_of(Socket::connect_to(server.port(), 5).receive_all()), "503");
    EXPECT_EQ(server.counters().refused, 2U);
  }
}

TEST(HttpServerLimits, WhoWaitsLongestGivesWay) {
  MadeUpFace face;
  HttpServerOptions options = patient_options(3, 2);
  options.limits.patience_for_request = 0s;
  const HttpServer server(face.routes(), options);
  // They wait in the order in which they came, which is that of their being accepted.
  const Socket other = Socket::connect_to(server.port(), 3);
  const Socket first = Socket::connect_to(server.port(), 2);
  const Socket second = Socket::connect_to(server.port(), 2);
  // The limit of an address is a matter among its own connections.
  const Socket third = Socket::connect_to(server.port(), 2);
  EXPECT_EQ(status_of_head(third), "200");
  EXPECT_EQ(first.receive_all(), "");
  // All three places are taken: from another address it is the turn of whoever came first.
  const Socket fourth = Socket::connect_to(server.port(), 4);
  EXPECT_EQ(status_of_head(fourth), "200");
  EXPECT_EQ(other.receive_all(), "");
  EXPECT_EQ(status_of_head(second), "200");
  EXPECT_EQ(server.counters().gave_way, 2U);
  EXPECT_EQ(server.counters().refused, 0U);
}

// Byte by byte, a request may take as long as it likes, unless somebody else wants the place.
TEST(HttpServerLimits, HalfARequestGivesWay) {
  MadeUpFace face;
  HttpServerOptions options = patient_options(1, 1);
  options.limits.patience_for_request = 0s;
  for (const std::string half : {"G", "GET /thing HTTP/1.1\r\nX: ",
                                 "POST /list HTTP/1.1\r\nContent-Length: 8\r\n\r\n1234"}) {
    const HttpServer server(face.routes(), options);
    const Socket slow = Socket::connect_to(server.port());
    ASSERT_TRUE(slow.send(half));
    const Socket next = Socket::connect_to(server.port());
    EXPECT_EQ(status_of_head(next), "200") << half;
    EXPECT_EQ(slow.receive_all(), "");
  }
}

/// Answers when it is told to.
class HeldFace : public MadeUpFace {
 public:
  HeldFace() {
    before = [this] {
      std::unique_lock lock(mutex_);
      is_asked_ = true;
      changed_.notify_all();
      changed_.wait(lock, [this] { return is_released_; });
    };
  }
  void wait_until_asked() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return is_asked_; });
  }
  void release() {
    const std::lock_guard lock(mutex_);
    is_released_ = true;
    changed_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool is_asked_ = false;
  bool is_released_ = false;
};

TEST(HttpServerLimits, WhoIsServedDoesNotGiveWay) {
  HeldFace face;
  HttpServerOptions options = patient_options(1, 1);
  options.limits.patience_for_request = options.limits.patience_for_taking = 0s;
  const HttpServer server(face.routes(), options);
  const Socket served = Socket::connect_to(server.port());
  ASSERT_TRUE(served.send(kHead));
  face.wait_until_asked();
  EXPECT_EQ(status_of(Socket::connect_to(server.port()).receive_all()), "503");
  face.release();
  EXPECT_EQ(status_of(served.receive_until("\r\n\r\n")), "200");
}

TEST(HttpServerLimits, WhoDoesNotTakeGivesWay) {
  MadeUpFace face;
  HttpServerOptions options = patient_options(1, 1);
  options.limits.patience_for_taking = 0s;
  const HttpServer server(face.routes(), options);
  const Socket full = Socket::connect_to(server.port());
  ASSERT_TRUE(full.send("GET /large HTTP/1.1\r\nHost: test\r\n\r\n"));
  std::string status;
  do {  // until the buffers of the system are full
    status = status_of_head(Socket::connect_to(server.port()));
  } while (status != "200");
  EXPECT_LT(face.n_windows, test::kWindows);
}

// A drop now and then is not enough: the time is for a window as a whole.
TEST(HttpServerLimits, DrippingIsNotTaking) {
  MadeUpFace face;
  HttpServerOptions options = patient_options(1, 1);
  options.limits.write_time = 100ms;
  const HttpServer server(face.routes(), options);
  const Socket socket = Socket::connect_to(server.port());
  ASSERT_TRUE(socket.send("GET /large HTTP/1.1\r\nHost: test\r\n\r\n"));
  std::vector<char> drop(64 * 1024);
  ssize_t n = 0;
  std::size_t n_received = 0;
  do {
    std::this_thread::sleep_for(10ms);  // 160 ms for a window
    n = ::recv(socket.descriptor(), drop.data(), drop.size(), 0);
    n_received += n > 0 ? static_cast<std::size_t>(n) : 0;
  } while (n > 0);
  EXPECT_LT(n_received, 60 * test::kWindow);
}

TEST(HttpServerLimits, BodiesThatCannotBeAreRefusedAtOnce) {
  MadeUpFace face;
  HttpServerOptions options = patient_options(99, 99);  // nothing but the refusal ends a connection
  const HttpServer server(face.routes(), options);
  struct Body {
    std::string headers;
    std::string status;
  };
  const Body bodies[] = {
      {"Content-Length: -1\r\n", "400"},
      {"Content-Length: abc\r\n", "400"},
      {"Content-Length: \r\n", "411"},  // as good as none
      {"Content-Length: +8\r\n", "400"},
      {"Content-Length: 0x8\r\n", "400"},
      {"Content-Length: 8.0\r\n", "400"},
      {"Content-Length: 8, 8\r\n", "400"},
      {"Content-Length: 8\r\nContent-Length: 16\r\n", "400"},
      {"Content-Length: 8\r\ncontent-length: 8\r\n", "400"},
      {"Content-Length: 8\r\nTransfer-Encoding: chunked\r\n", "400"},
      {"Transfer-Encoding: chunked\r\n", "411"},
      {"Transfer-Encoding: gzip\r\n", "411"},
      {"", "411"},
      {"Content-Length: 8\r\nContent-Encoding: br\r\n", "415"},
      {"Content-Length: 8\r\nContent-Encoding: gzip\r\n", "415"},
      {"Content-Length: 8\r\nContent-Type: multipart/form-data; boundary=x\r\n", "415"},
      {"Content-Length: 33\r\n", "413"},
      {"Content-Length: 1000000000\r\n", "413"},
      {"Content-Length: 18446744073709551615\r\n", "413"},
      {"Content-Length: 18446744073709551616\r\n", "413"},
      {"Content-Length: 18446744073709551624\r\n", "413"},  // 8, were it to overflow
      {"Content-Length: 100000000000000000000000000000000\r\n", "413"},
      {"Content-Length: 1000\r\nExpect: 100-continue\r\n", "413"},
  };
  for (const Body& body : bodies) {
    // Without a byte of the body, and with more of it than a client sends before it listens.
    for (const std::size_t n_sent : {std::size_t{0}, std::size_t{100'000}}) {
      const Socket socket = Socket::connect_to(server.port());
      ASSERT_TRUE(socket.send("POST /list HTTP/1.1\r\nHost: test\r\n" + body.headers + "\r\n" +
                              std::string(n_sent, '1')));
      const std::string response = socket.receive_all();
      EXPECT_EQ(status_of(response), body.status) << body.headers << n_sent << ": " << response;
    }
  }
  const Socket get = Socket::connect_to(server.port());
  ASSERT_TRUE(get.send("GET /thing HTTP/1.1\r\nHost: test\r\nContent-Length: abc\r\n\r\n"));
  EXPECT_EQ(status_of(get.receive_all()), "400");
  EXPECT_EQ(face.n_asked, 0U);
}

std::size_t n_threads() {
  return static_cast<std::size_t>(
      std::distance(std::filesystem::directory_iterator("/proc/self/task"), {}));
}

TEST(HttpServerLimits, ThreadsOfABurstGo) {
  MadeUpFace face;
  std::thread([] {}).join();  // with the first one ThreadSanitizer starts one of its own
  const std::size_t before = n_threads();
  const HttpServer server(face.routes(), patient_options(40, 40));
  {
    std::vector<Socket> burst;
    for (int i = 0; i < 20; ++i) {
      burst.push_back(Socket::connect_to(server.port()));
      ASSERT_EQ(status_of_head(burst.back()), "200");
    }
    EXPECT_GE(n_threads(), before + 20);
  }
  const auto deadline = std::chrono::steady_clock::now() + 60s;
  while (n_threads() > before + 1 && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::yield();
  }
  EXPECT_EQ(n_threads(), before + 1) << "the one that accepts connections stays";
}

// Whoever comes, half closed or not at all: the next one is served.
TEST(HttpServerLimits, OddClientsAreNoTrouble) {
  MadeUpFace face;
  const HttpServer server(face.routes(), patient_options(64, 64));
  const Socket half_closed = Socket::connect_to(server.port());
  ASSERT_TRUE(half_closed.send(kHead));
  ::shutdown(half_closed.descriptor(), SHUT_WR);
  EXPECT_EQ(status_of(half_closed.receive_all()), "200");
  for (int i = 0; i < 60; ++i) {
    const Socket gone = Socket::connect_to(server.port());
    if (i % 2 == 0) {  // reset, perhaps before it is accepted
      const linger at_once{1, 0};
      ::setsockopt(gone.descriptor(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    }
    if (i % 3 == 0) {
      gone.send("GET /thing HTTP/1.1\r\n\r\n");
    }
  }
  std::string ranges = "bytes=0-";
  while (ranges.size() < 7000) {
    ranges += ",0-";
  }
  const Socket greedy = Socket::connect_to(server.port());
  ASSERT_TRUE(
      greedy.send("GET /thing HTTP/1.1\r\nConnection: close\r\nRange: " + ranges + "\r\n\r\n"));
  const std::string answer = greedy.receive_all();
  EXPECT_EQ(status_of(answer), "200");
  EXPECT_TRUE(answer.ends_with("\r\n\r\na thing\n")) << answer;
  const Socket pipelined = Socket::connect_to(server.port());
  std::string many;
  for (int i = 0; i < 100; ++i) {
    many += kHead;
  }
  ASSERT_TRUE(pipelined.send(many));
  std::string answers;
  std::size_t n_answers = 0;
  while (n_answers < 100 && pipelined.receive(answers)) {
    n_answers = 0;
    for (std::size_t at = answers.find("\r\n\r\n"); at != std::string::npos;
         at = answers.find("\r\n\r\n", at + 4)) {
      ++n_answers;
    }
  }
  EXPECT_EQ(n_answers, 100U);
}

}  // namespace
}  // namespace furrow
