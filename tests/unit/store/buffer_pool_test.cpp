// SPDX-License-Identifier: Apache-2.0
// The pool's courses slot by slot: which mode, which slot, which bytes (docs/spec/08, 4.4 and 4.8).
#include "host/store/buffer_pool.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <numeric>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/checked_buffer_pool.hpp"

namespace furrow {
namespace {

constexpr auto kBack = BufferPoolMode::kBack;
constexpr auto kFront = BufferPoolMode::kFront;
constexpr auto kAlloc = BufferPoolMode::kAlloc;

/// A pool of eight messages of 64 bytes, whose slots can be seen by where slices lie.
class EightSlots : public testing::Test {
 protected:
  static constexpr std::size_t kSize = 64;

  EightSlots() {
    BufferPoolOptions options{.capacity = 8 * kSize};
    options.source = [this](std::size_t n_bytes) {
      MemoryBlock block = make_page_block(n_bytes);
      block_ = block.get();
      return block;
    };
    pool.emplace(options);
  }

  /// Fills the message with its name and takes it, which has to happen in that mode.
  void take(char name, BufferPoolMode mode) {
    std::ranges::fill(pool->get_writable(kSize), static_cast<std::uint8_t>(name));
    EXPECT_EQ(pool->mode(), mode) << name;
    slices[name] = pool->get_data_owned();
    EXPECT_EQ(slices[name].is_in_block(), mode != kAlloc) << name;
    EXPECT_EQ(pool->mode(), mode) << name << ", taken";
  }
  void take_all(const std::string& names, BufferPoolMode mode) {
    for (const char name : names) {
      take(name, mode);
    }
  }
  void drop(const std::string& names) {
    for (const char name : names) {
      ASSERT_EQ(slices.erase(name), 1U) << name;
    }
  }
  /// The slots by the names of the slices in them, as the specification's source draws them. Each
  /// slice has to hold its own name still.
  std::string slots() {
    std::string drawn(BufferPool::kSlots, '-');
    for (const auto& [name, slice] : slices) {
      EXPECT_TRUE(std::ranges::all_of(slice.bytes(), [own = static_cast<std::uint8_t>(name)](
                                                         std::uint8_t byte) {
        return byte == own;
      })) << name;
      if (slice.is_in_block()) {
        drawn.at(static_cast<std::size_t>(slice.bytes().data() - block_) / kSize) = name;
      }
    }
    return drawn;
  }

  std::map<char, Slice> slices;
  std::optional<BufferPool> pool;

 private:
  const std::uint8_t* block_ = nullptr;
};

TEST_F(EightSlots, Exhaustion) {
  EXPECT_EQ(pool->mode(), kBack) << "before the first message";
  const std::string drawings[] = {"1-------", "12------", "123-----", "1234----",
                                  "12345---", "123456--", "1234567-", "12345678"};
  for (const std::string& drawing : drawings) {
    const char name = *std::max_element(drawing.begin(), drawing.end());
    take(name, kBack);
    EXPECT_EQ(slots(), drawing);
  }
  take_all("9abcdefghij", kAlloc);
  EXPECT_EQ(slots(), "12345678");
  const BufferPoolCounters& counters = pool->counters();
  EXPECT_EQ(counters.n_back, 8U);
  EXPECT_EQ(counters.n_front, 0U);
  EXPECT_EQ(counters.n_alloc, 11U);
  EXPECT_EQ(counters.n_fallbacks, 11U);
  EXPECT_EQ(counters.n_mode_changes, 1U);
  EXPECT_EQ(counters.n_moves, 0U);
  EXPECT_EQ(counters.high_water_mark, 8 * kSize);
}

TEST_F(EightSlots, ResetStaysInBackMode) {
  take_all("12345678", kBack);
  drop("41872365");
  EXPECT_EQ(slots(), "--------");
  take('9', kBack);
  EXPECT_EQ(slots(), "9-------");
  take('a', kBack);
  EXPECT_EQ(slots(), "9a------");
  EXPECT_EQ(pool->counters().n_mode_changes, 0U);
}

TEST_F(EightSlots, BackFrontBack) {
  take_all("12345678", kBack);
  drop("12");
  EXPECT_EQ(slots(), "--345678");
  EXPECT_EQ(pool->mode(), kBack) << "the pool looks when it needs room";
  take('9', kFront);
  EXPECT_EQ(slots(), "9-345678") << "freed slots are refilled from the first";
  take('a', kFront);
  EXPECT_EQ(slots(), "9a345678");
  drop("78");
  EXPECT_EQ(slots(), "9a3456--");
  take('b', kBack);
  EXPECT_EQ(slots(), "9a3456b-");
  take('c', kBack);
  EXPECT_EQ(slots(), "9a3456bc");
  take('d', kAlloc);
  EXPECT_EQ(pool->counters().n_mode_changes, 3U);
  EXPECT_EQ(pool->counters().n_front, 2U);
  EXPECT_EQ(pool->counters().n_back, 10U);
}

TEST_F(EightSlots, TheLastSliceGivesItsPlaceBackAtOnce) {
  take_all("1234", kBack);
  drop("4");
  take('5', kBack);
  EXPECT_EQ(slots(), "1235----");
  drop("2");
  drop("35");  // 2 was a hole, and now is the end
  take('6', kBack);
  EXPECT_EQ(slots(), "16------");
}

TEST_F(EightSlots, AHoleIsNotUsedUntilItIsAGap) {
  take_all("12345678", kBack);
  drop("5");
  take('x', kAlloc);
  drop("678");
  take('9', kBack);
  EXPECT_EQ(slots(), "12349---");
}

TEST_F(EightSlots, AllocModeEndsWithRoomAtTheBack) {
  take_all("12345678", kBack);
  take('9', kAlloc);
  drop("8");
  take('a', kBack);
  EXPECT_EQ(slots(), "1234567a");
  take('b', kAlloc);
  drop("1");
  take('c', kFront);
  EXPECT_EQ(slots(), "c234567a");
  take('d', kAlloc);
  EXPECT_EQ(pool->counters().n_mode_changes, 5U);
}

TEST_F(EightSlots, TheBackIsPreferredToTheFront) {
  take_all("12345678", kBack);
  drop("128");
  take('9', kBack);
  EXPECT_EQ(slots(), "--345679");
  take('a', kFront);
  EXPECT_EQ(slots(), "a-345679");
}

TEST_F(EightSlots, TheFrontPartBecomesTheBackPart) {
  take_all("12345678", kBack);
  drop("123");
  take_all("9a", kFront);
  drop("45678");
  EXPECT_EQ(slots(), "9a------");
  take('b', kBack);
  EXPECT_EQ(slots(), "9ab-----");
  drop("9");
  take_all("cdefg", kBack);
  EXPECT_EQ(slots(), "-abcdefg");
  take('h', kFront);
  EXPECT_EQ(slots(), "habcdefg");
}

TEST_F(EightSlots, ADroppedEndOfTheFrontPartIsUsedAgain) {
  take_all("12345678", kBack);
  drop("1234");
  take_all("9ab", kFront);
  drop("b");
  take('c', kFront);
  EXPECT_EQ(slots(), "9ac-5678");
  drop("9");  // a hole in the front part
  take('d', kFront);
  EXPECT_EQ(slots(), "-acd5678");
  take('e', kAlloc);
  drop("acd");
  take('f', kFront);
  EXPECT_EQ(slots(), "f---5678");
}

TEST_F(EightSlots, SlotsRunOutBeforeBytes) {
  for (int i = 0; i < 8; ++i) {
    pool->get_writable(1);
    slices[static_cast<char>('1' + i)] = pool->get_data_owned();
  }
  take('9', kAlloc);
}

TEST_F(EightSlots, BytesRunOutBeforeSlots) {
  pool->get_writable(7 * kSize);
  const Slice most = pool->get_data_owned();
  pool->get_writable(kSize + 1);
  EXPECT_EQ(pool->mode(), kAlloc);
  EXPECT_FALSE(pool->get_data_owned().is_in_block());
  take('2', kBack);
  take('3', kAlloc);
}

TEST_F(EightSlots, SlicesThatAreWrittenDoNotDisturbOthers) {
  take_all("12345678", kBack);
  for (char name = '8'; name >= '1'; --name) {
    std::ranges::fill(slices[name].bytes(), std::uint8_t{0xFF});
    std::ranges::fill(slices[name].bytes(), static_cast<std::uint8_t>(name));
    EXPECT_EQ(slots(), "12345678");
  }
}

TEST_F(EightSlots, SlicesOutliveThePool) {
  take_all("12345678", kBack);
  take('9', kAlloc);
  drop("36");
  pool.reset();
  EXPECT_EQ(slots(), "12-45-78");
  drop("1245789");
}

TEST_F(EightSlots, AMessageUnderWayIsNoHindranceToTheEnd) {
  take('1', kBack);
  pool->get_writable(kSize);
  pool.reset();
  EXPECT_EQ(slots(), "1-------");
}

/// Everything is free again after drops in any order, and each step on the way is the model's.
TEST(BufferPoolOrders, EveryOrderOfDropsGivesAllBack) {
  constexpr std::size_t kCapacity = 1024;
  for (int round = 0; round < 2; ++round) {
    const unsigned seed = std::random_device{}();
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 random(seed);
    std::array<std::size_t, 8> sizes{};
    for (std::size_t& size : sizes) {
      size = 1 + random() % 100;
    }
    std::array<int, 8> order{};
    std::iota(order.begin(), order.end(), 0);
    std::size_t n_orders = 0;
    test::CheckedBufferPool checked(kCapacity, 16);
    do {
      for (const std::size_t size : sizes) {
        checked.grow(size);
        checked.take();
      }
      ASSERT_EQ(checked.pool().mode(), kBack);
      std::vector<int> left(8);
      std::iota(left.begin(), left.end(), 0);
      for (const int slot : order) {
        const auto place = std::find(left.begin(), left.end(), slot);
        checked.drop(static_cast<std::size_t>(place - left.begin()));
        left.erase(place);
        if (left.size() == order.size() / 2) {
          checked.grow(sizes[0]);  // somewhere in between the pool is used
          checked.take();
          checked.drop(checked.n_slices() - 1);
        }
      }
      checked.grow(kCapacity);
      ASSERT_EQ(checked.pool().mode(), kBack);
      checked.take();
      checked.drop_all();
      ++n_orders;
    } while (std::next_permutation(order.begin(), order.end()));
    EXPECT_EQ(n_orders, 40320U);
  }
}

}  // namespace
}  // namespace furrow
