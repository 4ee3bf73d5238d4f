// SPDX-License-Identifier: Apache-2.0
// What holds for every buffer, and the slices it gives.
#include "host/store/buffer.hpp"

#include <array>
#include <numeric>
#include <utility>

#include <gtest/gtest.h>

#include "furrow/errors.hpp"

#include "host/store/buffer_pool.hpp"
#include "host/store/system_buffer.hpp"

namespace furrow {
namespace {

/// A message as a decoder builds it: a header that tells the length, then the body.
Slice receive(Buffer auto& buffer, std::uint8_t body_length) {
  buffer.get_writable(1)[0] = body_length;
  const auto body = buffer.get_writable(buffer.bytes()[0]);
  std::iota(body.begin(), body.end(), std::uint8_t{1});
  return buffer.get_data_owned();
}

void expect_message(const Slice& message, std::uint8_t body_length) {
  ASSERT_EQ(message.size(), body_length + 1U);
  EXPECT_EQ(message.bytes()[0], body_length);
  for (std::size_t i = 1; i < message.size(); ++i) {
    ASSERT_EQ(message.bytes()[i], i);
  }
}

template <class T>
class EveryBuffer : public testing::Test {};

struct PoolOfOneKilobyte : BufferPool {
  PoolOfOneKilobyte() : BufferPool({.capacity = 1024}) {}
};
struct AlignedSystemBuffer : SystemBuffer {
  AlignedSystemBuffer() : SystemBuffer(512) {}
};
struct PoolWithoutCapacity : BufferPool {
  PoolWithoutCapacity() : BufferPool({}) {}
};
using Buffers =
    testing::Types<SystemBuffer, AlignedSystemBuffer, PoolOfOneKilobyte, PoolWithoutCapacity>;
TYPED_TEST_SUITE(EveryBuffer, Buffers);

TYPED_TEST(EveryBuffer, KeepsTheHeaderBeforeTheBody) {
  static_assert(Buffer<TypeParam>);
  TypeParam buffer;
  std::array<Slice, 12> messages;
  for (std::size_t i = 0; i < messages.size(); ++i) {
    messages[i] = receive(buffer, static_cast<std::uint8_t>(20 * i));
    EXPECT_TRUE(buffer.bytes().empty());
  }
  for (std::size_t i = 0; i < messages.size(); ++i) {
    expect_message(messages[i], static_cast<std::uint8_t>(20 * i));
  }
}

TYPED_TEST(EveryBuffer, NothingIsLegal) {
  TypeParam buffer;
  EXPECT_TRUE(buffer.get_data_owned().empty());
  EXPECT_TRUE(buffer.get_writable(0).empty());
  EXPECT_TRUE(buffer.bytes().empty());
  EXPECT_TRUE(buffer.get_data_owned().empty());
  buffer.get_writable(3);
  EXPECT_TRUE(buffer.get_writable(0).empty());
  EXPECT_EQ(buffer.get_data_owned().size(), 3U);
  EXPECT_TRUE(buffer.get_data_owned().empty());
}

TYPED_TEST(EveryBuffer, GrowsByteByByte) {
  TypeParam buffer;
  for (unsigned i = 0; i < 5000; ++i) {
    buffer.get_writable(1)[0] = static_cast<std::uint8_t>(i % 251);
  }
  const Slice message = buffer.get_data_owned();
  ASSERT_EQ(message.size(), 5000U);
  for (unsigned i = 0; i < 5000; ++i) {
    ASSERT_EQ(message.bytes()[i], i % 251) << i;
  }
}

TYPED_TEST(EveryBuffer, SlicesMove) {
  TypeParam buffer;
  Slice first = receive(buffer, 100);
  const std::uint8_t* const data = first.bytes().data();
  Slice second = std::move(first);
  EXPECT_TRUE(first.empty());  // NOLINT(bugprone-use-after-move): it is specified
  EXPECT_FALSE(first.is_in_block());
  EXPECT_EQ(second.bytes().data(), data);
  first = std::move(second);
  EXPECT_EQ(first.bytes().data(), data);
  Slice& same = first;
  first = std::move(same);
  expect_message(first, 100);
  first = receive(buffer, 50);  // which drops the other one
  expect_message(first, 50);
}

TEST(SystemBuffer, StartsAtTheAlignment) {
  for (std::size_t alignment = 1; alignment <= 8192; alignment *= 2) {
    SystemBuffer buffer(alignment);
    for (const std::size_t size : {1U, 255U, 256U, 257U, 100'000U}) {
      buffer.get_writable(size);
      EXPECT_EQ(reinterpret_cast<std::uintptr_t>(buffer.bytes().data()) % alignment, 0U);
    }
  }
  EXPECT_THROW(SystemBuffer(0), InvalidArgument);
  EXPECT_THROW(SystemBuffer(24), InvalidArgument);
}

}  // namespace
}  // namespace furrow
