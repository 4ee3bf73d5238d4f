// SPDX-License-Identifier: Apache-2.0
// Collects the contents of one object that is paged out
// (docs/spec/08-storage-components.md, section 2.2).
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "furrow/errors.hpp"

#include "host/store/paged_store/paged.hpp"
#include "host/store/paged_store/session_context.hpp"

namespace furrow {

/// Integers are appended little-endian and without padding. Children go into a list of their own;
/// only their order is kept, so an object writes down itself how many there are and which are
/// absent.
class ObjectWriter {
 public:
  explicit ObjectWriter(const SessionContext& context) : context_(context) {}

  ObjectWriter& u8(std::uint8_t value) { return integer(value); }
  ObjectWriter& u16(std::uint16_t value) { return integer(value); }
  ObjectWriter& u32(std::uint32_t value) { return integer(value); }
  ObjectWriter& u64(std::uint64_t value) { return integer(value); }
  /// Bytes as they are.
  ObjectWriter& raw(std::span<const std::uint8_t> bytes) {
    data_.insert(data_.end(), bytes.begin(), bytes.end());
    return *this;
  }
  /// Length (u64), then the bytes.
  ObjectWriter& text(std::string_view text) {
    u64(text.size());
    return raw({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
  }
  /// Throws InvalidArgument when `child` refers to nothing.
  template <class T>
  ObjectWriter& child(const Paged<T>& child) {
    if (!child) {
      throw InvalidArgument("paged store: a child that refers to nothing cannot be written");
    }
    children_.push_back(child.cell());
    return *this;
  }

  [[nodiscard]] const SessionContext& context() const { return context_; }
  [[nodiscard]] std::vector<std::uint8_t> take_data() { return std::move(data_); }
  [[nodiscard]] std::vector<std::shared_ptr<PagedCell>> take_children() {
    return std::move(children_);
  }

 private:
  template <class T>
  ObjectWriter& integer(T value) {
    for (std::size_t i = 0; i < sizeof(T); ++i) {
      data_.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
    }
    return *this;
  }

  const SessionContext& context_;
  std::vector<std::uint8_t> data_;
  std::vector<std::shared_ptr<PagedCell>> children_;
};

}  // namespace furrow
