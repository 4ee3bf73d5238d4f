// SPDX-License-Identifier: Apache-2.0
// Several threads at one paged store (docs/spec/08-storage-components.md, S4, S6, S8).
#include <array>
#include <atomic>
#include <barrier>
#include <cstring>
#include <latch>
#include <thread>

#include <gtest/gtest.h>

#include "host/store/paged_store/paged_store_check.hpp"
#include "tests/unit/store/paged_store/paged_objects.hpp"

namespace furrow {
namespace {

using test::chain;
using test::count_records;
using test::kByHand;
using test::Node;
using test::node;

constexpr std::size_t kThreads = 16;

/// Runs `work(thread)` on all threads, which begin together.
template <class Work>
void on_all_threads(Work work) {
  std::barrier start(kThreads);
  std::vector<std::jthread> threads;
  for (std::size_t i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, i] {
      start.arrive_and_wait();
      work(i);
    });
  }
}

TEST(PagedStoreConcurrency, SixteenLoadersOfOneKeyGetOneObject) {
  PagedStore store(std::make_unique<MemoryBackend>(), {}, kByHand);
  for (std::uint64_t round = 0; round < 100; ++round) {
    const Paged<Node> stored = node(round, {node(round + 1)});
    const DataKey key = store.page_out(stored);
    std::array<std::shared_ptr<const Node>, kThreads> loaded;
    on_all_threads([&](std::size_t thread) {
      loaded[thread] = thread % 3 == 0   ? store.load(stored)
                       : thread % 3 == 1 ? store.fetch<Node>(key)
                                         : store.load(store.reference<Node>(key));
    });
    for (const auto& object : loaded) {
      ASSERT_EQ(object, loaded[0]);
      ASSERT_EQ(object->value, round);
    }
  }
}

/// Waits, while it is read, until all loaders read it: each has made an object of its own when the
/// first is offered.
struct Meeting {
  static inline std::barrier<>* point = nullptr;
  void serialize(ObjectWriter& out) const { out.u8(1); }
  static std::shared_ptr<const Meeting> deserialize(ObjectReader& in) {
    (void)in.u8();
    if (point != nullptr) {
      point->arrive_and_wait();
    }
    return std::make_shared<const Meeting>();
  }
};

TEST(PagedStoreConcurrency, LoadersThatAllMadeAnObjectConverge) {
  PagedStore store(std::make_unique<MemoryBackend>(), {}, kByHand);
  const DataKey key = store.page_out(Paged<Meeting>(std::make_shared<const Meeting>()));
  std::barrier<> point(kThreads);
  Meeting::point = &point;
  std::array<std::shared_ptr<const Meeting>, kThreads> loaded;
  on_all_threads([&](std::size_t thread) { loaded[thread] = store.fetch<Meeting>(key); });
  Meeting::point = nullptr;
  for (const auto& object : loaded) {
    EXPECT_EQ(object, loaded[0]);
  }
}

TEST(PagedStoreConcurrency, LoadersMeetAnObjectThatIsBeingPagedOut) {
  PagedStore store(std::make_unique<MemoryBackend>(), {}, kByHand);
  for (std::uint64_t round = 0; round < 100; ++round) {
    const Paged<Node> shared = node(round, {chain(3)});
    on_all_threads([&](std::size_t thread) {
      if (thread % 2 == 0) {
        store.page_out(thread % 4 == 0 ? shared : node(1000 + round, {shared}));
      } else {
        const auto object = store.load(shared);
        ASSERT_EQ(object->value, round);
        ASSERT_EQ(store.load(object->children[0])->value, 2U);
      }
    });
    ASSERT_FALSE(shared.needs_paging_out());
  }
  EXPECT_EQ(count_records(store.backend()), 3U + 2U * 100U);
  EXPECT_TRUE(check_paged_store(store.backend()).broken.empty());
}

TEST(PagedStoreConcurrency, EverythingScheduledIsPagedOutInTheBackground) {
  PagedStore store(std::make_unique<MemoryBackend>());
  std::array<std::vector<Paged<Node>>, kThreads> nodes;
  const Paged<Node> common = chain(10);
  on_all_threads([&](std::size_t thread) {
    for (std::uint64_t i = 0; i < 50; ++i) {
      nodes[thread].push_back(node(100 * thread + i, {common}));
      store.schedule_for_paging(nodes[thread].back());
      (void)store.pending_count();
      if (i % 10 == 0) {
        store.page_out_pending();
      }
      ASSERT_EQ(store.load(nodes[thread][i / 2])->value, 100 * thread + i / 2);
    }
    store.drain();
    store.flush();
    store.write_value("thread " + std::to_string(thread), std::uint64_t{thread});
    for (const Paged<Node>& each : nodes[thread]) {
      ASSERT_FALSE(each.needs_paging_out());
    }
  });
  EXPECT_EQ(store.pending_count(), 0U);
  EXPECT_EQ(count_records(store.backend()), 10U + 50U * kThreads);
  for (std::uint64_t thread = 0; thread < kThreads; ++thread) {
    EXPECT_EQ(store.fetch_value<std::uint64_t>("thread " + std::to_string(thread)), thread);
    EXPECT_EQ(store.load(nodes[thread][7])->value, 100 * thread + 7);
  }
}

/// Does not return from serialize before it is allowed to.
struct Slow {
  std::latch* begun;
  std::latch* allowed;
  void serialize(ObjectWriter& out) const {
    begun->count_down();
    allowed->wait();
    out.u8(1);
  }
  static std::shared_ptr<const Slow> deserialize(ObjectReader& in) {
    (void)in.u8();
    return std::make_shared<const Slow>();
  }
};

// S6. If any operation waited for a lock that is held meanwhile, this test would not end.
TEST(PagedStoreConcurrency, NothingWaitsForAnObjectThatIsBeingSerialized) {
  PagedStore store(std::make_unique<MemoryBackend>());
  const Paged<Node> stored = node(1);
  store.page_out(stored);
  std::latch begun(1);
  std::latch allowed(1);
  const Paged<Slow> slow(std::make_shared<const Slow>(Slow{&begun, &allowed}));
  store.schedule_for_paging(slow);
  begun.wait();

  const Paged<Node> scheduled = node(2);
  store.schedule_for_paging(scheduled);
  EXPECT_EQ(store.pending_count(), 1U);
  EXPECT_NE(store.load(slow), nullptr);
  EXPECT_TRUE(slow.needs_paging_out());
  EXPECT_EQ(store.load(stored)->value, 1U);
  EXPECT_EQ(store.fetch<Node>(stored.data_key().value())->value, 1U);
  store.page_out_pending();
  EXPECT_FALSE(scheduled.needs_paging_out());
  store.write_value("a", std::uint8_t{1});
  EXPECT_EQ(store.fetch_value<std::uint8_t>("a"), 1);
  store.flush();

  allowed.count_down();
  store.drain();
  EXPECT_FALSE(slow.needs_paging_out());
}

TEST(PagedStoreConcurrency, ShuttingDownWaitsForTheObjectInHandAndDropsTheRest) {
  std::latch begun(1);
  std::latch allowed(1);
  PagedStore store(std::make_unique<MemoryBackend>());
  const Paged<Slow> slow(std::make_shared<const Slow>(Slow{&begun, &allowed}));
  store.schedule_for_paging(slow);
  begun.wait();
  const Paged<Node> late = node(2);
  store.schedule_for_paging(late);
  {
    const std::jthread first([&] { store.shut_down(); });
    const std::jthread second([&] { store.shut_down(); });
    allowed.count_down();
  }
  EXPECT_FALSE(slow.needs_paging_out());
  store.schedule_for_paging(late);
  EXPECT_EQ(store.pending_count(), 0U);
}

TEST(PagedStoreConcurrency, StoresComeAndGoWithWorkInHand) {
  for (int round = 0; round < 200; ++round) {
    PagedStore store(std::make_unique<MemoryBackend>());
    for (std::uint64_t i = 0; i < 5; ++i) {
      store.schedule_for_paging(chain(i + 1));
    }
  }
}

TEST(ObjectCache, ForgetsObjectsThatAreGone) {
  ObjectCache cache;
  const auto live = std::make_shared<const int>(1);
  for (std::uint32_t i = 0; i < 10'000; ++i) {
    DataKey key;
    std::memcpy(key.data(), &i, sizeof(i));
    const auto object = i == 0 ? live : std::make_shared<const int>(2);
    EXPECT_EQ(cache.offer(typeid(int), key, object), object);
    ASSERT_LE(cache.size(), ObjectCache::kSmallest);
  }
  EXPECT_EQ(cache.find(typeid(int), DataKey()), live);
  EXPECT_EQ(cache.find(typeid(long), DataKey()), nullptr);
  EXPECT_EQ(cache.offer(typeid(int), DataKey(), std::make_shared<const int>(3)), live);
}

}  // namespace
}  // namespace furrow
