// SPDX-License-Identifier: Apache-2.0
// Random operations on a pool: every step as the model has it, every slice as it was taken.
#include <random>
#include <string>

#include <gtest/gtest.h>

#include "tests/support/checked_buffer_pool.hpp"

namespace furrow {
namespace {

using test::CheckedBufferPool;

class RandomOperations {
 public:
  RandomOperations(unsigned seed, std::size_t capacity, std::size_t alignment, std::size_t most)
      : random_(seed), pool_(capacity, alignment), most_(most) {}

  void run(int n_operations) {
    for (int i = 0; i < n_operations; ++i) {
      step();
    }
    pool_.end_pool();
  }
  [[nodiscard]] const BufferPoolCounters& counters() { return pool_.model().counters(); }

 private:
  std::size_t below(std::size_t n) {
    return std::uniform_int_distribution<std::size_t>(0, n - 1)(random_);
  }

  void step() {
    // About as many drops as takes; the favourite number of slices alive wanders from 0 to 12.
    if (below(100) == 0) {
      wanted_ = below(13);
    }
    const std::size_t kind = below(16);
    if (kind < 6) {
      pool_.grow(below(most_ + 1));
    } else if (kind < 11) {
      pool_.take();
    } else if (kind == 11 && pool_.n_slices() > 0) {
      pool_.rewrite(below(pool_.n_slices()));
    }
    while (pool_.n_slices() > wanted_) {
      // Oldest first is the usual order, newest first and any are the others.
      const std::size_t n = pool_.n_slices();
      const std::size_t order = below(4);
      pool_.drop(order < 2 ? 0 : order == 2 ? n - 1 : below(n), below(200) == 0);
    }
  }

  std::mt19937_64 random_;
  CheckedBufferPool pool_;
  std::size_t most_;
  std::size_t wanted_ = 8;
};

TEST(BufferPoolRandom, EveryStepIsTheModels) {
  std::uint64_t n_front = 0;
  std::uint64_t n_moves = 0;
  for (const std::size_t capacity : {0UL, 1UL, 64UL, 100UL, 512UL, 1000UL, 4096UL, 20'000UL}) {
    for (const std::size_t alignment : {1UL, 8UL, 64UL, 4096UL}) {
      for (const std::size_t most : {capacity / 8 + 1, capacity / 3 + 1, capacity + capacity / 8}) {
        const unsigned seed = std::random_device{}();
        SCOPED_TRACE("seed " + std::to_string(seed) + ", capacity " + std::to_string(capacity) +
                     ", alignment " + std::to_string(alignment) + ", most " + std::to_string(most));
        RandomOperations operations(seed, capacity, alignment, most);
        ASSERT_NO_THROW(operations.run(3000));
        n_front += operations.counters().n_front;
        n_moves += operations.counters().n_moves;
      }
    }
  }
  EXPECT_GT(n_front, 1000U) << "the front was not put to the test";
  EXPECT_GT(n_moves, 1000U) << "moves were not put to the test";
}

}  // namespace
}  // namespace furrow
