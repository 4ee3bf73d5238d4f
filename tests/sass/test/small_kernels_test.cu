// SPDX-License-Identifier: Apache-2.0
// Small kernels whose results are known: what the compiler makes of plain expressions must give
// what the host gives.
#include <array>
#include <cstdint>
#include <vector>

#include <gtest/gtest.h>

#include "furrow/core/bits.hpp"

#include "cuda/arch/byte_signs.cuh"
#include "cuda/kernels/transpose_bits.cuh"
#include "cuda/runtime/device_buffer.hpp"
#include "cuda/runtime/stream.hpp"
#include "tests/cuda/cuda_test.hpp"
#include "tests/sass/card/card.hpp"
#include "tests/sass/errors.hpp"

namespace furrow::cuda {
namespace {

constexpr unsigned kThreads = 32;

/// Values at which carries, signs and widths change.
constexpr std::uint64_t kEdges[] = {0,
                                    1,
                                    2,
                                    3,
                                    31,
                                    32,
                                    33,
                                    63,
                                    127,
                                    0x7FFFFFFF,
                                    0x80000000,
                                    0xFFFFFFFE,
                                    0xFFFFFFFF,
                                    0x100000000,
                                    0x100000001,
                                    0x123456789ABCDEF0,
                                    0x7FFFFFFFFFFFFFFF,
                                    0x8000000000000000,
                                    0xFFFFFFFF00000000,
                                    0xFFFFFFFFFFFFFFFE,
                                    0xFFFFFFFFFFFFFFFF};

struct Numbers {
  std::uint64_t a;
  std::uint64_t b;
};

std::vector<Numbers> pairs() {
  std::vector<Numbers> result;
  for (const std::uint64_t a : kEdges) {
    for (const std::uint64_t b : kEdges) {
      result.push_back({a, b});
    }
  }
  std::mt19937_64 random(7);
  for (int i = 0; i < 1000; ++i) {
    const std::uint64_t a = random() >> random() % 64;
    result.push_back({a, random() >> random() % 64});
  }
  return result;
}

constexpr std::size_t kResults = 16;
using Results = std::array<std::uint64_t, kResults>;

struct LongNumbers {
  __host__ __device__ static void compute(Numbers n, std::uint64_t* r) {
    const auto s = static_cast<unsigned>(n.b % 64);
    r[0] = n.a + n.b;
    r[1] = n.a - n.b;
    r[2] = n.a * n.b;
    r[3] = n.b == 0 ? 0 : n.a / n.b;
    r[4] = n.b == 0 ? 0 : n.a % n.b;
    r[5] = n.a << s;
    r[6] = n.a >> s;
    r[7] = static_cast<std::uint64_t>(static_cast<std::int64_t>(n.a) >> s);
    r[8] = (n.a < n.b ? 1U : 0U) | (n.a <= n.b ? 2U : 0U) | (n.a == n.b ? 4U : 0U);
    r[9] = (static_cast<std::int64_t>(n.a) < static_cast<std::int64_t>(n.b) ? 1U : 0U) |
           (static_cast<std::int64_t>(n.a) >= static_cast<std::int64_t>(n.b) ? 2U : 0U);
    r[10] = n.a < n.b ? n.a : n.b;
    r[11] = n.a > n.b ? n.a : n.b;
    const unsigned __int128 wide = (static_cast<unsigned __int128>(n.a) << 64) - n.b;
    r[12] = static_cast<std::uint64_t>(wide);
    r[13] = static_cast<std::uint64_t>(wide >> 64);
    r[14] = (n.a ^ n.b) & ~(n.a >> 7 | n.b << 9);
    r[15] = n.a * 37 + n.b * 1024;
  }
};

/// The one instruction that no CUDA function offers, and what it should do.
template <unsigned kHalf>
__host__ __device__ std::uint32_t signs(std::uint32_t value) {
#if defined(__CUDA_ARCH__)
  return byte_signs<kHalf>(value);
#else
  const std::uint32_t bytes = value >> 16 * kHalf;
  return (bytes & 0x80 ? 0xFFFFU : 0U) | (bytes & 0x8000 ? 0xFFFF0000U : 0U);
#endif
}

struct ShortNumbers {
  __host__ __device__ static void compute(Numbers n, std::uint64_t* r) {
    const auto a = static_cast<std::uint32_t>(n.a);
    const auto b = static_cast<std::uint32_t>(n.b);
    const unsigned s = b % 32;
    r[0] = b == 0 ? 0 : a / b;
    r[1] = b == 0 ? 0 : a % b;
    r[2] = a / 127 + (a % 119 << 8);
    r[3] = (std::uint64_t{a} * b) >> 32;
    r[4] = std::uint64_t{a} * b + n.b;
    r[5] = a << s | (s == 0 ? 0 : a >> (32 - s));
    r[6] = static_cast<std::uint32_t>(static_cast<std::int32_t>(a) >> s);
    r[7] = a >> 16 | a << 16;
    r[8] = a >> 12 | a << 20;
    r[9] =
        (a < b ? 1U : 0U) | (static_cast<std::int32_t>(a) < static_cast<std::int32_t>(b) ? 2U : 0U);
    r[10] = a < b ? a : b;
    r[11] = (a & 0xFF) << 8 | (b >> 24) | (a >> 8 & 0xFF) << 16;
    r[12] = (a ^ b) + (a & b) * 3 - (a | ~b);
    r[13] = signs<0>(a);
    r[14] = signs<1>(b);
    r[15] = static_cast<std::uint16_t>(a) * std::uint32_t{static_cast<std::uint16_t>(b)} + 5;
  }
};

template <class Formula>
__global__ void compute_all(const Numbers* numbers, std::uint32_t n, std::uint64_t* results) {
  for (std::uint32_t i = blockIdx.x * blockDim.x + threadIdx.x; i < n;
       i += gridDim.x * blockDim.x) {
    std::uint64_t mine[kResults];
    Formula::compute(numbers[i], mine);
    for (std::size_t k = 0; k < kResults; ++k) {
      results[i * kResults + k] = mine[k];
    }
  }
}

template <class Formula>
void expect_same_as_host() {
  const std::vector<Numbers> numbers = pairs();
  const Stream stream(0);
  const auto d_numbers = to_device(stream.view(), std::span(numbers));
  const DeviceBuffer<std::uint64_t> d_results(stream.view(), numbers.size() * kResults);
  launch(compute_all<Formula>, {dim3(3), dim3(64)}, stream.view().get(), d_numbers.data(),
         static_cast<std::uint32_t>(numbers.size()), d_results.data());
  const auto results = to_host(stream.view(), d_results.data(), d_results.size());
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    Results expected;
    Formula::compute(numbers[i], expected.data());
    for (std::size_t k = 0; k < kResults; ++k) {
      ASSERT_EQ(results[i * kResults + k], expected[k])
          << "result " << k << " of " << numbers[i].a << " and " << numbers[i].b;
    }
  }
}

TEST(SassSmallKernels, NumbersOf64Bits) {
  expect_same_as_host<LongNumbers>();
}
TEST(SassSmallKernels, NumbersOf32Bits) {
  expect_same_as_host<ShortNumbers>();
}

/// Runs `kernel` with one warp and `n` words of results.
template <class Kernel>
std::vector<std::uint32_t> run_warp(Kernel kernel, std::size_t n, unsigned n_threads = kThreads) {
  const Stream stream(0);
  const DeviceBuffer<std::uint32_t> d_words(stream.view(), n);
  const std::vector<std::uint32_t> zeros(n);
  check(cudaMemcpyAsync(d_words.data(), zeros.data(), n * sizeof(std::uint32_t),
                        cudaMemcpyHostToDevice, stream.view().get()));
  launch(kernel, {dim3(1), dim3(n_threads)}, stream.view().get(), d_words.data());
  return to_host(stream.view(), d_words.data(), n);
}

__global__ void count_bits(std::uint32_t* words) {
  const std::uint32_t x = threadIdx.x * 0x9E3779B9U >> threadIdx.x;
  words[threadIdx.x] = static_cast<std::uint32_t>(__popc(x)) |
                       static_cast<std::uint32_t>(__clz(static_cast<int>(x))) << 8 |
                       static_cast<std::uint32_t>(__ffs(static_cast<int>(x))) << 16;
  words[kThreads + threadIdx.x] = __brev(x);
}

TEST(SassSmallKernels, CountsOfBits) {
  const auto words = run_warp(count_bits, 2 * kThreads);
  for (std::uint32_t i = 0; i < kThreads; ++i) {
    const std::uint32_t x = i * 0x9E3779B9U >> i;
    std::uint32_t reversed = 0;
    for (unsigned bit = 0; bit < 32; ++bit) {
      reversed |= (x >> bit & 1) << (31 - bit);
    }
    const auto zeros = static_cast<std::uint32_t>(x == 0 ? 32 : __builtin_clz(x));
    const auto first = static_cast<std::uint32_t>(__builtin_ffs(static_cast<int>(x)));
    EXPECT_EQ(words[i],
              static_cast<std::uint32_t>(__builtin_popcount(x)) | zeros << 8 | first << 16)
        << i;
    EXPECT_EQ(words[kThreads + i], reversed) << i;
  }
}

__global__ void shuffle_all_ways(std::uint32_t* words) {
  const std::uint32_t lane = threadIdx.x;
  const std::uint32_t mine = 100 + lane;
  words[lane] = __shfl_sync(0xFFFFFFFF, mine, static_cast<int>(lane * 7 % 32));
  words[32 + lane] = __shfl_up_sync(0xFFFFFFFF, mine, 3);
  words[64 + lane] = __shfl_down_sync(0xFFFFFFFF, mine, 5, 16);
  words[96 + lane] = __shfl_xor_sync(0xFFFFFFFF, mine, 9);
  words[128 + lane] = __shfl_sync(0xFFFFFFFF, mine, 2, 8);
  words[160 + lane] = __ballot_sync(0xFFFFFFFF, lane % 3 == 0);
  if (lane < 16) {
    words[192 + lane] = __shfl_xor_sync(0xFFFF, mine, 1);
  } else {
    words[192 + lane] = __ballot_sync(0xFFFF0000, lane % 2 == 0);
  }
  words[224 + lane] = __any_sync(0xFFFFFFFF, lane == words[0]) != 0 ? 1 : lane;
  words[256 + lane] = __any_sync(0xFFFFFFFF, lane == words[0] - 69) != 0 ? 1 : lane;
}

TEST(SassSmallKernels, ShufflesAndVotes) {
  const auto words = run_warp(shuffle_all_ways, 9 * 32);
  for (std::uint32_t lane = 0; lane < 32; ++lane) {
    EXPECT_EQ(words[lane], 100 + lane * 7 % 32) << lane;
    EXPECT_EQ(words[32 + lane], 100 + (lane < 3 ? lane : lane - 3)) << lane;
    EXPECT_EQ(words[64 + lane], 100 + (lane % 16 < 11 ? lane + 5 : lane)) << lane;
    EXPECT_EQ(words[96 + lane], 100 + (lane ^ 9)) << lane;
    EXPECT_EQ(words[128 + lane], 100 + lane / 8 * 8 + 2) << lane;
    EXPECT_EQ(words[160 + lane], 0x49249249U) << lane;
    EXPECT_EQ(words[192 + lane], lane < 16 ? 100 + (lane ^ 1) : 0x55550000U) << lane;
    EXPECT_EQ(words[224 + lane], lane) << "words[0] is 100, which is no lane";
    EXPECT_EQ(words[256 + lane], 1U) << lane;
  }
}

__host__ __device__ std::uint32_t row_of_bits(std::uint32_t row) {
  return (row + 1) * 0x9E3779B9U;
}

__global__ void turn_bits_round(std::uint32_t* words) {
  const std::uint32_t lane = threadIdx.x;
  words[lane] = transpose_bits(row_of_bits(lane), lane);
  words[kThreads + lane] = core::swap_bytes(row_of_bits(lane));
  words[2 * kThreads + lane] = core::swap_bytes(row_of_bits(blockDim.x));
}

TEST(SassSmallKernels, TransposedBitsAndSwappedBytes) {
  const auto words = run_warp(turn_bits_round, 3 * kThreads);
  for (std::uint32_t lane = 0; lane < kThreads; ++lane) {
    std::uint32_t column = 0;
    for (std::uint32_t row = 0; row < 32; ++row) {
      column |= (row_of_bits(row) >> lane & 1) << row;
    }
    EXPECT_EQ(words[lane], column) << lane;
    EXPECT_EQ(words[kThreads + lane], __builtin_bswap32(row_of_bits(lane))) << lane;
    EXPECT_EQ(words[2 * kThreads + lane], __builtin_bswap32(row_of_bits(kThreads))) << lane;
  }
}

/// Halves of a warp that meet at barriers of their own, and then at one that each has in its place.
__global__ void meet_in_two_places(std::uint32_t* words) {
  SHARED(std::uint32_t[32], all);
  const std::uint32_t lane = threadIdx.x;
  const std::uint32_t mask =
      __shfl_sync(0xFFFFFFFF, words[0] - 1, 3);  // all lanes, unknown to the compiler
  all[lane] = lane;
  if (lane % 4 < 2) {
    __syncwarp(mask);
    words[lane] = all[lane ^ 2] * 3;
  } else {
    __syncwarp(mask);
    words[lane] = all[lane ^ 2] * 5 + 1;
  }
}

TEST(SassSmallKernels, LanesThatMeetInTwoPlaces) {
  // The code for 9.0 does it in a way that the interpreter knows but does not carry out.
  if (sass::Card::instance().architecture() >= 90) {
    EXPECT_THROW(run_warp(meet_in_two_places, kThreads), sass::KernelFault);
    return;
  }
  const auto words = run_warp(meet_in_two_places, kThreads);
  for (std::uint32_t i = 0; i < kThreads; ++i) {
    EXPECT_EQ(words[i], i % 4 < 2 ? (i ^ 2) * 3 : (i ^ 2) * 5 + 1) << i;
  }
}

/// Loops of a length of their own for each lane, one in the other, left in three ways.
__host__ __device__ std::uint32_t wander(std::uint32_t start) {
  std::uint32_t x = start + 1;
  for (std::uint32_t i = 0; i < start % 11 + 1; ++i) {
    if (x % 5 == 4) {
      x += 7;
      continue;
    }
    std::uint32_t steps = 0;
    while (x % 2 == 0 || steps < i) {
      x = x % 2 == 0 ? x / 2 : 3 * x + 1;
      if (++steps > 40) {
        return x + 1000;
      }
    }
    if (x == 85) {
      break;
    }
    x += i;
  }
  return x;
}

__global__ void wander_all(std::uint32_t* words) {
  if (threadIdx.x >= 90) {
    return;
  }
  words[threadIdx.x] = wander(threadIdx.x);
  __syncwarp();
  words[96 + threadIdx.x] = __activemask() == 0 ? 1 : words[threadIdx.x ^ 1];
}

TEST(SassSmallKernels, LanesThatPart) {
  const auto words = run_warp(wander_all, 2 * 96, 96);
  for (std::uint32_t i = 0; i < 90; ++i) {
    EXPECT_EQ(words[i], wander(i)) << i;
    EXPECT_EQ(words[96 + i], wander(i ^ 1)) << i;
  }
}

__global__ void use_shared_memory(std::uint32_t* words) {
  SHARED(std::uint32_t[130], counts);
  SHARED(std::uint16_t[128], halves);
  SHARED(uint4[128], quads);
  const std::uint32_t t = threadIdx.x;
  counts[t] = 0;
  if (t < 2) {
    counts[128 + t] = t == 0 ? 0xFFFFFFFF : 0;
  }
  halves[t] = static_cast<std::uint16_t>(t * 3);
  quads[t] = make_uint4(t, t + 1, t + 2, t + 3);
  __syncthreads();
  atomicAdd(&counts[t % 10], t);
  atomicMin(&counts[128], 1000 - t);
  atomicOr(&counts[129], 1U << t % 20);
  __syncthreads();
  const uint4 quad = quads[127 - t];
  words[t] = counts[t] + halves[(t + 5) % 128] * 65536;
  words[128 + t] = quad.x ^ quad.y << 8 ^ quad.z << 16 ^ quad.w << 24;
  if (t < 2) {
    words[256 + t] = counts[128 + t];
  }
  atomicAdd(words + 258, 1);
  atomicMin(reinterpret_cast<unsigned long long*>(words + 260),
            (1ULL << 40) - t);  // 0 stands there
  words[262 + t] = atomicAdd(words + 259, 2);
}

TEST(SassSmallKernels, SharedMemoryAndAtomics) {
  const auto words = run_warp(use_shared_memory, 262 + 128, 128);
  std::vector<std::uint32_t> counts(128);
  std::uint32_t bits = 0;
  for (std::uint32_t t = 0; t < 128; ++t) {
    counts[t % 10] += t;
    bits |= 1U << t % 20;
  }
  std::vector<std::uint32_t> old(words.begin() + 262, words.end());
  std::sort(old.begin(), old.end());
  for (std::uint32_t t = 0; t < 128; ++t) {
    EXPECT_EQ(words[t], counts[t] + (t + 5) % 128 * 3 * 65536) << t;
    const std::uint32_t q = 127 - t;
    EXPECT_EQ(words[128 + t], q ^ (q + 1) << 8 ^ (q + 2) << 16 ^ (q + 3) << 24) << t;
    EXPECT_EQ(old[t], 2 * t);
  }
  EXPECT_EQ(words[256], 1000U - 127);
  EXPECT_EQ(words[257], bits);
  EXPECT_EQ(words[258], 128U);
  EXPECT_EQ(words[259], 256U);
  EXPECT_EQ(words[260], 0U);
}

__global__ void look_back(std::uint32_t* words) {
  SHARED(std::uint32_t[128], all);
  all[threadIdx.x] = 3 * threadIdx.x;
  __syncthreads();
  if (threadIdx.x > 1) {
    words[threadIdx.x - 2] = all[threadIdx.x - 1] + words[128 + threadIdx.x - 2];
  }
}

TEST(SassSmallKernels, NegativeOffsets) {
  const auto words = run_warp(look_back, 256, 128);
  for (std::uint32_t i = 0; i < 126; ++i) {
    EXPECT_EQ(words[i], 3 * (i + 1)) << i;
  }
}

__global__ void reverse_in_dynamic_memory(std::uint32_t* words) {
  DYNAMIC_SHARED(std::uint32_t, all);
  all[threadIdx.x] = words[blockIdx.x * blockDim.x + threadIdx.x];
  __syncthreads();
  words[blockIdx.x * blockDim.x + threadIdx.x] = all[blockDim.x - 1 - threadIdx.x];
}

TEST(SassSmallKernels, DynamicSharedMemory) {
  const Stream stream(0);
  std::vector<std::uint32_t> words(2 * 96);
  for (std::uint32_t i = 0; i < words.size(); ++i) {
    words[i] = i;
  }
  const auto d_words = to_device<std::uint32_t>(stream.view(), words);
  launch(reverse_in_dynamic_memory, {dim3(2), dim3(96), 96 * 4}, stream.view().get(),
         d_words.data());
  const auto reversed = to_host(stream.view(), d_words.data(), words.size());
  for (std::uint32_t i = 0; i < words.size(); ++i) {
    EXPECT_EQ(reversed[i], i / 96 * 96 + 95 - i % 96);
  }
}

}  // namespace
}  // namespace furrow::cuda
