// SPDX-License-Identifier: Apache-2.0
// Graphs of objects that go to a paged store and come back (docs/spec/08-storage-components.md,
// section 2.7), over every backend.
#include <algorithm>
#include <functional>

#include <gtest/gtest.h>

#include "tests/unit/store/paged_store/paged_store_fixture.hpp"

namespace furrow {
namespace {

using test::chain;
using test::count_records;
using test::kByHand;
using test::Node;
using test::node;
using test::OtherLeaf;

class PagedGraph : public test::PagedStoreTest {};

INSTANTIATE_TEST_SUITE_P(Each, PagedGraph, test::every_backend(), test::kind_name);

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
TEST_P(PagedGraph, AChainOfThousandsDoesNotOverflowTheStack) {
  // A stack of 8 MiB has no room for that many frames.
  constexpr std::size_t kLength = 250'000;
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

}  // namespace
}  // namespace furrow
