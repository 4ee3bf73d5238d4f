// SPDX-License-Identifier: Apache-2.0
// Kernels with a bug each, and what the interpreter says of them.
#include <cstdint>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "cuda/runtime/device_buffer.hpp"
#include "cuda/runtime/stream.hpp"
#include "tests/cuda/cuda_test.hpp"
#include "tests/sass/card/card.hpp"
#include "tests/sass/errors.hpp"

namespace furrow::cuda {
namespace {

using sass::Finding;

constexpr std::size_t kWords = 256;

class SassPlantedBugs : public testing::Test {
 protected:
  using Kernel = void (*)(std::uint32_t*);

  void run(Kernel kernel, unsigned n_threads = 64) {
    launch(kernel, {dim3(1), dim3(n_threads)}, stream_.view().get(), d_words_.data());
  }
  void expect_finding(Finding finding, Kernel kernel, unsigned n_threads = 64) {
    run(kernel, n_threads);
    auto& findings = sass::Card::instance().findings();
    EXPECT_TRUE(findings.has(finding)) << "only: " << findings.report();
    findings.clear();
  }
  void expect_fault(const std::string& text, Kernel kernel, unsigned n_threads = 64) {
    try {
      run(kernel, n_threads);
      ADD_FAILURE() << "no fault";
    } catch (const sass::KernelFault& fault) {
      EXPECT_NE(std::string(fault.what()).find(text), std::string::npos) << fault.what();
    }
    sass::Card::instance().findings().clear();
  }
  void write_words() {
    const std::vector<std::uint32_t> words(kWords, 5);
    check(cudaMemcpyAsync(d_words_.data(), words.data(), words.size() * sizeof(std::uint32_t),
                          cudaMemcpyHostToDevice, stream_.view().get()));
  }

 private:
  Stream stream_{0};
  DeviceBuffer<std::uint32_t> d_words_{stream_.view(), kWords};
};

__global__ void read_words(std::uint32_t* words) {
  words[128 + threadIdx.x] = words[threadIdx.x] + 1;
}
TEST_F(SassPlantedBugs, GlobalMemoryThatNobodyWrote) {
  expect_finding(Finding::kUnwrittenGlobal, read_words);
  write_words();
  run(read_words);
}

__global__ void read_behind_the_end(std::uint32_t* words) {
  words[threadIdx.x] = words[threadIdx.x + 200];
}
__global__ void write_before_the_start(std::uint32_t* words) {
  words[threadIdx.x - 1] = 1;
}
__global__ void write_out_of_line(std::uint32_t* words) {
  *reinterpret_cast<std::uint32_t*>(reinterpret_cast<char*>(words) + 2 * threadIdx.x) = 1;
}
__global__ void add_behind_the_end(std::uint32_t* words) {
  atomicAdd(words + 4 * threadIdx.x + 60, threadIdx.x);
}
TEST_F(SassPlantedBugs, GlobalAddresses) {
  write_words();
  expect_fault("in an allocation, actual address", read_behind_the_end);
  expect_fault("in an allocation, actual address", write_before_the_start);
  expect_fault("in line", write_out_of_line);
  expect_fault("in an allocation, actual address", add_behind_the_end);
}

__global__ void leave_shared_memory(std::uint32_t* words) {
  SHARED(std::uint32_t[64], all);
  all[2 * threadIdx.x] = 3;
  __syncthreads();
  words[threadIdx.x] = all[63 - threadIdx.x];
}
__global__ void read_shared_memory(std::uint32_t* words) {
  SHARED(std::uint32_t[64], all);
  if (threadIdx.x % 2 == 0) {
    all[threadIdx.x] = 3;
  }
  __syncthreads();
  words[threadIdx.x] = all[63 - threadIdx.x];
}
__global__ void shared_out_of_line(std::uint32_t* words) {
  SHARED(std::uint16_t[200], all);
  all[threadIdx.x] = 1;
  all[64 + threadIdx.x] = 1;
  __syncthreads();
  words[threadIdx.x] = *reinterpret_cast<std::uint32_t*>(all + threadIdx.x);
}
TEST_F(SassPlantedBugs, SharedAddresses) {
  expect_fault("shared memory: expected 4 bytes between", leave_shared_memory);
  expect_finding(Finding::kUnwrittenShared, read_shared_memory);
  expect_fault("shared memory: expected a multiple of 4", shared_out_of_line);
}

template <bool kHasBarrier>
__global__ void reverse(std::uint32_t* words) {
  SHARED(std::uint32_t[64], all);
  all[threadIdx.x] = threadIdx.x;
  if (kHasBarrier) {
    __syncthreads();
  }
  words[threadIdx.x] = all[63 - threadIdx.x];
}
template <bool kHasBarrier>
__global__ void reuse(std::uint32_t* words) {
  SHARED(std::uint32_t[64], all);
  all[threadIdx.x] = threadIdx.x;
  __syncthreads();
  const std::uint32_t first = all[63 - threadIdx.x];
  if (kHasBarrier) {
    __syncthreads();
  }
  all[threadIdx.x] = first + 1;
  __syncthreads();
  words[threadIdx.x] = all[63 - threadIdx.x];
}
template <bool kIsAtomic>
__global__ void count(std::uint32_t* words) {
  SHARED(std::uint32_t, sum);
  if (threadIdx.x == 0) {
    sum = 0;
  }
  __syncthreads();
  if (threadIdx.x % 32 == 5) {
    if (kIsAtomic) {
      atomicAdd(&sum, threadIdx.x);
    } else {
      sum += 1;
    }
  }
  __syncthreads();
  words[threadIdx.x] = sum;
}
__global__ void read_while_counting(std::uint32_t* words) {
  SHARED(std::uint32_t, sum);
  if (threadIdx.x == 0) {
    sum = 0;
  }
  __syncthreads();
  atomicAdd(&sum, threadIdx.x);
  words[threadIdx.x] = sum;
}
TEST_F(SassPlantedBugs, Races) {
  run(reverse<true>);
  expect_finding(Finding::kSharedRace, reverse<false>);
  run(reuse<true>);
  expect_finding(Finding::kSharedRace, reuse<false>);
  run(count<true>);
  expect_finding(Finding::kSharedRace, count<false>);
  expect_finding(Finding::kSharedRace, read_while_counting);
}

// In ascending order the first warp has written all when the second one reads.
__global__ void hand_over(std::uint32_t* words) {
  SHARED(std::uint32_t[32], all);
  if (threadIdx.x < 32) {
    all[threadIdx.x] = threadIdx.x;
  } else {
    words[threadIdx.x] = all[63 - threadIdx.x];
  }
}
TEST_F(SassPlantedBugs, RaceThatTheOrderHides) {
  sass::Card& card = sass::Card::instance();
  const sass::RunOptions before = card.options();
  sass::RunOptions ascending = before;
  ascending.seed = 0;
  card.set_options(ascending);
  expect_finding(Finding::kSharedRace, hand_over);
  card.set_options(before);
}

__global__ void store_to_one_place(std::uint32_t* words) {
  SHARED(std::uint32_t[32], all);
  all[threadIdx.x / 2] = threadIdx.x;
  __syncthreads();
  words[threadIdx.x] = all[threadIdx.x / 2];
}
TEST_F(SassPlantedBugs, LanesThatStoreToOnePlace) {
  expect_finding(Finding::kTwoValues, store_to_one_place);
}

__global__ void shuffle_from_lanes_elsewhere(std::uint32_t* words) {
  std::uint32_t value = threadIdx.x;
  if (threadIdx.x < 10) {
    value = __shfl_sync(0x3FF, value, static_cast<int>(threadIdx.x + 5));
  }
  words[threadIdx.x] = value;
}
TEST_F(SassPlantedBugs, ShuffleFromALaneThatTakesNoPart) {
  expect_finding(Finding::kInactiveLane, shuffle_from_lanes_elsewhere, 32);
}

__global__ void barrier_for_some(std::uint32_t* words) {
  if (threadIdx.x % 2 == 0) {
    words[threadIdx.x] = 1;
    __syncthreads();
    words[threadIdx.x] += 1;
  } else {
    __syncthreads();
    words[threadIdx.x] = 7;
  }
}
TEST_F(SassPlantedBugs, BarrierOfPartOfAWarp) {
  expect_finding(Finding::kDivergentBarrier, barrier_for_some);
}

__global__ void wait_for_nobody(std::uint32_t* words) {
  volatile std::uint32_t* const flag = words;
  while (*flag != 1) {
  }
}
TEST_F(SassPlantedBugs, LoopThatNeverEnds) {
  write_words();
  sass::Card& card = sass::Card::instance();
  const sass::RunOptions before = card.options();
  sass::RunOptions options = before;
  options.max_instructions = 100'000;
  card.set_options(options);
  expect_fault("the launch does not end", wait_for_nobody);
  card.set_options(before);
}

__global__ void __launch_bounds__(32) more_threads_than_bounds(std::uint32_t* words) {
  words[threadIdx.x] = 1;
}
TEST_F(SassPlantedBugs, MoreThreadsThanTheBoundsOfTheLaunch) {
  EXPECT_THROW(run(more_threads_than_bounds), sass::BadLaunch);
}

}  // namespace
}  // namespace furrow::cuda
