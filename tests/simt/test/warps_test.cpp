// SPDX-License-Identifier: Apache-2.0
// Warp collectives against their definitions, under every schedule, for full, partial and split
// warps.

#include <bit>
#include <cstdint>

#include "simt/test/kernel_test.hpp"

namespace furrow::simt {
namespace {

constexpr unsigned kFull = 0xFFFFFFFF;

TEST(SimtWarps, VotesOfPartialWarps) {
  for_each_schedule([] {
    for (const unsigned n : {1U, 31U, 32U, 33U, 70U}) {
      run_grid({.grid = 2, .block = n}, [&] {
        const unsigned warp = threadIdx.x / 32;
        const unsigned n_lanes = std::min(32U, n - warp * 32);
        const unsigned lanes = n_lanes == 32 ? kFull : (1U << n_lanes) - 1;
        EXPECT_EQ(__ballot_sync(kFull, threadIdx.x % 3 == 0 ? 4 : 0), [&] {
          unsigned expected = 0;
          for (unsigned lane = 0; lane < n_lanes; ++lane) {
            expected |= ((warp * 32 + lane) % 3 == 0 ? 1U : 0U) << lane;
          }
          return expected;
        }());
        EXPECT_EQ(__any_sync(lanes, threadIdx.x % 32 == 0 ? 1 : 0), 1);
        EXPECT_EQ(__any_sync(lanes, 0), 0);
        EXPECT_EQ(__all_sync(lanes, threadIdx.x % 32 == 0 ? 1 : 0), n_lanes == 1 ? 1 : 0);
        EXPECT_EQ(__all_sync(lanes, -1), 1);
      });
    }
  });
}

TEST(SimtWarps, Shuffles) {
  for_each_schedule([] {
    run_grid({.grid = 1, .block = 64}, [&] {
      const int lane = static_cast<int>(threadIdx.x % 32);
      const int warp = static_cast<int>(threadIdx.x / 32) * 100;
      const int value = warp + lane;
      for (int width = 1; width <= 32; width *= 2) {
        const int in_group = lane & (width - 1);
        const int first = lane - in_group;
        for (int i = 0; i < 32; ++i) {
          const auto delta = static_cast<unsigned>(i);
          EXPECT_EQ(__shfl_sync(kFull, value, i, width), warp + first + i % width);
          EXPECT_EQ(__shfl_up_sync(kFull, value, delta, width),
                    in_group - i >= 0 ? value - i : value);
          EXPECT_EQ(__shfl_down_sync(kFull, value, delta, width),
                    in_group + i < width ? value + i : value);
          EXPECT_EQ(__shfl_xor_sync(kFull, value, i, width),
                    (lane ^ i) < first + width ? warp + (lane ^ i) : value);
        }
      }
      const double wide = 0.5 + lane;
      EXPECT_EQ(__shfl_sync(kFull, wide, 31), 31.5);
      const unsigned long long big = 0xFEDCBA9800000000U + static_cast<unsigned>(lane);
      EXPECT_EQ(__shfl_xor_sync(kFull, big, 1),
                0xFEDCBA9800000000U + static_cast<unsigned>(lane ^ 1));
    });
  });
}

TEST(SimtWarps, MatchesAndReductions) {
  for_each_schedule([] {
    run_grid({.grid = 1, .block = 32}, [&] {
      const unsigned lane = threadIdx.x;
      const unsigned fives = 0x42108421U;  // lanes 0, 5, 10, ...
      EXPECT_EQ(__match_any_sync(kFull, static_cast<unsigned long long>(lane % 5) << 40U),
                (fives << (lane % 5)) & kFull);
      int all_equal = 7;
      EXPECT_EQ(__match_all_sync(kFull, lane / 32, &all_equal), kFull);
      EXPECT_EQ(all_equal, 1);
      EXPECT_EQ(__match_all_sync(kFull, lane / 31, &all_equal), 0U);
      EXPECT_EQ(all_equal, 0);
      EXPECT_EQ(__reduce_add_sync(kFull, lane), 496U);
      EXPECT_EQ(__reduce_add_sync(kFull, -1), -32);
      EXPECT_EQ(__reduce_min_sync(kFull, static_cast<int>(lane) - 10), -10);
      EXPECT_EQ(__reduce_min_sync(kFull, lane - 10U), 0U);
      EXPECT_EQ(__reduce_max_sync(kFull, static_cast<int>(lane) - 40), -9);
      EXPECT_EQ(__reduce_max_sync(kFull, lane - 10U), 0xFFFFFFFFU);
      EXPECT_EQ(__reduce_and_sync(kFull, lane | 64U), 64U);
      EXPECT_EQ(__reduce_or_sync(kFull, lane), 31U);
      EXPECT_EQ(__reduce_xor_sync(kFull, 1U << lane), kFull);
    });
  });
}

// The two halves of a warp go their own ways, with different numbers of collectives.
TEST(SimtWarps, SplitWarp) {
  for_each_schedule([] {
    run_grid({.grid = 1, .block = 64}, [&] {
      const unsigned lane = threadIdx.x % 32;
      unsigned sum = 0;
      if (lane < 16) {
        for (unsigned i = 0; i < 5; ++i) {
          sum += static_cast<unsigned>(std::popcount(__ballot_sync(0x0000FFFF, lane > i ? 1 : 0)));
        }
      } else {
        sum = __shfl_down_sync(0xFFFF0000, lane, 1, 16);
      }
      __syncwarp();
      EXPECT_EQ(sum, lane < 16 ? 15U + 14 + 13 + 12 + 11 : (lane == 31 ? 31U : lane + 1));
    });
  });
}

// Lane 0 meets lane 1, then lane 2; lane 2 waits for it from the beginning.
TEST(SimtWarps, OverlappingMasks) {
  for_each_schedule([] {
    run_grid({.grid = 1, .block = 3}, [&] {
      if (threadIdx.x != 2) {
        EXPECT_EQ(__ballot_sync(3, 1), 3U);
      }
      if (threadIdx.x != 1) {
        EXPECT_EQ(__ballot_sync(5, 1), 5U);
      }
    });
  });
}

}  // namespace
}  // namespace furrow::simt
