// SPDX-License-Identifier: Apache-2.0
// Schedules: their names, their orders, and that a seed gives the same order again.

#include <cstdlib>
#include <set>
#include <thread>
#include <vector>

#include "furrow/errors.hpp"

#include "simt/test/kernel_test.hpp"
#include "simt/test/shared_in_template.hpp"

namespace furrow::simt {
namespace {

/// The order in which the threads of a grid run a kernel of two steps with a barrier between:
/// (block, thread, step), as one number.
std::vector<unsigned> order_under(const Schedule& schedule, unsigned n_blocks, unsigned n_threads) {
  const ScopedSchedule scoped(schedule);
  std::vector<unsigned> order(std::size_t{2} * n_blocks * n_threads);
  unsigned n = 0;
  run_grid({.grid = n_blocks, .block = n_threads}, [&] {
    const unsigned thread = blockIdx.x * 1000 + threadIdx.x;
    order[atomicAdd(&n, 1U)] = thread;
    __syncthreads();
    order[atomicAdd(&n, 1U)] = thread;
  });
  return order;
}

TEST(SimtSchedule, TextsAreReadBack) {
  for (const Schedule& schedule : all_schedules(3, 1234567890123)) {
    EXPECT_EQ(Schedule::parse(schedule.text()), schedule);
  }
  EXPECT_EQ(Schedule::parse("shuffle:7"), Schedule::shuffle(7));
  EXPECT_EQ(Schedule::parse("ahead:3"), Schedule::ahead(3));
  for (const char* bad : {"", "asc", "shuffle", "shuffle:", "shuffle:x", "shuffle:1 ", "ahead:-1",
                          "ascending:1", "descending:0"}) {
    EXPECT_THROW(Schedule::parse(bad), InvalidArgument) << bad;
  }
}

TEST(SimtSchedule, ScopesNest) {
  const Schedule outside = current_schedule();
  {
    const ScopedSchedule outer(Schedule::descending());
    EXPECT_EQ(current_schedule(), Schedule::descending());
    {
      const ScopedSchedule inner(Schedule::shuffle(3));
      EXPECT_EQ(current_schedule(), Schedule::shuffle(3));
    }
    EXPECT_EQ(current_schedule(), Schedule::descending());
  }
  EXPECT_EQ(current_schedule(), outside);
}

TEST(SimtSchedule, AscendingAndDescending) {
  EXPECT_EQ(order_under(Schedule::ascending(), 2, 3),
            (std::vector<unsigned>{0, 1, 2, 0, 1, 2, 1000, 1001, 1002, 1000, 1001, 1002}));
  EXPECT_EQ(order_under(Schedule::descending(), 2, 3),
            (std::vector<unsigned>{1002, 1001, 1000, 1002, 1001, 1000, 2, 1, 0, 2, 1, 0}));
}

TEST(SimtSchedule, OneWarpIsAhead) {
  for (const unsigned warp : {0U, 1U, 2U, 5U}) {
    std::vector<unsigned> turns_of_warp(3);
    const ScopedSchedule scoped(Schedule::ahead(warp));
    run_grid({.grid = 1, .block = 96}, [&] {
      const unsigned mine = threadIdx.x / 32;
      for (unsigned i = 0; i < 10; ++i) {
        __syncwarp();
        if (threadIdx.x % 32 == 0) {
          atomicAdd(&turns_of_warp[mine], 1U);
          // It got to its end before anybody else moved.
          EXPECT_TRUE(mine == warp % 3 || atomicAdd(&turns_of_warp[warp % 3], 0U) == 10);
        }
      }
    });
    EXPECT_EQ(turns_of_warp, std::vector<unsigned>(3, 10));
  }
}

TEST(SimtSchedule, ShufflesDifferAndComeBack) {
  std::set<std::vector<unsigned>> orders;
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    orders.insert(order_under(Schedule::shuffle(seed), 3, 40));
  }
  EXPECT_EQ(orders.size(), 10U);
  // The n-th launch under a seed is the same one in every run of a program, not within one.
  const auto first_order = [] {
    std::vector<unsigned> order;
    std::thread([&] { order = order_under(Schedule::shuffle(99), 3, 40); }).join();
    return order;
  };
  EXPECT_EQ(first_order(), first_order());
}

// What any test does that is run again as its failure message says.
TEST(SimtSchedule, ComesFromTheEnvironment) {
  const char* text = std::getenv("FURROW_SIMT_SCHEDULE");
  EXPECT_EQ(current_schedule(), text == nullptr ? Schedule::ascending() : Schedule::parse(text));
}

TEST(SimtSchedule, SharedMemoryOfATemplateInTwoFiles) {
  expect_reversed<33>();
}

}  // namespace
}  // namespace furrow::simt
