// SPDX-License-Identifier: Apache-2.0
// Objects of a paged store in memory: one live one for a type and key, the queue of those to be
// paged out (docs/spec/08-storage-components.md, section 2.7), over every backend.
#include <algorithm>
#include <functional>

#include <gtest/gtest.h>

#include "tests/unit/store/paged_store/paged_store_fixture.hpp"

namespace furrow {
namespace {

using test::count_records;
using test::Node;
using test::node;

class PagedObjects : public test::PagedStoreTest {};

INSTANTIATE_TEST_SUITE_P(Each, PagedObjects, test::every_backend(), test::kind_name);

// ---- One live object for a type and key

TEST_P(PagedObjects, AnObjectThatSomebodyHoldsIsTheOneThatComesBack) {
  const auto held = std::make_shared<const Node>(Node{42, {}});
  const Paged<Node> leaf(held);
  const DataKey key = store_.page_out(leaf);
  EXPECT_EQ(store_.load(leaf), held);
  EXPECT_EQ(store_.fetch<Node>(key), held);
}

TEST_P(PagedObjects, EqualObjectsBecomeOne) {
  const auto held = std::make_shared<const Node>(Node{42, {}});
  store_.page_out(Paged<Node>(held));
  const auto equal = std::make_shared<const Node>(Node{42, {}});
  const Paged<Node> reference(equal);
  store_.page_out(reference);
  EXPECT_EQ(store_.load(reference), held);
}

TEST_P(PagedObjects, NobodyHoldsAnObjectThatNobodyUses) {
  const Paged<Node> leaf = node(42);
  store_.page_out(leaf);
  const std::weak_ptr<const Node> first = store_.load(leaf);
  EXPECT_TRUE(first.expired());
  const auto second = store_.load(leaf);
  EXPECT_EQ(second->value, 42U);
}

/// Counts those of its kind.
struct Counted {
  static inline int alive = 0;
  static inline int most = 0;
  std::vector<std::uint8_t> bytes;

  explicit Counted(std::vector<std::uint8_t> contents) : bytes(std::move(contents)) {
    most = std::max(most, ++alive);
  }
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;
  ~Counted() { --alive; }
  void serialize(ObjectWriter& out) const { out.raw(bytes); }
  static std::shared_ptr<const Counted> deserialize(ObjectReader& in) {
    const auto bytes = in.raw(in.remaining_bytes());
    return std::make_shared<const Counted>(std::vector<std::uint8_t>(bytes.begin(), bytes.end()));
  }
};

// The bound that paged_store.hpp states: one object while it is written, one while it is read.
TEST_P(PagedObjects, AsManyObjectsAreAliveAsAreInUse) {
  std::vector<Paged<Counted>> sectors;
  Counted::most = 0;
  for (std::uint8_t i = 0; i < 100; ++i) {
    sectors.emplace_back(
        std::make_shared<const Counted>(std::vector<std::uint8_t>(std::size_t{131'116}, i)));
    store_.page_out(sectors.back());
  }
  for (std::uint8_t i = 0; i < 100; ++i) {
    EXPECT_EQ(store_.load(sectors[i])->bytes.at(131'115), i);
  }
  EXPECT_EQ(Counted::alive, 0);
  EXPECT_EQ(Counted::most, 1);
}

// ---- The queue

TEST_P(PagedObjects, TheQueueIsEmptiedFromItsEnd) {
  std::vector<Paged<Node>> nodes = {node(1), node(2), node(3)};
  for (const Paged<Node>& each : nodes) {
    store_.schedule_for_paging(each);
  }
  EXPECT_EQ(store_.pending_count(), 3U);
  EXPECT_TRUE(nodes[0].needs_paging_out());
  store_.page_out_pending();
  EXPECT_EQ(store_.pending_count(), 0U);
  for (const Paged<Node>& each : nodes) {
    EXPECT_FALSE(each.needs_paging_out());
  }
}

/// Says when it is serialized, and does something then.
struct Speaking {
  std::uint64_t value = 0;
  std::function<void(std::uint64_t)> say;
  void serialize(ObjectWriter& out) const {
    say(value);
    out.u64(value);
  }
  static std::shared_ptr<const Speaking> deserialize(ObjectReader& in) {
    return std::make_shared<const Speaking>(Speaking{in.u64(), nullptr});
  }
};

TEST_P(PagedObjects, WhatIsStoredAlreadyIsSkipped) {
  std::vector<std::uint64_t> said;
  const auto speaking = [&](std::uint64_t value) {
    return Paged<Speaking>(std::make_shared<const Speaking>(
        Speaking{value, [&](std::uint64_t v) { said.push_back(v); }}));
  };
  const Paged<Speaking> first = speaking(1);
  const Paged<Speaking> second = speaking(2);
  store_.schedule_for_paging(first);
  store_.schedule_for_paging(second);
  store_.schedule_for_paging(first);
  store_.page_out_pending();
  store_.page_out(second);
  EXPECT_EQ(said, (std::vector<std::uint64_t>{1, 2}));
}

TEST_P(PagedObjects, AnObjectMayScheduleAndLoadOthersWhileItIsSerialized) {
  const Paged<Node> stored = node(7);
  store_.page_out(stored);
  const Paged<Node> scheduled = node(8);
  std::uint64_t loaded = 0;
  const Paged<Speaking> speaking(
      std::make_shared<const Speaking>(Speaking{1, [&](std::uint64_t /*value*/) {
                                                  store_.schedule_for_paging(scheduled);
                                                  store_.page_out(node(9));
                                                  loaded = store_.load(stored)->value;
                                                  (void)store_.pending_count();
                                                }}));
  store_.schedule_for_paging(speaking);
  store_.page_out_pending();
  EXPECT_EQ(loaded, 7U);
  EXPECT_FALSE(scheduled.needs_paging_out()) << "the same call took it along";
  EXPECT_EQ(count_records(store_.backend()), 4U);
}

TEST_P(PagedObjects, AnErrorOfAnObjectEndsTheCallAndLeavesTheOthers) {
  const Paged<Node> below = node(1);
  const Paged<Node> above = node(2);
  const Paged<Speaking> broken(std::make_shared<const Speaking>(
      Speaking{3, [](std::uint64_t) { throw MalformedData("injected"); }}));
  store_.schedule_for_paging(below);
  store_.schedule_for_paging(broken);
  store_.schedule_for_paging(above);
  EXPECT_THROW(store_.page_out_pending(), MalformedData);
  EXPECT_FALSE(above.needs_paging_out());
  EXPECT_TRUE(broken.needs_paging_out());
  EXPECT_TRUE(below.needs_paging_out());
  EXPECT_EQ(store_.pending_count(), 1U);
  EXPECT_EQ(store_.load(broken)->value, 3U) << "still in memory";
  store_.page_out_pending();
  EXPECT_FALSE(below.needs_paging_out());
}

TEST_P(PagedObjects, AfterShuttingDownNothingIsScheduledButAllIsReadable) {
  const Paged<Node> stored = node(1);
  store_.page_out(stored);
  store_.schedule_for_paging(node(2));
  store_.shut_down();
  EXPECT_EQ(store_.pending_count(), 0U);
  store_.schedule_for_paging(node(3));
  EXPECT_EQ(store_.pending_count(), 0U);
  EXPECT_EQ(store_.load(stored)->value, 1U);
  store_.shut_down();
}

}  // namespace
}  // namespace furrow
