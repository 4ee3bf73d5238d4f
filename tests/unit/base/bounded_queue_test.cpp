// SPDX-License-Identifier: Apache-2.0
// The queue between stages (docs/spec/08-storage-components.md, requirement P2).
#include "host/base/bounded_queue.hpp"

#include <algorithm>
#include <atomic>
#include <memory>
#include <numeric>
#include <optional>
#include <stop_token>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace furrow {
namespace {

TEST(BoundedQueue, GivesItemsInTheirOrder) {
  BoundedQueue<int> queue(3);
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(queue.send(i));
  }
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(queue.receive(), i);
  }
}

TEST(BoundedQueue, ItemsNeedOnlyBeMovable) {
  BoundedQueue<std::unique_ptr<int>> queue(1);
  EXPECT_TRUE(queue.send(std::make_unique<int>(7)));
  const auto item = queue.receive();
  ASSERT_TRUE(item.has_value());
  EXPECT_EQ(**item, 7);
}

TEST(BoundedQueue, ClosedItIsReceivedToItsEndAndTakesNothing) {
  BoundedQueue<int> queue(2);
  EXPECT_TRUE(queue.send(1));
  queue.close();
  queue.close();
  EXPECT_FALSE(queue.send(2));
  EXPECT_EQ(queue.receive(), 1);
  EXPECT_FALSE(queue.receive().has_value());
  EXPECT_FALSE(queue.receive().has_value());
}

TEST(BoundedQueue, AStopRequestedBeforeEndsTheCallAtOnce) {
  BoundedQueue<int> queue(2);
  EXPECT_TRUE(queue.send(1));
  std::stop_source stop;
  stop.request_stop();
  EXPECT_FALSE(queue.send(2, stop.get_token()));
  EXPECT_FALSE(queue.receive(stop.get_token()).has_value());
  EXPECT_EQ(queue.receive(), 1) << "the item is still there";
}

/// A queue of capacity 0 or 1 in which nobody can go on, and several threads waiting for it.
class BoundedQueueWaiters : public ::testing::TestWithParam<std::size_t> {
 protected:
  static constexpr int kWaiters = 4;

  /// Starts senders that cannot send. They count how their call ended.
  void start_senders(const std::stop_token& token = {}) {
    for (std::size_t i = 0; i < GetParam(); ++i) {
      ASSERT_TRUE(queue.send(0));
    }
    for (int i = 0; i < kWaiters; ++i) {
      threads.emplace_back([this, i, token] { ++(queue.send(i, token) ? ended_well : ended); });
    }
  }
  void start_receivers(const std::stop_token& token = {}) {
    for (int i = 0; i < kWaiters; ++i) {
      threads.emplace_back([this, token] { ++(queue.receive(token) ? ended_well : ended); });
    }
  }

  std::stop_source stop;
  BoundedQueue<int> queue{GetParam()};
  std::atomic<int> ended = 0;
  std::atomic<int> ended_well = 0;
  std::vector<std::jthread> threads;
};

// Whether the others wait already or come too late makes no difference to what they are told.
TEST_P(BoundedQueueWaiters, ClosingWakesAllSenders) {
  start_senders();
  queue.close();
  threads.clear();
  EXPECT_EQ(ended, kWaiters);
}

TEST_P(BoundedQueueWaiters, ClosingWakesAllReceivers) {
  start_receivers();
  queue.close();
  threads.clear();
  EXPECT_EQ(ended, kWaiters);
}

TEST_P(BoundedQueueWaiters, AStopRequestWakesAllSenders) {
  start_senders(stop.get_token());
  stop.request_stop();
  threads.clear();
  EXPECT_EQ(ended, kWaiters);
}

TEST_P(BoundedQueueWaiters, AStopRequestWakesAllReceivers) {
  start_receivers(stop.get_token());
  stop.request_stop();
  threads.clear();
  EXPECT_EQ(ended, kWaiters);
}

// A wake-up that went to the thread that leaves would be missed by the other one, for ever.
TEST_P(BoundedQueueWaiters, AReceiverThatIsStoppedTakesNoItemWithIt) {
  for (int round = 0; round < 500; ++round) {
    BoundedQueue<int> items(GetParam());
    stop = std::stop_source();
    std::optional<int> first;
    std::optional<int> second;
    {
      std::jthread stopped([&] { first = items.receive(stop.get_token()); });
      std::jthread other([&] { second = items.receive(); });
      std::jthread stopper([&] { stop.request_stop(); });
      EXPECT_TRUE(items.send(round));
      stopped.join();
      if (first) {
        EXPECT_TRUE(items.send(round));
      }
    }
    EXPECT_EQ(second, round);
    EXPECT_EQ(first.value_or(round), round);
  }
}

INSTANTIATE_TEST_SUITE_P(Capacities, BoundedQueueWaiters, ::testing::Values(0, 1));

TEST(BoundedQueue, WithoutCapacityASenderWaitsForAReceiver) {
  BoundedQueue<int> queue(0);
  std::atomic<bool> is_receiving = false;
  std::jthread sender([&] {
    EXPECT_TRUE(queue.send(5));
    EXPECT_TRUE(is_receiving) << "nobody was there to receive";
  });
  is_receiving = true;
  EXPECT_EQ(queue.receive(), 5);
}

/// Counts how many of them exist.
struct Counted {
  Counted(std::atomic<int>& counter, int number) : alive(&counter), value(number) { ++*alive; }
  Counted(Counted&& other) noexcept : alive(other.alive), value(other.value) { ++*alive; }
  Counted& operator=(Counted&&) = delete;
  ~Counted() { --*alive; }
  std::atomic<int>* alive;
  int value;
};

TEST(BoundedQueue, ItemsThatNobodyReceivesGoWithIt) {
  std::atomic<int> alive = 0;
  {
    BoundedQueue<Counted> queue(2);
    EXPECT_TRUE(queue.send(Counted(alive, 1)));
    EXPECT_TRUE(queue.send(Counted(alive, 2)));
    queue.close();
    EXPECT_FALSE(queue.send(Counted(alive, 3)));
    EXPECT_EQ(alive, 2);
  }
  EXPECT_EQ(alive, 0);
}

class BoundedQueueTraffic : public ::testing::TestWithParam<std::size_t> {};

// Each item arrives once, those of one sender in their order, and never are more sent than received
// and there is room for.
TEST_P(BoundedQueueTraffic, NothingIsLostOrDoubledOrTooMuch) {
  constexpr int kSenders = 3;
  constexpr int kReceivers = 3;
  constexpr int kItems = 2000;
  const auto capacity = static_cast<int>(GetParam());
  BoundedQueue<int> queue(GetParam());
  std::atomic<int> senders_left = kSenders;
  std::atomic<int> sent = 0;
  std::atomic<int> received = 0;
  std::atomic<int> most_ahead = 0;
  std::vector<std::vector<int>> got(kReceivers);
  {
    std::vector<std::jthread> threads;
    for (int s = 0; s < kSenders; ++s) {
      threads.emplace_back([&, s] {
        for (int i = 0; i < kItems; ++i) {
          EXPECT_TRUE(queue.send(s * kItems + i));
          const int ahead = ++sent - received;
          int seen = most_ahead;
          while (ahead > seen && !most_ahead.compare_exchange_weak(seen, ahead)) {
          }
        }
        if (--senders_left == 0) {
          queue.close();
        }
      });
    }
    for (int r = 0; r < kReceivers; ++r) {
      threads.emplace_back([&, r] {
        while (const auto item = queue.receive()) {
          ++received;
          got[static_cast<std::size_t>(r)].push_back(*item);
        }
      });
    }
  }
  // Each receiver either waits, which makes one more place, or has an item that is not counted yet.
  EXPECT_LE(most_ahead, capacity + kReceivers);
  std::vector<int> all;
  for (const std::vector<int>& items : got) {
    std::vector<int> last(kSenders, -1);
    for (const int item : items) {
      int& before = last[static_cast<std::size_t>(item / kItems)];
      EXPECT_LT(before, item);
      before = item;
    }
    all.insert(all.end(), items.begin(), items.end());
  }
  std::sort(all.begin(), all.end());
  std::vector<int> expected(static_cast<std::size_t>(kSenders) * kItems);
  std::iota(expected.begin(), expected.end(), 0);
  EXPECT_EQ(all, expected);
}

INSTANTIATE_TEST_SUITE_P(Capacities, BoundedQueueTraffic, ::testing::Values(0, 1, 2, 7, 100000));

}  // namespace
}  // namespace furrow
