// SPDX-License-Identifier: Apache-2.0
// Messages that grow: in place, into another gap, into system memory; and the edges of the
// capacity.
#include <algorithm>
#include <limits>
#include <memory>
#include <new>
#include <span>
#include <stdexcept>
#include <vector>

#include <gtest/gtest.h>

#include "furrow/errors.hpp"

#include "host/store/buffer_pool.hpp"

namespace furrow {
namespace {

constexpr auto kBack = BufferPoolMode::kBack;
constexpr auto kFront = BufferPoolMode::kFront;
constexpr auto kAlloc = BufferPoolMode::kAlloc;

/// Makes the message longer by n bytes that go on with its count.
void grow(BufferPool& pool, std::size_t n) {
  const auto first = static_cast<std::uint8_t>(pool.bytes().size() % 251);
  std::uint8_t next = first;
  for (std::uint8_t& byte : pool.get_writable(n)) {
    byte = next;
    next = static_cast<std::uint8_t>((next + 1) % 251);
  }
}

bool counts_on(std::span<const std::uint8_t> bytes) {
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (bytes[i] != i % 251) {
      return false;
    }
  }
  return true;
}

Slice take(BufferPool& pool, std::size_t n) {
  grow(pool, n);
  return pool.get_data_owned();
}

TEST(BufferPoolGrowth, PartsFollowOneAnotherInPlace) {
  BufferPool pool({.capacity = 1000});
  grow(pool, 6);
  const std::uint8_t* const start = pool.bytes().data();
  grow(pool, 0);
  grow(pool, 300);
  grow(pool, 694);
  EXPECT_EQ(pool.mode(), kBack);
  EXPECT_EQ(pool.bytes().data(), start);
  const Slice slice = pool.get_data_owned();
  EXPECT_EQ(slice.size(), 1000U);
  EXPECT_EQ(slice.bytes().data(), start);
  EXPECT_TRUE(counts_on(slice.bytes()));
  EXPECT_EQ(pool.counters().n_moves, 0U);
  EXPECT_EQ(pool.counters().high_water_mark, 1000U);
}

TEST(BufferPoolGrowth, AcrossTheEndIntoTheFront) {
  BufferPool pool({.capacity = 1024});
  Slice first = take(pool, 512);
  const std::uint8_t* const start = first.bytes().data();
  const Slice second = take(pool, 256);
  first = {};
  grow(pool, 100);
  EXPECT_EQ(pool.mode(), kBack);
  grow(pool, 157);  // 257 bytes; 256 are left
  EXPECT_EQ(pool.mode(), kFront);
  const Slice third = pool.get_data_owned();
  EXPECT_EQ(third.bytes().data(), start);
  EXPECT_TRUE(counts_on(third.bytes()));
  EXPECT_TRUE(counts_on(second.bytes()));
  EXPECT_EQ(pool.counters().n_moves, 1U);
  EXPECT_EQ(pool.counters().n_moved_bytes, 100U);
  EXPECT_EQ(pool.counters().n_fallbacks, 0U);
}

TEST(BufferPoolGrowth, AcrossTheEndIntoSystemMemoryAndBack) {
  BufferPool pool({.capacity = 1024});
  Slice first = take(pool, 512);
  const Slice second = take(pool, 256);
  first = {};
  grow(pool, 100);
  grow(pool, 413);  // 513 bytes; the front has 512
  EXPECT_EQ(pool.mode(), kAlloc);
  grow(pool, 7);
  const Slice third = pool.get_data_owned();
  EXPECT_FALSE(third.is_in_block());
  EXPECT_EQ(third.size(), 520U);
  EXPECT_TRUE(counts_on(third.bytes()));
  EXPECT_EQ(pool.counters().n_moves, 1U);
  EXPECT_EQ(pool.counters().n_moved_bytes, 100U);
  EXPECT_EQ(pool.counters().n_fallbacks, 1U);
  EXPECT_TRUE(take(pool, 256).is_in_block()) << "the next message is tried in the block again";
  EXPECT_EQ(pool.mode(), kBack);
  EXPECT_EQ(pool.counters().n_alloc, 1U);
}

TEST(BufferPoolGrowth, OutOfTheFrontIntoTheBack) {
  BufferPool pool({.capacity = 1024});
  Slice first = take(pool, 256);
  const Slice second = take(pool, 256);
  Slice third = take(pool, 512);
  first = {};
  grow(pool, 200);
  EXPECT_EQ(pool.mode(), kFront);
  third = {};
  grow(pool, 100);
  EXPECT_EQ(pool.mode(), kBack);
  EXPECT_EQ(pool.counters().n_moves, 1U);
  EXPECT_TRUE(counts_on(pool.get_data_owned().bytes()));
}

TEST(BufferPoolGrowth, SlicesDroppedBehindAMessageMakeRoomInPlace) {
  BufferPool pool({.capacity = 1024});
  Slice first = take(pool, 256);
  Slice second = take(pool, 256);
  Slice third = take(pool, 512);
  first = {};
  grow(pool, 200);
  EXPECT_EQ(pool.mode(), kFront);
  const std::uint8_t* const start = pool.bytes().data();
  second = {};
  grow(pool, 312);
  EXPECT_EQ(pool.mode(), kFront);
  third = {};
  grow(pool, 512);
  EXPECT_EQ(pool.mode(), kBack) << "nothing is behind it any more";
  const Slice all = pool.get_data_owned();
  EXPECT_EQ(all.bytes().data(), start);
  EXPECT_EQ(all.size(), pool.capacity());
  EXPECT_TRUE(counts_on(all.bytes()));
  EXPECT_EQ(pool.counters().n_moves, 0U);
}

TEST(BufferPoolGrowth, MovesDownWhenEverythingBeforeItWasDropped) {
  BufferPool pool({.capacity = 1024});
  Slice first = take(pool, 64);
  grow(pool, 900);
  first = {};
  grow(pool, 124);  // to its old place it overlaps
  EXPECT_EQ(pool.mode(), kBack);
  const Slice all = pool.get_data_owned();
  EXPECT_EQ(all.size(), 1024U);
  EXPECT_TRUE(counts_on(all.bytes()));
  EXPECT_EQ(pool.counters().n_moves, 1U);
}

TEST(BufferPoolGrowth, SizesAroundTheCapacity) {
  for (const std::size_t capacity : {1UL, 63UL, 64UL, 65UL, 4095UL, 4096UL, 4097UL}) {
    BufferPool pool({.capacity = capacity});
    EXPECT_TRUE(take(pool, capacity).is_in_block()) << capacity;
    EXPECT_FALSE(take(pool, capacity + 1).is_in_block()) << capacity;
    EXPECT_EQ(pool.mode(), kAlloc);
    grow(pool, capacity);
    grow(pool, 1);
    const Slice moved = pool.get_data_owned();
    EXPECT_FALSE(moved.is_in_block());
    EXPECT_TRUE(counts_on(moved.bytes()));
    EXPECT_TRUE(take(pool, 1).is_in_block());
    EXPECT_EQ(pool.counters().high_water_mark, capacity);
  }
}

TEST(BufferPoolGrowth, WithoutCapacityEverythingIsInSystemMemory) {
  BufferPool pool({.capacity = 0, .source = [](std::size_t) -> MemoryBlock {
                     throw std::logic_error("a block of 0 bytes was asked for");
                   }});
  EXPECT_TRUE(pool.get_writable(0).empty());
  EXPECT_TRUE(pool.get_data_owned().empty());
  EXPECT_EQ(pool.mode(), kBack);
  std::vector<Slice> slices;
  for (std::size_t i = 1; i < 20; ++i) {
    grow(pool, 10 * i);
    slices.push_back(take(pool, i));
    EXPECT_EQ(pool.mode(), kAlloc);
    EXPECT_FALSE(slices.back().is_in_block());
    EXPECT_EQ(slices.back().size(), 11 * i);
  }
  EXPECT_TRUE(std::ranges::all_of(slices, [](const Slice& s) { return counts_on(s.bytes()); }));
  EXPECT_EQ(pool.counters().n_alloc, 19U);
  EXPECT_EQ(pool.counters().high_water_mark, 0U);
}

TEST(BufferPoolGrowth, EmptyMessagesTakeNoSlot) {
  BufferPool pool({.capacity = 1024});
  std::vector<Slice> slices;
  for (int i = 0; i < 20; ++i) {
    EXPECT_TRUE(pool.get_writable(0).empty());
    slices.push_back(pool.get_data_owned());
    EXPECT_TRUE(slices.back().empty());
    EXPECT_FALSE(slices.back().is_in_block());
  }
  for (int i = 0; i < 8; ++i) {
    slices.push_back(take(pool, 1));
    EXPECT_TRUE(slices.back().is_in_block());
  }
  EXPECT_EQ(pool.counters().n_back, 8U);
  EXPECT_EQ(pool.counters().n_alloc, 0U);
}

TEST(BufferPoolGrowth, SlicesStartAtTheAlignment) {
  for (const std::size_t alignment : {1UL, 2UL, 16UL, 64UL, 512UL, 4096UL}) {
    BufferPool pool({.capacity = 3 * alignment, .alignment = alignment});
    std::vector<Slice> slices;
    for (int i = 0; i < 12; ++i) {
      slices.push_back(take(pool, 1));
      EXPECT_EQ(reinterpret_cast<std::uintptr_t>(slices.back().bytes().data()) % alignment, 0U);
    }
    EXPECT_EQ(pool.counters().n_back, 3U) << alignment;
    EXPECT_EQ(pool.counters().high_water_mark, 2 * alignment + 1);
  }
}

TEST(BufferPoolGrowth, BadOptionsAreRefused) {
  EXPECT_THROW(BufferPool({.capacity = 10, .alignment = 0}), InvalidArgument);
  EXPECT_THROW(BufferPool({.capacity = 10, .alignment = 48}), InvalidArgument);
  EXPECT_THROW(BufferPool({.capacity = 10, .alignment = 2 * page_size()}), InvalidArgument);
  EXPECT_THROW(BufferPool({.capacity = 10, .source = [](std::size_t) { return MemoryBlock(); }}),
               InvalidArgument);
  EXPECT_THROW(BufferPool({.capacity = 10,
                           .source =
                               [](std::size_t n_bytes) {
                                 const MemoryBlock block = make_page_block(n_bytes + 64);
                                 return MemoryBlock(block, block.get() + 64);
                               }}),
               InvalidArgument);
  EXPECT_THROW(BufferPool({.capacity = std::numeric_limits<std::size_t>::max() / 2}),
               std::bad_alloc)
      << "no system has such a block";
}

TEST(BufferPoolGrowth, AMessageLongerThanAnyMemoryIsRefusedAndTheMessageKept) {
  for (const std::size_t capacity : {0UL, 1024UL}) {
    BufferPool pool({.capacity = capacity});
    for (const std::size_t n :
         {std::numeric_limits<std::size_t>::max(), std::numeric_limits<std::size_t>::max() - 100,
          std::numeric_limits<std::size_t>::max() / 2 + 1}) {
      EXPECT_THROW(pool.get_writable(n), InvalidArgument);
      grow(pool, 100);
      EXPECT_THROW(pool.get_writable(n), InvalidArgument);
      EXPECT_EQ(pool.bytes().size(), 100U);
      grow(pool, 10);
      EXPECT_TRUE(counts_on(pool.bytes()));
      EXPECT_EQ(pool.get_data_owned().is_in_block(), capacity != 0);
    }
  }
}

TEST(BufferPoolGrowth, TheBlockIsMadeOnceAndFreedByTheLastOwner) {
  int n_made = 0;
  int n_freed = 0;
  const auto source = [&](std::size_t n_bytes) {
    ++n_made;
    const MemoryBlock block = make_page_block(n_bytes);
    return MemoryBlock(block.get(), [&n_freed, block](std::uint8_t*) { ++n_freed; });
  };
  { const BufferPool unused({.capacity = 100, .source = source}); }
  EXPECT_EQ(n_freed, 1);
  auto pool = std::make_unique<BufferPool>(BufferPoolOptions{.capacity = 100, .source = source});
  Slice first = take(*pool, 10);
  Slice second = take(*pool, 10);
  first = {};
  pool.reset();
  EXPECT_EQ(n_freed, 1) << "a slice is alive";
  EXPECT_TRUE(counts_on(second.bytes()));
  second = Slice();
  EXPECT_EQ(n_freed, 2);
  EXPECT_EQ(n_made, 2);
}

}  // namespace
}  // namespace furrow
