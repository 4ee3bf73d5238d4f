// SPDX-License-Identifier: Apache-2.0
// Polymorphic objects, raw entries and a first user of the paged store, over every backend.
#include <gtest/gtest.h>

#include "host/store/paged_store/polymorphic.hpp"
#include "tests/unit/store/paged_store/paged_store_fixture.hpp"

namespace furrow {
namespace {

using test::kByHand;
using test::Node;
using test::node;

class PagedClasses : public test::PagedStoreTest {};

INSTANTIATE_TEST_SUITE_P(Each, PagedClasses, test::every_backend(), test::kind_name);

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

TEST_P(PagedClasses, ObjectsBehindAnAbstractClassComeBackAsWhatTheyWere) {
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

TEST_P(PagedClasses, TheSessionContextIsThereWhileReading) {
  PagedStore store(make_backend(), shapes(100), kByHand);
  const Paged<Shape> square(std::make_shared<const Square>(3));
  store.page_out(square);
  EXPECT_EQ(store.load(square)->area(), 900U);
}

TEST_P(PagedClasses, ClassesThatAreNotRegisteredAreRefused) {
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

TEST_P(PagedClasses, RawEntriesComeBackUnderTheirNames) {
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

TEST_P(PagedClasses, RawEntriesThatAreMissingOrOfAnotherSizeAreErrors) {
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

TEST_P(PagedClasses, ANameOfSixteenBytesIsNoKey) {
  const DataKey key = store_.page_out(node(1));
  const std::string name(key.begin(), key.end());
  EXPECT_THROW((void)store_.fetch_value<std::uint64_t>(name), NoDataForKey);
  store_.write_value(name, std::uint64_t{12});
  EXPECT_EQ(store_.fetch<Node>(key)->value, 1U);
  EXPECT_EQ(store_.fetch_value<std::uint64_t>(name), 12U);
}

TEST_P(PagedClasses, HoldsTheMetadataOfSectors) {
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
