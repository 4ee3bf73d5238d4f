// SPDX-License-Identifier: Apache-2.0
// How a buffer pool is used: three examples, to be read from top to bottom.
#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "host/store/buffer_pool.hpp"

namespace furrow {
namespace {

/// Writes a message into a pool and takes it: the pool is free for the next one then.
Slice take_message(BufferPool& pool, std::string_view text) {
  const std::span<std::uint8_t> place = pool.get_writable(text.size());
  std::copy(text.begin(), text.end(), place.begin());
  return pool.get_data_owned();
}

std::string text_of(const Slice& slice) {
  return {slice.bytes().begin(), slice.bytes().end()};
}

// A message is written in parts, such as a header and what it announces, and then owned by whoever
// took it. Dropping it gives its place back.
TEST(BufferPoolExamples, AMessageIsWrittenAndTaken) {
  BufferPool pool({.capacity = 4096});
  const std::span<std::uint8_t> header = pool.get_writable(1);
  header[0] = 5;
  const std::span<std::uint8_t> body = pool.get_writable(header[0]);
  std::fill(body.begin(), body.end(), std::uint8_t{0xAB});
  EXPECT_EQ(pool.bytes().size(), 6U);  // what was written so far

  const Slice message = pool.get_data_owned();
  EXPECT_EQ(message.size(), 6U);
  EXPECT_EQ(message.bytes()[5], 0xAB);
  EXPECT_TRUE(message.is_in_block());
  EXPECT_TRUE(pool.bytes().empty());  // the next message begins here
}

// A pool has eight places. Whoever keeps more messages than that gets the next ones in system
// memory, until one of the eight is dropped. Nothing waits and nothing fails.
TEST(BufferPoolExamples, WithoutAPlaceMessagesLieInSystemMemory) {
  BufferPool pool({.capacity = 4096});
  std::vector<Slice> kept;
  for (unsigned i = 0; i < BufferPool::kSlots; ++i) {
    kept.push_back(take_message(pool, "message " + std::to_string(i)));
    EXPECT_TRUE(kept.back().is_in_block());
  }
  const Slice ninth = take_message(pool, "the ninth");
  EXPECT_FALSE(ninth.is_in_block());
  EXPECT_EQ(text_of(ninth), "the ninth");
  EXPECT_EQ(pool.mode(), BufferPoolMode::kAlloc);

  kept.erase(kept.begin());  // the first one: there is a place at the front
  const Slice tenth = take_message(pool, "the tenth");
  EXPECT_TRUE(tenth.is_in_block());
  EXPECT_EQ(pool.mode(), BufferPoolMode::kFront);
  EXPECT_EQ(text_of(kept.front()), "message 1");  // whatever came after, it stayed where it was
}

// Messages may have any length. One that is too long for what is left of the block lies in system
// memory, alone; shorter ones behind it still find room in the block.
TEST(BufferPoolExamples, MessagesOfAnyLength) {
  BufferPool pool({.capacity = 1024, .alignment = 64});
  const Slice short_one = take_message(pool, std::string(100, 'a'));
  const Slice long_one = take_message(pool, std::string(2000, 'b'));
  const Slice next = take_message(pool, std::string(200, 'c'));
  EXPECT_TRUE(short_one.is_in_block());
  EXPECT_FALSE(long_one.is_in_block());
  EXPECT_TRUE(next.is_in_block());
  EXPECT_EQ(text_of(long_one), std::string(2000, 'b'));
  // Each begins at a multiple of the alignment.
  EXPECT_EQ(next.bytes().data() - short_one.bytes().data(), 128);
  EXPECT_EQ(pool.counters().n_fallbacks, 1U);
}

}  // namespace
}  // namespace furrow
