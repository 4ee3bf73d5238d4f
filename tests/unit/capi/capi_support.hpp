// SPDX-License-Identifier: Apache-2.0
// The rules of structs, arguments and buffers that every function of the C interface keeps.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "furrow/furrow.h"

#include "tests/unit/capi/handles.hpp"

namespace furrow::test {

/// The call that has just returned `status` was refused, and says why.
inline void expect_refused(furrow_status status, const std::string& why) {
  EXPECT_EQ(status, FURROW_INVALID_ARGUMENT) << why;
  EXPECT_EQ(last_error().status, FURROW_INVALID_ARGUMENT) << why;
  EXPECT_EQ(last_error().kind, FURROW_ERROR_ARGUMENT) << why;
  EXPECT_NE(std::string(furrow_last_error()).find(why), std::string::npos)
      << "expected: " << why << "\nactual: " << furrow_last_error();
}
inline void expect_null_refused(furrow_status status, const std::string& name) {
  expect_refused(status, "argument " + name + " is NULL");
}
inline void expect_overlap_refused(furrow_status status) {
  expect_refused(status, "overlap in memory");
}

/// A buffer at an odd address.
class OddBuffer {
 public:
  explicit OddBuffer(std::size_t size, std::uint8_t fill = 0xA5) : memory_(size + 1, fill) {}
  explicit OddBuffer(std::span<const std::uint8_t> content) : OddBuffer(content.size()) {
    std::memcpy(data(), content.data(), content.size());
  }
  [[nodiscard]] std::uint8_t* data() { return memory_.data() + 1; }
  [[nodiscard]] std::size_t size() const { return memory_.size() - 1; }
  [[nodiscard]] std::span<std::uint8_t> bytes() { return {data(), size()}; }
  /// Whether every byte is still what the buffer was filled with.
  [[nodiscard]] bool is_untouched(std::uint8_t fill = 0xA5) const {
    for (const std::uint8_t byte : memory_) {
      if (byte != fill) {
        return false;
      }
    }
    return true;
  }

 private:
  std::vector<std::uint8_t> memory_;
};

/// `call`, which takes a pointer to a struct, keeps the rules of furrow/c/base.h. `valid` is one
/// that it takes.
template <class Struct, class Call>
void expect_struct_rules(const Struct& valid, const Call& call) {
  constexpr std::size_t kTail = 16;
  std::vector<std::uint8_t> bytes(sizeof(Struct) + kTail);
  const auto with_size = [&](std::size_t size) {
    std::ranges::fill(bytes, std::uint8_t{0});
    std::memcpy(bytes.data(), &valid, sizeof(valid));
    std::memcpy(bytes.data(), &size, sizeof(size));
    return reinterpret_cast<const Struct*>(bytes.data());
  };
  for (const std::size_t size : {std::size_t{0}, sizeof(std::size_t) - 1, sizeof(std::size_t),
                                 sizeof(Struct) - 1, std::size_t{1} << 20, SIZE_MAX}) {
    expect_refused(call(with_size(size)), "size of ");
  }
  EXPECT_EQ(call(with_size(sizeof(Struct))), FURROW_OK) << furrow_last_error();
  EXPECT_EQ(call(with_size(sizeof(Struct) + kTail)), FURROW_OK) << furrow_last_error();
  for (const std::size_t wish : {sizeof(Struct) - 1, sizeof(Struct), sizeof(Struct) + kTail - 1}) {
    const Struct* const given = with_size(sizeof(Struct) + kTail);
    bytes[wish] = 1;
    expect_refused(call(given), "byte " + std::to_string(wish));
  }
  const Struct* const nothing = nullptr;
  EXPECT_EQ(call(nothing), FURROW_INVALID_ARGUMENT);
}

}  // namespace furrow::test
