// SPDX-License-Identifier: Apache-2.0
// Hands the contents of one record to the object that is made of it
// (docs/spec/08-storage-components.md, section 2.4).
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "host/store/paged_store/paged.hpp"
#include "host/store/paged_store/record.hpp"
#include "host/store/paged_store/session_context.hpp"

namespace furrow {

/// Reads what ObjectWriter wrote, in the same order. Every call throws CorruptEntry, naming the
/// key, when too little is left. Views stay valid as long as the reader.
class ObjectReader {
 public:
  /// References to children belong to the store with this number.
  ObjectReader(const DataKey& key, const PagedData& contents, const SessionContext& context,
               std::uint64_t store_id)
      : key_(key),
        data_(contents.data),
        children_(contents.children),
        context_(context),
        store_id_(store_id) {}

  std::uint8_t u8() { return integer<std::uint8_t>(); }
  std::uint16_t u16() { return integer<std::uint16_t>(); }
  std::uint32_t u32() { return integer<std::uint32_t>(); }
  std::uint64_t u64() { return integer<std::uint64_t>(); }
  std::span<const std::uint8_t> raw(std::size_t n_bytes);
  std::string_view text();
  /// A reference to the next child; the child itself is not read.
  template <class T>
  Paged<T> child() {
    return Paged<T>(std::make_shared<PagedCell>(
        paged_type<T>(), PagedCell::StoredKey{.key = next_child(), .store_id = store_id_}));
  }

  /// Bytes and children not read yet, so that a count among them can be checked before it is
  /// believed.
  [[nodiscard]] std::size_t remaining_bytes() const { return data_.size(); }
  [[nodiscard]] std::size_t remaining_children() const { return children_.size(); }

  /// Says that the contents are no such object.
  [[noreturn]] void fail(const std::string& reason) const { throw CorruptEntry(key_, reason); }
  /// Fails unless everything was read.
  void finish() const;

  [[nodiscard]] const DataKey& key() const { return key_; }
  [[nodiscard]] const SessionContext& context() const { return context_; }

 private:
  template <class T>
  T integer() {
    const auto bytes = raw(sizeof(T));
    T value = 0;
    for (std::size_t i = 0; i < sizeof(T); ++i) {
      value = static_cast<T>(value | static_cast<T>(static_cast<T>(bytes[i]) << (8 * i)));
    }
    return value;
  }
  DataKey next_child();

  DataKey key_;
  std::span<const std::uint8_t> data_;
  std::span<const DataKey> children_;
  const SessionContext& context_;
  std::uint64_t store_id_;
};

}  // namespace furrow
