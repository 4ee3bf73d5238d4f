// SPDX-License-Identifier: Apache-2.0
// Objects for tests of the paged store, and backends to put under it.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "host/sector/sector_metadata.hpp"
#include "host/store/paged_store/memory_backend.hpp"
#include "host/store/paged_store/object_reader.hpp"
#include "host/store/paged_store/object_writer.hpp"
#include "host/store/paged_store/paged_store.hpp"

namespace furrow {

/// The metadata of a sector is written as the slot that it is in a farm.
template <>
struct PagedTraits<SectorMetadata> {
  static void serialize(const SectorMetadata& object, ObjectWriter& out) {
    out.raw(object.encode());
  }
  static std::shared_ptr<const SectorMetadata> deserialize(ObjectReader& in) {
    return std::make_shared<const SectorMetadata>(SectorMetadata::decode(
        Network::kAbundance, in.raw(in.remaining_bytes()), describe(in.key())));
  }
};

}  // namespace furrow

namespace furrow::test {

/// A value with any number of children of its own type: lists, trees, diamonds.
struct Node {
  std::uint64_t value = 0;
  std::vector<Paged<Node>> children;

  void serialize(ObjectWriter& out) const {
    out.u64(value).u64(children.size());
    for (const Paged<Node>& child : children) {
      out.child(child);
    }
  }
  static std::shared_ptr<const Node> deserialize(ObjectReader& in) {
    auto node = std::make_shared<Node>();
    node->value = in.u64();
    const std::uint64_t n = in.u64();
    if (n != in.remaining_children()) {
      in.fail("expected " + std::to_string(n) + " children, actual " +
              std::to_string(in.remaining_children()));
    }
    for (std::uint64_t i = 0; i < n; ++i) {
      node->children.push_back(in.child<Node>());
    }
    return node;
  }
};

/// Writes the same bytes as a Node without children.
struct OtherLeaf {
  std::uint64_t value = 0;

  void serialize(ObjectWriter& out) const { out.u64(value).u64(0); }
  static std::shared_ptr<const OtherLeaf> deserialize(ObjectReader& in) {
    auto leaf = std::make_shared<OtherLeaf>(OtherLeaf{in.u64()});
    if (in.u64() != 0) {
      in.fail("expected no children");
    }
    return leaf;
  }
};

inline Paged<Node> node(std::uint64_t value, std::vector<Paged<Node>> children = {}) {
  return Paged<Node>(std::make_shared<const Node>(Node{value, std::move(children)}));
}

/// A chain of `length` nodes with the values length - 1 (the head) down to 0.
inline Paged<Node> chain(std::size_t length) {
  Paged<Node> head = node(0);
  for (std::size_t i = 1; i < length; ++i) {
    head = node(i, {head});
  }
  return head;
}

inline std::size_t count_records(const PagedBackend& backend) {
  std::size_t n = 0;
  backend.for_each_record([&](const DataKey&, std::span<const std::uint8_t>) { ++n; });
  return n;
}

/// Passes everything on to another backend, and calls a hook before each operation that changes or
/// secures something.
class HookedBackend final : public PagedBackend {
 public:
  enum class Operation { kPutRecords, kPutEntry, kFlush };
  using Hook = std::function<void(Operation)>;

  HookedBackend(std::shared_ptr<PagedBackend> below, Hook hook)
      : below_(std::move(below)), hook_(std::move(hook)) {}

  [[nodiscard]] std::optional<Bytes> get_record(const DataKey& key) const override {
    return below_->get_record(key);
  }
  void put_records(std::span<const PagedRecord> batch) override {
    hook_(Operation::kPutRecords);
    below_->put_records(batch);
  }
  void for_each_record(const std::function<void(const DataKey&, std::span<const std::uint8_t>)>&
                           visit) const override {
    below_->for_each_record(visit);
  }
  [[nodiscard]] std::optional<Bytes> get_entry(std::string_view name) const override {
    return below_->get_entry(name);
  }
  void put_entry(std::string_view name, std::span<const std::uint8_t> bytes) override {
    hook_(Operation::kPutEntry);
    below_->put_entry(name, bytes);
  }
  void flush() override {
    hook_(Operation::kFlush);
    below_->flush();
  }

 private:
  std::shared_ptr<PagedBackend> below_;
  Hook hook_;
};

inline BackendError backend_error(BackendError::Reason reason = BackendError::Reason::kIo) {
  return {reason, "write", "test", "injected"};
}

/// Without a thread of its own, so that a test decides when objects are paged out.
inline constexpr PagedStore::Options kByHand{.longer_values = LongerValues::kRefused,
                                             .in_background = false};

}  // namespace furrow::test
