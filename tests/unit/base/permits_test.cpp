// SPDX-License-Identifier: Apache-2.0
#include "host/base/permits.hpp"

#include <atomic>
#include <optional>
#include <stop_token>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "host/base/gate.hpp"
#include "tests/support/hand_clock.hpp"
#include "tests/support/other_threads.hpp"

namespace furrow {
namespace {

TEST(Permits, NoMoreAreOutThanThereAre) {
  Permits permits(2);
  std::atomic<int> held = 0;
  std::atomic<int> most = 0;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&] {
        for (int round = 0; round < 200; ++round) {
          const auto permit = permits.acquire({});
          ASSERT_TRUE(permit.has_value());
          const int now = ++held;
          int seen = most;
          while (now > seen && !most.compare_exchange_weak(seen, now)) {
          }
          --held;
        }
      });
    }
  }
  EXPECT_LE(most, 2);
}

TEST(Permits, OneThatIsMovedIsStillOut) {
  Permits permits(1);
  std::stop_source stop;
  stop.request_stop();  // so that nothing is waited for
  {
    std::optional<Permits::Permit> first = permits.acquire({});
    ASSERT_TRUE(first.has_value());
    const Permits::Permit moved = *std::move(first);
    first.reset();
    EXPECT_FALSE(permits.acquire(stop.get_token()).has_value());
  }
  EXPECT_TRUE(permits.acquire({}).has_value());
}

TEST(Permits, AStopRequestEndsTheWait) {
  Permits permits(0);
  std::stop_source stop;
  std::jthread stopper([&] { stop.request_stop(); });
  EXPECT_FALSE(permits.acquire(stop.get_token()).has_value());
}

TEST(Gate, WaitsWhileClosedAndObeysAStop) {
  Gate gate;
  EXPECT_TRUE(gate.wait({}));
  gate.close();
  std::atomic<bool> passed = false;
  std::jthread waiter([&] {
    EXPECT_TRUE(gate.wait({}));
    passed = true;
  });
  EXPECT_TRUE(test::other_threads_wait());
  EXPECT_FALSE(passed);
  gate.open();
  waiter.join();
  EXPECT_TRUE(passed);
  gate.close();
  std::stop_source stop;
  stop.request_stop();
  EXPECT_FALSE(gate.wait(stop.get_token()));
}

TEST(Gate, CountsForHowLongItWasClosed) {
  using std::chrono::milliseconds;
  test::HandClock time;
  Gate gate(time.now());
  time.move(milliseconds(1));
  EXPECT_EQ(gate.closed_for(), milliseconds(0));
  gate.close();
  time.move(milliseconds(20));
  EXPECT_EQ(gate.closed_for(), milliseconds(20));
  gate.close();  // which it is
  time.move(milliseconds(300));
  gate.open();
  time.move(milliseconds(4000));
  gate.open();
  EXPECT_EQ(gate.closed_for(), milliseconds(320));
  gate.close();
  time.move(milliseconds(50000));
  EXPECT_EQ(gate.closed_for(), milliseconds(50320));
}

}  // namespace
}  // namespace furrow
