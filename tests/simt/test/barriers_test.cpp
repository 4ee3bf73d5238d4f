// SPDX-License-Identifier: Apache-2.0
// Barriers of the block, shared memory and grids, each under every schedule.

#include <array>
#include <cstdint>
#include <numeric>
#include <vector>

#include "simt/test/kernel_test.hpp"
#include "simt/test/shared_in_template.hpp"

namespace furrow::simt {
namespace {

constexpr unsigned kSizes[] = {1, 2, 31, 32, 33, 63, 64, 65, 96, 255, 256, 257, 288, 1023, 1024};

// Each thread writes its own place and reads its neighbour's.
void neighbour_kernel(const std::uint32_t* in, std::uint32_t* out) {
  using Values = std::uint32_t[1024];
  SHARED(Values, values);
  const unsigned at = blockIdx.x * blockDim.x + threadIdx.x;
  values[threadIdx.x] = in[at];
  __syncthreads();
  out[at] = values[(threadIdx.x + 1) % blockDim.x];
}

TEST(SimtBarriers, OrderSharedMemory) {
  for_each_schedule([] {
    for (const unsigned n : kSizes) {
      constexpr unsigned kBlocks = 3;
      std::vector<std::uint32_t> in(std::size_t{n} * kBlocks);
      std::iota(in.begin(), in.end(), 1000U);
      std::vector<std::uint32_t> out(in.size());
      EXPECT_EQ(cuda::launch_with(neighbour_kernel, {kBlocks, n}, nullptr, in.data(), out.data()),
                cudaSuccess);
      cudaDeviceSynchronize();
      for (unsigned i = 0; i < in.size(); ++i) {
        ASSERT_EQ(out[i], in[i / n * n + (i + 1) % n]) << "of " << n << " threads, place " << i;
      }
    }
  });
}

TEST(SimtBarriers, ManyInALoop) {
  for_each_schedule([] {
    std::vector<unsigned> turns(288);
    run_grid({.grid = 1, .block = 288}, [&] {
      SHARED(unsigned, counter);
      if (threadIdx.x == 0) {
        counter = 0;
      }
      for (unsigned i = 0; i < 100; ++i) {
        __syncthreads();
        if (threadIdx.x == i) {
          ++counter;
        }
        __syncthreads();
        turns[threadIdx.x] += counter == i + 1 ? 1 : 0;
      }
    });
    EXPECT_EQ(turns, std::vector<unsigned>(288, 100));
  });
}

TEST(SimtBarriers, CountAndOr) {
  for_each_schedule([] {
    run_grid({.grid = 1, .block = 100}, [&] {
      const bool is_even = threadIdx.x % 2 == 0;
      EXPECT_EQ(__syncthreads_count(is_even ? 2 : 0), 50);
      EXPECT_EQ(__syncthreads_and(is_even ? 1 : 0), 0);
      EXPECT_EQ(__syncthreads_and(1), 1);
      EXPECT_EQ(__syncthreads_or(threadIdx.x == 77 ? 1 : 0), 1);
      EXPECT_EQ(__syncthreads_or(0), 0);
    });
  });
}

TEST(SimtShared, IsPoisonedAtTheStartOfEachBlock) {
  for_each_schedule([] {
    std::array<unsigned, 4> is_fresh{};
    run_grid({.grid = 4, .block = 1, .dynamic_shared = 64}, [&] {
      SHARED(std::uint32_t, fixed);
      DYNAMIC_SHARED(std::uint32_t, dynamic);
      is_fresh[blockIdx.x] = fixed == 0xA5A5A5A5U && dynamic[15] == 0xA5A5A5A5U ? 1 : 0;
      fixed = dynamic[15] = 1;
    });
    EXPECT_EQ(is_fresh, (std::array{1U, 1U, 1U, 1U}));
  });
}

TEST(SimtGrid, VisitsEveryThreadOnce) {
  for_each_schedule([] {
    const dim3 grid(3, 4, 5);
    const dim3 block(7, 5, 3);
    std::vector<unsigned> visits(std::size_t{60} * 105);
    run_grid({.grid = grid, .block = block}, [&] {
      EXPECT_EQ(gridDim.z, 5U);
      EXPECT_EQ(blockDim.y, 5U);
      const unsigned b = blockIdx.x + 3 * (blockIdx.y + 4 * blockIdx.z);
      const unsigned t = threadIdx.x + 7 * (threadIdx.y + 5 * threadIdx.z);
      ++visits[std::size_t{b} * 105 + t];
    });
    EXPECT_EQ(visits, std::vector<unsigned>(visits.size(), 1));
  });
}

// This and its twin in schedules_test.cpp did not link under AddressSanitizer.
TEST(SimtBarriers, SharedMemoryOfATemplateInTwoFiles) {
  expect_reversed<33>();
}

}  // namespace
}  // namespace furrow::simt
