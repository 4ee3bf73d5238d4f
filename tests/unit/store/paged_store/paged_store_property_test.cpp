// SPDX-License-Identifier: Apache-2.0
// Random graphs, written, dropped and read back, against a plain model of them.
#include <algorithm>
#include <cstdlib>
#include <map>
#include <random>

#include <gtest/gtest.h>

#include "host/store/paged_store/paged_store_check.hpp"
#include "tests/unit/store/paged_store/paged_objects.hpp"

namespace furrow {
namespace {

using test::count_records;
using test::Node;

/// A node as plain values: its children are places in the list of all.
struct ModelNode {
  std::uint64_t value = 0;
  std::vector<std::size_t> children;
};
using Model = std::vector<ModelNode>;

/// Children come before their parents, so there is no cycle. Few values make many equal subtrees.
Model random_model(std::mt19937_64& random) {
  Model model(1 + random() % 60);
  const std::uint64_t n_values = 1 + random() % 8;
  for (std::size_t i = 0; i < model.size(); ++i) {
    model[i].value = random() % n_values;
    for (std::uint64_t n = i == 0 ? 0 : random() % 5; n > 0; --n) {
      model[i].children.push_back(random() % i);
    }
  }
  return model;
}

/// The graph under a node as text; equal texts are equal contents.
class Texts {
 public:
  explicit Texts(const Model& model) {
    for (const ModelNode& node : model) {
      std::string text = std::to_string(node.value) + "(";
      for (const std::size_t child : node.children) {
        text += numbers_[child] + " ";
      }
      // A number for each distinct text keeps them short.
      const auto [entry, is_new] = distinct_.emplace(text + ")", std::to_string(distinct_.size()));
      numbers_.push_back(entry->second);
    }
  }
  [[nodiscard]] const std::string& of(std::size_t node) const { return numbers_[node]; }
  [[nodiscard]] std::size_t count() const { return distinct_.size(); }

 private:
  std::map<std::string, std::string> distinct_;
  std::vector<std::string> numbers_;
};

void expect_equal(PagedStore& store, const Paged<Node>& actual, const Model& model,
                  std::size_t expected, std::vector<DataKey>& checked) {
  const DataKey key = actual.data_key().value();
  if (std::ranges::find(checked, key) != checked.end()) {
    return;
  }
  checked.push_back(key);
  const auto node = store.load(actual);
  ASSERT_EQ(node->value, model[expected].value);
  ASSERT_EQ(node->children.size(), model[expected].children.size());
  for (std::size_t i = 0; i < node->children.size(); ++i) {
    expect_equal(store, node->children[i], model, model[expected].children[i], checked);
  }
}

/// Objects for a model; some nodes are stored before their parents exist, and some scheduled.
std::vector<Paged<Node>> build(PagedStore& store, const Model& model, std::mt19937_64& random) {
  std::vector<Paged<Node>> nodes;
  for (const ModelNode& each : model) {
    std::vector<Paged<Node>> children;
    for (const std::size_t child : each.children) {
      children.push_back(nodes[child]);
    }
    nodes.push_back(test::node(each.value, std::move(children)));
    switch (random() % 6) {
      case 0:
        store.page_out(nodes.back());
        break;
      case 1:
        store.schedule_for_paging(nodes.back());
        break;
      case 2:
        (void)store.load(nodes.back());
        break;
      default:
        break;
    }
  }
  return nodes;
}

void check_one(std::uint64_t seed) {
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  const Model model = random_model(random);
  const Texts texts(model);
  PagedStore store(std::make_unique<MemoryBackend>(), {},
                   {.longer_values = LongerValues::kRefused, .in_background = seed % 4 == 0});
  std::vector<DataKey> keys;
  {
    const std::vector<Paged<Node>> nodes = build(store, model, random);
    for (const Paged<Node>& each : nodes) {
      store.schedule_for_paging(each);
    }
    store.drain();
    for (const Paged<Node>& each : nodes) {
      keys.push_back(each.data_key().value());
    }
  }  // nothing is left in memory
  EXPECT_EQ(count_records(store.backend()), texts.count());
  EXPECT_TRUE(check_paged_store(store.backend()).broken.empty());
  for (std::size_t i = 0; i < keys.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      ASSERT_EQ(keys[i] == keys[j], texts.of(i) == texts.of(j)) << i << " and " << j;
    }
    std::vector<DataKey> checked;
    expect_equal(store, store.reference<Node>(keys[i]), model, i, checked);
  }
}

TEST(PagedStoreProperty, RandomGraphsComeBackAsTheyWere) {
  // FURROW_TEST_SEED repeats one seed.
  if (const char* fixed = std::getenv("FURROW_TEST_SEED")) {
    check_one(std::strtoull(fixed, nullptr, 10));
    return;
  }
  const std::uint64_t first = std::random_device()();
  for (std::uint64_t i = 0; i < 300 && !testing::Test::HasFailure(); ++i) {
    check_one(first + i);
  }
}

}  // namespace
}  // namespace furrow
