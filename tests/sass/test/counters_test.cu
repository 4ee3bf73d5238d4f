// SPDX-License-Identifier: Apache-2.0
// What accesses of memory break up into, where it is known: conflicts of banks and scattered lines.
#include <cstdint>
#include <type_traits>
#include <vector>

#include <gtest/gtest.h>

#include "cuda/runtime/device_buffer.hpp"
#include "cuda/runtime/stream.hpp"
#include "tests/cuda/cuda_test.hpp"
#include "tests/sass/card/card.hpp"
#include "tests/sass/counters/warp_clock.hpp"

namespace furrow::cuda {
namespace {

constexpr std::size_t kWords = 32 * 32;

/// Reads words of global memory and writes words of shared memory, so far apart.
template <unsigned kGlobalStride, unsigned kSharedStride>
__global__ void touch(std::uint32_t* words) {
  SHARED(std::uint32_t[kWords], all);
  volatile std::uint32_t* const kept = all;  // nobody reads it, and yet it is to be written
  kept[threadIdx.x * kSharedStride] = words[threadIdx.x * kGlobalStride];
}

__global__ void read_wide(uint4* quads) {
  SHARED(uint4[32], all);
  all[threadIdx.x] = make_uint4(1, 2, 3, threadIdx.x);
  __syncthreads();
  quads[threadIdx.x] = all[31 - threadIdx.x];
}

template <unsigned kStride>
__global__ void add_apart(std::uint32_t* words) {
  SHARED(std::uint32_t[kWords], all);
  all[threadIdx.x * kStride] = 1;
  atomicAdd(&all[threadIdx.x * kStride], words[threadIdx.x]);
  words[threadIdx.x] = all[threadIdx.x * kStride];
}

class SassCounters : public testing::Test {
 protected:
  void SetUp() override {
    sass::RunOptions options = before_;
    options.counts_memory = true;
    sass::Card::instance().set_options(options);
  }
  void TearDown() override { sass::Card::instance().set_options(before_); }

  template <class AnyKernel>
  sass::LaunchCount count(AnyKernel kernel, unsigned n_threads = 32) {
    const Stream stream(0);
    const std::vector<std::uint32_t> words(kWords, 1);
    const auto d_words = to_device<std::uint32_t>(stream.view(), words);
    if constexpr (std::is_same_v<AnyKernel, void (*)(uint4*)>) {
      launch(kernel, {dim3(1), dim3(32)}, stream.view().get(),
             reinterpret_cast<uint4*>(d_words.data()));
    } else {
      launch(kernel, {dim3(1), dim3(n_threads)}, stream.view().get(), d_words.data());
    }
    return sass::Card::instance().launches().back().count;
  }

 private:
  const sass::RunOptions before_ = sass::Card::instance().options();
};

using Kernel = void (*)(std::uint32_t*);

TEST_F(SassCounters, BanksOfSharedMemory) {
  struct Case {
    Kernel kernel;
    unsigned wavefronts;
  };
  for (const Case& one : {Case{touch<1, 1>, 1}, Case{touch<1, 2>, 2}, Case{touch<1, 31>, 1},
                          Case{touch<1, 32>, 32}}) {
    const sass::LaunchCount counted = count(one.kernel);
    EXPECT_EQ(counted.shared.requests, 1U);
    EXPECT_EQ(counted.shared.wavefronts, one.wavefronts);
    EXPECT_EQ(counted.shared.least_wavefronts, 1U);
  }
}

TEST_F(SassCounters, SectorsAndLinesOfGlobalMemory) {
  struct Case {
    Kernel kernel;
    unsigned sectors;
    unsigned lines;
  };
  for (const Case& one : {Case{touch<1, 1>, 4, 1}, Case{touch<2, 1>, 8, 2},
                          Case{touch<8, 1>, 32, 8}, Case{touch<32, 1>, 32, 32}}) {
    const sass::LaunchCount counted = count(one.kernel);
    EXPECT_EQ(counted.global.requests, 1U);
    EXPECT_EQ(counted.global.sectors, one.sectors);
    EXPECT_EQ(counted.global.lines, one.lines);
  }
}

TEST_F(SassCounters, SixteenBytesALaneGoAQuarterWarpAtATime) {
  const sass::LaunchCount counted = count(read_wide);
  EXPECT_EQ(counted.shared.requests, 2U);
  EXPECT_EQ(counted.shared.wavefronts, 8U);
  EXPECT_EQ(counted.shared.least_wavefronts, 8U);
  EXPECT_EQ(counted.barriers, 1U);
}

TEST_F(SassCounters, AtomicsOnSharedMemory) {
  for (const auto& [kernel, wavefronts] :
       {std::pair<Kernel, unsigned>{add_apart<1>, 1}, {add_apart<32>, 32}}) {
    const sass::LaunchCount counted = count(kernel);
    EXPECT_EQ(counted.shared.requests, 3U);
    EXPECT_EQ(counted.shared.wavefronts, 3 * wavefronts);
  }
}

TEST_F(SassCounters, InstructionsByPipeAddUp) {
  const sass::LaunchCount counted = count<Kernel>(touch<1, 1>);
  std::uint64_t sum = 0;
  for (const std::uint64_t of_pipe : counted.by_pipe) {
    sum += of_pipe;
  }
  EXPECT_EQ(sum, counted.executed);
  EXPECT_LE(counted.lanes, 32 * counted.executed);
  EXPECT_GT(counted.executed, 5U);
}

sass::Instruction instruction(sass::Operation operation, sass::Scheduling scheduling) {
  sass::Instruction made;
  made.operation = operation;
  made.scheduling = scheduling;
  return made;
}

TEST(SassWarpClock, WaitsAsTheCompilerSays) {
  sass::WarpClock clock;
  clock.issue(instruction(sass::Operation::kIadd3, {.stall = 4}));
  EXPECT_EQ(clock.now(), 4U);
  clock.issue(instruction(sass::Operation::kNop, {.stall = 0}));
  EXPECT_EQ(clock.now(), 5U);  // at most one instruction a cycle
}

TEST(SassWarpClock, AResultIsWaitedForWhereItIsWanted) {
  sass::WarpClock clock;
  clock.issue(instruction(sass::Operation::kLds, {.stall = 1, .held_for_result = 2}));
  clock.issue(instruction(sass::Operation::kIadd3, {.stall = 1, .awaited = 1 << 3}));
  EXPECT_EQ(clock.now(), 2U);  // of another scoreboard
  clock.issue(instruction(sass::Operation::kIadd3, {.stall = 1, .awaited = 1 << 2}));
  EXPECT_GT(clock.now(), 20U);
  const std::uint64_t after = clock.now();
  clock.issue(instruction(sass::Operation::kIadd3, {.stall = 1, .awaited = 1 << 2}));
  EXPECT_EQ(clock.now(), after + 1);  // it is there
}

// The store needs what the load brings, as the compiled code says, not as the test does.
TEST_F(SassCounters, ABlockAloneWaitsForGlobalMemory) {
  EXPECT_GT(count(touch<1, 1>).cycles_alone, 250U);
  EXPECT_LT(count(touch<1, 1>).cycles_alone, 1000U);
}

__global__ void meet(std::uint32_t* words) {
  const std::uint32_t word = threadIdx.x < 32 ? words[0] : 0;
  __syncthreads();
  words[threadIdx.x] = word + 1;
}

TEST_F(SassCounters, ABlockTakesAsLongAsItsSlowestWarp) {
  const std::uint64_t one = count(meet).cycles_alone;
  const std::uint64_t two = count(meet, 64).cycles_alone;
  EXPECT_EQ(one, two);
}

}  // namespace
}  // namespace furrow::cuda
