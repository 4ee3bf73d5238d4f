// Graphs of objects that go to a paged store and come back (docs/spec/08-storage-components.md,
// section 2.7), over every backend.
#include <algorithm>
#include <deque>
#include <functional>

#include <gtest/gtest.h>

#include "host/store/paged_store/paged_store_check.hpp"
#include "host/store/paged_store/polymorphic.hpp"
#include "tests/support/temp_directory.hpp"
#include "tests/unit/paged_objects.hpp"
#ifdef FURROW_TEST_ROCKSDB
#include "host/store/paged_store/rocksdb_backend.hpp"
#endif

namespace furrow {
namespace {

using test::chain;
using test::count_records;
using test::kByHand;
using test::Node;
using test::node;
using test::OtherLeaf;

enum class BackendKind { kMemory, kRocksDb };

class PagedGraph : public testing::TestWithParam<BackendKind> {
 protected:
  std::unique_ptr<PagedBackend> make_backend() {
#ifdef FURROW_TEST_ROCKSDB
    if (GetParam() == BackendKind::kRocksDb) {
      return open_rocksdb_backend(directories_.emplace_back().path());
    }
#endif
    return std::make_unique<MemoryBackend>();
  }
  void TearDown() override {
    const PagedStoreReport report = check_paged_store(store_.backend());
    for (const std::string& broken : report.broken) {
      ADD_FAILURE() << broken;
    }
  }

  std::deque<test::TempDirectory> directories_;
  PagedStore store_{make_backend(), {}, kByHand};
};

std::string kind_name(const testing::TestParamInfo<BackendKind>& info) {
  return info.param == BackendKind::kMemory ? "Memory" : "RocksDb";
}

#ifdef FURROW_TEST_ROCKSDB
INSTANTIATE_TEST_SUITE_P(Each, PagedGraph,
                         testing::Values(BackendKind::kMemory, BackendKind::kRocksDb), kind_name);
#else
INSTANTIATE_TEST_SUITE_P(Each, PagedGraph, testing::Values(BackendKind::kMemory), kind_name);
#endif

TEST_P(PagedGraph, ALeafLeavesMemoryAndComesBack) {
  auto object = std::make_shared<const Node>(Node{42, {}});
  const std::weak_ptr<const Node> watch = object;
  const Paged<Node> leaf(std::move(object));
  EXPECT_TRUE(leaf.needs_paging_out());
  EXPECT_EQ(store_.load(leaf), watch.lock()) << "in memory: no detour";

  const DataKey key = store_.page_out(leaf);
  EXPECT_FALSE(leaf.needs_paging_out());
  EXPECT_EQ(leaf.data_key(), key);
  EXPECT_TRUE(watch.expired());

  const auto back = store_.load(leaf);
  EXPECT_EQ(back->value, 42U);
  EXPECT_TRUE(back->children.empty());
  EXPECT_EQ(store_.fetch<Node>(key), back);
  EXPECT_EQ(store_.fetch_async<Node>(key).get(), back);
  EXPECT_EQ(store_.fetch_data(key).data.size(), 16U);
}

TEST_P(PagedGraph, AChainComesBackLinkByLink) {
  const Paged<Node> head = chain(5);
  store_.page_out(head);
  EXPECT_EQ(count_records(store_.backend()), 5U);
  auto link = store_.load(head);
  for (std::uint64_t expected = 4; expected > 0; --expected) {
    ASSERT_EQ(link->value, expected);
    ASSERT_EQ(link->children.size(), 1U);
    link = store_.load(link->children.front());
  }
  EXPECT_EQ(link->value, 0U);
}

TEST_P(PagedGraph, ADiamondWithEqualSidesIsThreeRecords) {
  const Paged<Node> bottom = node(1);
  const Paged<Node> top = node(3, {node(2, {bottom}), node(2, {bottom})});
  store_.page_out(top);
  EXPECT_EQ(count_records(store_.backend()), 3U);
  const auto back = store_.load(top);
  EXPECT_EQ(store_.load(back->children[0]), store_.load(back->children[1]));
}

TEST_P(PagedGraph, ADiamondStoresTheSharedChildOnce) {
  const Paged<Node> bottom = node(1);
  const Paged<Node> top = node(4, {node(2, {bottom}), node(3, {bottom})});
  store_.page_out(top);
  EXPECT_EQ(count_records(store_.backend()), 4U);
  const auto back = store_.load(top);
  const auto left = store_.load(back->children[0]);
  const auto right = store_.load(back->children[1]);
  EXPECT_NE(left, right);
  EXPECT_EQ(store_.load(left->children[0]), store_.load(right->children[0]));
}

TEST_P(PagedGraph, AChildMayBeRepeated) {
  const Paged<Node> child = node(1);
  const Paged<Node> list = node(2, {child, child, node(7), child});
  const DataKey key = store_.page_out(list);
  EXPECT_EQ(count_records(store_.backend()), 3U);
  const std::vector<DataKey> keys = store_.fetch_data(key).children;
  ASSERT_EQ(keys.size(), 4U);
  EXPECT_EQ(keys[0], keys[1]);
  EXPECT_EQ(keys[0], keys[3]);
  EXPECT_NE(keys[0], keys[2]);
}

TEST_P(PagedGraph, EqualSubtreesOfDifferentObjectsAreStoredOnce) {
  const DataKey first = store_.page_out(node(9, {chain(4)}));
  EXPECT_EQ(count_records(store_.backend()), 5U);
  EXPECT_EQ(store_.page_out(node(9, {chain(4)})), first);
  EXPECT_EQ(count_records(store_.backend()), 5U);
  store_.page_out(node(10, {chain(3)}));
  EXPECT_EQ(count_records(store_.backend()), 6U);
}

TEST_P(PagedGraph, TwoTypesWithEqualBytesShareARecordButNoObject) {
  const DataKey key = store_.page_out(node(5));
  const Paged<OtherLeaf> other(std::make_shared<const OtherLeaf>(OtherLeaf{5}));
  EXPECT_EQ(store_.page_out(other), key);
  EXPECT_EQ(count_records(store_.backend()), 1U);
  const auto as_node = store_.fetch<Node>(key);
  const auto as_other = store_.load(other);
  EXPECT_EQ(as_node->value, 5U);
  EXPECT_EQ(as_other->value, 5U);
  EXPECT_NE(static_cast<const void*>(as_node.get()), static_cast<const void*>(as_other.get()));
  EXPECT_EQ(store_.fetch<Node>(key), as_node);
  EXPECT_EQ(store_.fetch<OtherLeaf>(key), as_other);
}

TEST_P(PagedGraph, TheOrderOfChildrenIsPartOfTheContent) {
  const Paged<Node> a = node(1);
  const Paged<Node> b = node(2);
  EXPECT_NE(store_.page_out(node(3, {a, b})), store_.page_out(node(3, {b, a})));
}

TEST_P(PagedGraph, AParentOfStoredChildrenNeedsNoneOfThemInMemory) {
  const Paged<Node> child = node(1);
  const DataKey child_key = store_.page_out(child);
  const DataKey key = store_.page_out(node(2, {child, store_.reference<Node>(child_key)}));
  EXPECT_EQ(store_.fetch_data(key).children, (std::vector{child_key, child_key}));
  EXPECT_EQ(count_records(store_.backend()), 2U);
}

// S7: neither writing, nor dropping objects of which each holds the next, may recurse.
TEST_P(PagedGraph, AChainOfAMillionDoesNotOverflowTheStack) {
  constexpr std::size_t kLength = 1'000'000;
  { const Paged<Node> never_stored = chain(kLength); }
  const Paged<Node> head = chain(kLength);
  store_.page_out(head);
  EXPECT_EQ(store_.load(head)->value, kLength - 1);
  Paged<Node> link = head;
  for (std::size_t i = 0; i < 1000; ++i) {
    link = store_.load(link)->children.at(0);
  }
  EXPECT_EQ(store_.load(link)->value, kLength - 1001);
  EXPECT_EQ(count_records(store_.backend()), kLength);
}

/// A node that can be made to refer to itself, which an immutable one cannot.
struct Knot {
  mutable std::vector<Paged<Knot>> children;
  void serialize(ObjectWriter& out) const {
    for (const Paged<Knot>& child : children) {
      out.child(child);
    }
  }
  static std::shared_ptr<const Knot> deserialize(ObjectReader& /*in*/) { return nullptr; }
};

TEST_P(PagedGraph, ACycleIsAnErrorAndNothingOfItIsStored) {
  for (const std::size_t length : {1U, 2U, 20U}) {
    std::vector<std::shared_ptr<Knot>> knots;
    std::vector<Paged<Knot>> references;
    for (std::size_t i = 0; i < length; ++i) {
      knots.push_back(std::make_shared<Knot>());
      references.emplace_back(std::shared_ptr<const Knot>(knots.back()));
    }
    for (std::size_t i = 0; i < length; ++i) {
      knots[i]->children = {references[(i + 1) % length]};
    }
    const std::size_t records = count_records(store_.backend());
    const Paged<Knot> root(std::make_shared<const Knot>(Knot{{references[0], references[0]}}));
    try {
      store_.page_out(root);
      ADD_FAILURE() << "cycle of " << length;
    } catch (const PagingCycle& error) {
      EXPECT_NE(std::string(error.what()).find("cycle of " + std::to_string(length) + " objects"),
                std::string::npos)
          << error.what();
    }
    EXPECT_TRUE(root.needs_paging_out());
    EXPECT_TRUE(references[0].needs_paging_out());
    EXPECT_EQ(count_records(store_.backend()), records);
    knots[0]->children.clear();
    EXPECT_NO_THROW(store_.page_out(root)) << "no longer a cycle";
  }
}

TEST_P(PagedGraph, AMissingChildIsAnErrorThatNamesItsKey) {
  DataKey absent;
  absent.bytes.fill(0xAB);
  const auto expect_named = [](const auto& call) {
    try {
      call();
      ADD_FAILURE() << "expected NoDataForKey";
    } catch (const NoDataForKey& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kUnavailable);
      EXPECT_STREQ(error.what(), "paged store: no data for key abababababababababababababababab");
    }
  };
  expect_named([&] { store_.fetch<Node>(absent); });
  expect_named([&] { (void)store_.fetch_data(absent); });
  expect_named([&] { store_.fetch_async<Node>(absent).get(); });
  expect_named([&] { store_.reference<Node>(absent); });
}

TEST_P(PagedGraph, ReferencesOfAnotherStoreAreRefused) {
  PagedStore other(std::make_unique<MemoryBackend>(), {}, kByHand);
  const Paged<Node> foreign = node(1);
  other.page_out(foreign);
  EXPECT_THROW(store_.load(foreign), InvalidArgument);
  EXPECT_THROW(store_.page_out(foreign), InvalidArgument);
  EXPECT_THROW(store_.page_out(node(2, {node(3), foreign})), InvalidArgument);
  EXPECT_EQ(count_records(store_.backend()), 0U);
}

TEST_P(PagedGraph, ReferencesToNothingAreRefused) {
  EXPECT_THROW(Paged<Node>(std::shared_ptr<const Node>()), InvalidArgument);
  const Paged<Node> nothing;
  EXPECT_FALSE(nothing);
  EXPECT_THROW(store_.load(nothing), InvalidArgument);
  EXPECT_THROW(store_.page_out(nothing), InvalidArgument);
  EXPECT_THROW(store_.schedule_for_paging(nothing), InvalidArgument);
  EXPECT_THROW(store_.page_out(node(1, {nothing})), InvalidArgument);
}

// ---- One live object for a type and key

TEST_P(PagedGraph, AnObjectThatSomebodyHoldsIsTheOneThatComesBack) {
  const auto held = std::make_shared<const Node>(Node{42, {}});
  const Paged<Node> leaf(held);
  const DataKey key = store_.page_out(leaf);
  EXPECT_EQ(store_.load(leaf), held);
  EXPECT_EQ(store_.fetch<Node>(key), held);
}

TEST_P(PagedGraph, EqualObjectsBecomeOne) {
  const auto held = std::make_shared<const Node>(Node{42, {}});
  store_.page_out(Paged<Node>(held));
  const auto equal = std::make_shared<const Node>(Node{42, {}});
  const Paged<Node> reference(equal);
  store_.page_out(reference);
  EXPECT_EQ(store_.load(reference), held);
}

TEST_P(PagedGraph, NobodyHoldsAnObjectThatNobodyUses) {
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
TEST_P(PagedGraph, AsManyObjectsAreAliveAsAreInUse) {
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

TEST_P(PagedGraph, TheQueueIsEmptiedFromItsEnd) {
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

TEST_P(PagedGraph, WhatIsStoredAlreadyIsSkipped) {
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

TEST_P(PagedGraph, AnObjectMayScheduleAndLoadOthersWhileItIsSerialized) {
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

TEST_P(PagedGraph, AnErrorOfAnObjectEndsTheCallAndLeavesTheOthers) {
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

TEST_P(PagedGraph, AfterShuttingDownNothingIsScheduledButAllIsReadable) {
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

// ---- Polymorphic objects and the session context

struct Shape {
  virtual ~Shape() = default;
  [[nodiscard]] virtual std::uint64_t area() const = 0;
};

struct Unit {
  std::uint64_t squares_per_unit;
};

struct Square final : Shape {
  std::uint64_t side = 0;
  std::uint64_t scale = 1;
  explicit Square(std::uint64_t length, std::uint64_t unit = 1) : side(length), scale(unit) {}
  [[nodiscard]] std::uint64_t area() const override { return side * side * scale; }
  void serialize(ObjectWriter& out) const { out.u64(side); }
  static std::shared_ptr<const Square> deserialize(ObjectReader& in) {
    return std::make_shared<const Square>(in.u64(), in.context().get<Unit>().squares_per_unit);
  }
};

struct Pair final : Shape {
  std::uint64_t total = 0;
  Paged<Shape> left, right;
  [[nodiscard]] std::uint64_t area() const override { return total; }
  void serialize(ObjectWriter& out) const { out.u64(total).child(left).child(right); }
  static std::shared_ptr<const Pair> deserialize(ObjectReader& in) {
    auto pair = std::make_shared<Pair>();
    pair->total = in.u64();
    pair->left = in.child<Shape>();
    pair->right = in.child<Shape>();
    return pair;
  }
};

struct Stranger final : Shape {
  [[nodiscard]] std::uint64_t area() const override { return 0; }
  void serialize(ObjectWriter& /*out*/) const {}
  static std::shared_ptr<const Stranger> deserialize(ObjectReader& /*in*/) {
    return std::make_shared<const Stranger>();
  }
};

SessionContext shapes(std::uint64_t squares_per_unit) {
  SessionContext context;
  PolymorphicTypes<Shape> types;
  types.add<Square>("square").add<Pair>("pair");
  context.put(types).put(Unit{squares_per_unit});
  return context;
}

TEST_P(PagedGraph, ObjectsBehindAnAbstractClassComeBackAsWhatTheyWere) {
  PagedStore store(make_backend(), shapes(1), kByHand);
  auto pair = std::make_shared<Pair>();
  pair->total = 25;
  pair->left = Paged<Shape>(std::make_shared<const Square>(3));
  pair->right = Paged<Shape>(std::make_shared<const Square>(4));
  const Paged<Shape> root{std::shared_ptr<const Shape>(std::move(pair))};
  const DataKey key = store.page_out(root);
  EXPECT_EQ(store.fetch_data(key).data.size(), 8U + 4U + 8U);

  const auto back = std::dynamic_pointer_cast<const Pair>(store.load(root));
  ASSERT_NE(back, nullptr);
  EXPECT_EQ(back->area(), 25U);
  EXPECT_EQ(store.load(back->left)->area(), 9U);
  EXPECT_EQ(store.load(back->right)->area(), 16U);
}

TEST_P(PagedGraph, TheSessionContextIsThereWhileReading) {
  PagedStore store(make_backend(), shapes(100), kByHand);
  const Paged<Shape> square(std::make_shared<const Square>(3));
  store.page_out(square);
  EXPECT_EQ(store.load(square)->area(), 900U);
}

TEST_P(PagedGraph, ClassesThatAreNotRegisteredAreRefused) {
  PagedStore store(make_backend(), shapes(1), kByHand);
  EXPECT_THROW(store.page_out(Paged<Shape>(std::make_shared<const Stranger>())), InvalidArgument);
  PolymorphicTypes<Shape> types;
  types.add<Square>("square");
  EXPECT_THROW(types.add<Pair>("square"), InvalidArgument);
  EXPECT_THROW(types.add<Square>("rectangle"), InvalidArgument);
  EXPECT_THROW(store_.page_out(Paged<Shape>(std::make_shared<const Square>(1))), InvalidArgument)
      << "a store without the context";

  SessionContext with_strangers;
  with_strangers.put(PolymorphicTypes<Shape>().add<Stranger>("stranger"));
  PagedStore other(std::make_unique<MemoryBackend>(), with_strangers, kByHand);
  const DataKey key = other.page_out(Paged<Shape>(std::make_shared<const Stranger>()));
  auto backend = std::make_unique<MemoryBackend>();
  backend->put_records(std::vector{encode_record(other.fetch_data(key))});
  PagedStore without(std::move(backend), shapes(1), kByHand);
  try {
    without.fetch<Shape>(key);
    ADD_FAILURE() << "expected CorruptEntry";
  } catch (const CorruptEntry& error) {
    EXPECT_NE(std::string(error.what()).find("actual \"stranger\""), std::string::npos)
        << error.what();
  }
}

// ---- Raw entries and a first user

struct Snapshot {
  DataKey root;
  std::uint64_t sequence_number = 0;
  bool operator==(const Snapshot&) const = default;
};

TEST_P(PagedGraph, RawEntriesComeBackUnderTheirNames) {
  const Snapshot snapshot{store_.page_out(node(1)), 17};
  store_.write_value("farm", snapshot);
  store_.write_value("", std::uint8_t{5});
  store_.write_value("number", std::uint32_t{70000});
  EXPECT_EQ(store_.fetch_value<Snapshot>("farm"), snapshot);
  EXPECT_EQ(store_.fetch_value<std::uint8_t>(""), 5);
  EXPECT_EQ(store_.fetch_value<std::uint32_t>("number"), 70000U);
  store_.write_value("number", std::uint32_t{3});
  EXPECT_EQ(store_.fetch_value<std::uint32_t>("number"), 3U);
}

TEST_P(PagedGraph, RawEntriesThatAreMissingOrOfAnotherSizeAreErrors) {
  store_.write_value("number", std::uint32_t{3});
  try {
    (void)store_.fetch_value<std::uint64_t>("number");
    ADD_FAILURE() << "expected InvalidBytesLength";
  } catch (const InvalidBytesLength& error) {
    EXPECT_EQ(error.expected(), 8U);
    EXPECT_EQ(error.actual(), 4U);
    EXPECT_NE(std::string(error.what()).find("\"number\""), std::string::npos) << error.what();
  }
  try {
    (void)store_.fetch_value<std::uint32_t>("numbers");
    ADD_FAILURE() << "expected NoDataForKey";
  } catch (const NoDataForKey& error) {
    EXPECT_STREQ(error.what(), "paged store: no data for name \"numbers\"");
  }
}

TEST_P(PagedGraph, ANameOfSixteenBytesIsNoKey) {
  const DataKey key = store_.page_out(node(1));
  const std::string name(key.begin(), key.end());
  EXPECT_THROW((void)store_.fetch_value<std::uint64_t>(name), NoDataForKey);
  store_.write_value(name, std::uint64_t{12});
  EXPECT_EQ(store_.fetch<Node>(key)->value, 1U);
  EXPECT_EQ(store_.fetch_value<std::uint64_t>(name), 12U);
}

TEST_P(PagedGraph, HoldsTheMetadataOfSectors) {
  std::vector<Paged<SectorMetadata>> sectors;
  for (std::uint16_t i = 0; i < 3; ++i) {
    SectorMetadata metadata;
    metadata.sector_index = SectorIndex(i);
    metadata.pieces_in_sector = 1000;
    for (std::size_t bucket = 0; bucket < metadata.s_bucket_sizes.size(); ++bucket) {
      metadata.s_bucket_sizes[bucket] = static_cast<std::uint16_t>((bucket + i) % 251);
    }
    sectors.emplace_back(std::make_shared<const SectorMetadata>(std::move(metadata)));
    const DataKey key = store_.page_out(sectors.back());
    EXPECT_EQ(store_.fetch_data(key).data.size(), kSectorMetadataSize);
  }
  for (std::uint16_t i = 0; i < 3; ++i) {
    const auto metadata = store_.load(sectors[i]);
    EXPECT_EQ(metadata->sector_index, SectorIndex(i));
    EXPECT_EQ(metadata->s_bucket_sizes.at(1000), (1000 + i) % 251);
  }
}

}  // namespace
}  // namespace furrow
