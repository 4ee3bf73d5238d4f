// SPDX-License-Identifier: Apache-2.0
// What accesses of memory break up into, where it is known: conflicts of banks and scattered lines.
#include <cstdint>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "cuda/runtime/device_buffer.hpp"
#include "cuda/runtime/stream.hpp"
#include "tests/cuda/cuda_test.hpp"
#include "tests/sass/card/card.hpp"

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

__global__ void add_to_one_place(std::uint32_t* words) {
  SHARED(std::uint32_t, sum);
  if (threadIdx.x == 0) {
    sum = 0;
  }
  __syncthreads();
  atomicAdd(&sum, words[threadIdx.x]);
  __syncthreads();
  words[threadIdx.x] = sum;
}

class SassCounters : public testing::Test {
 protected:
  void SetUp() override {
    sass::RunOptions options = before_;
    options.counts_memory = true;
    sass::Card::instance().set_options(options);
  }
  void TearDown() override { sass::Card::instance().set_options(before_); }

  template <class Kernel>
  sass::LaunchCount count(Kernel kernel) {
    const Stream stream(0);
    const std::vector<std::uint32_t> words(kWords, 1);
    const auto d_words = to_device<std::uint32_t>(stream.view(), words);
    if constexpr (std::is_same_v<Kernel, void (*)(uint4*)>) {
      launch(kernel, {dim3(1), dim3(32)}, stream.view().get(),
             reinterpret_cast<uint4*>(d_words.data()));
    } else {
      launch(kernel, {dim3(1), dim3(32)}, stream.view().get(), d_words.data());
    }
    return sass::Card::instance().launches().back().count;
  }

 private:
  const sass::RunOptions before_ = sass::Card::instance().options();
};

TEST_F(SassCounters, BanksOfSharedMemory) {
  for (const auto& [kernel, wavefronts] :
       {std::pair{touch<1, 1>, 1U}, {touch<1, 2>, 2U}, {touch<1, 32>, 32U}, {touch<1, 31>, 1U}}) {
    const sass::LaunchCount counted = count(kernel);
    EXPECT_EQ(counted.shared.requests, 1U);
    EXPECT_EQ(counted.shared.wavefronts, wavefronts);
    EXPECT_EQ(counted.shared.least_wavefronts, 1U);
  }
}

TEST_F(SassCounters, SectorsAndLinesOfGlobalMemory) {
  for (const auto& [kernel, sectors, lines] : {std::tuple{touch<1, 1>, 4U, 1U},
                                               {touch<2, 1>, 8U, 2U},
                                               {touch<8, 1>, 32U, 8U},
                                               {touch<32, 1>, 32U, 32U}}) {
    const sass::LaunchCount counted = count(kernel);
    EXPECT_EQ(counted.global.requests, 1U);
    EXPECT_EQ(counted.global.sectors, sectors);
    EXPECT_EQ(counted.global.lines, lines);
  }
}

TEST_F(SassCounters, SixteenBytesALaneGoAQuarterWarpAtATime) {
  const sass::LaunchCount counted = count(read_wide);
  EXPECT_EQ(counted.shared.requests, 2U);
  EXPECT_EQ(counted.shared.wavefronts, 8U);
  EXPECT_EQ(counted.shared.least_wavefronts, 8U);
  EXPECT_EQ(counted.barriers, 1U);
}

TEST_F(SassCounters, AtomicsOnOnePlaceFollowOneAnother) {
  const sass::LaunchCount counted = count(add_to_one_place);
  // One lane stores, all add, all read the same word.
  EXPECT_EQ(counted.shared.requests, 3U);
  EXPECT_EQ(counted.shared.wavefronts, 1U + 32 + 1);
}

TEST_F(SassCounters, InstructionsByPipeAddUp) {
  const sass::LaunchCount counted = count(touch<1, 1>);
  std::uint64_t sum = 0;
  for (const std::uint64_t of_pipe : counted.by_pipe) {
    sum += of_pipe;
  }
  EXPECT_EQ(sum, counted.executed);
  EXPECT_LE(counted.lanes, 32 * counted.executed);
  EXPECT_GT(counted.executed, 5U);
}

}  // namespace
}  // namespace furrow::cuda
