// SPDX-License-Identifier: Apache-2.0
#include "host/store/paged_store/object_reader.hpp"

namespace furrow {

std::span<const std::uint8_t> ObjectReader::raw(std::size_t n_bytes) {
  if (n_bytes > data_.size()) {
    fail("data ends early: expected " + std::to_string(n_bytes) + " more bytes, actual " +
         std::to_string(data_.size()));
  }
  const auto bytes = data_.first(n_bytes);
  data_ = data_.subspan(n_bytes);
  return bytes;
}

std::string_view ObjectReader::text() {
  const auto bytes = raw(u64());
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

void ObjectReader::finish() const {
  if (!data_.empty() || !children_.empty()) {
    fail("no object of the type asked for: expected an end, actual " +
         std::to_string(data_.size()) + " more bytes and " + std::to_string(children_.size()) +
         " more children");
  }
}

DataKey ObjectReader::next_child() {
  if (children_.empty()) {
    fail("expected one more child, actual 0");
  }
  const DataKey key = children_.front();
  children_ = children_.subspan(1);
  return key;
}

}  // namespace furrow
