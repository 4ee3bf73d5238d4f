// SPDX-License-Identifier: Apache-2.0
// Integer intrinsics against their definitions, bit by bit, and atomics from many threads.

#include <array>
#include <cstdint>
#include <random>
#include <vector>

#include "simt/test/kernel_test.hpp"
#include "simt/test/overloads.cuh"

namespace furrow::simt {
namespace {

constexpr unsigned kSeed = 20260;

// Known answers of the CUDA C++ programming guide's definitions.
static_assert(__popc(0) == 0 && __popc(0xFFFFFFFFU) == 32 && __popcll(~0ULL) == 64);
static_assert(__clz(0) == 32 && __clz(1) == 31 && __clz(-1) == 0 && __clzll(0) == 64 &&
              __clzll(1) == 63);
static_assert(__ffs(0) == 0 && __ffs(1) == 1 && __ffs(-0x7FFFFFFF - 1) == 32 && __ffsll(0) == 0 &&
              __ffsll(1LL << 40) == 41);
static_assert(__brev(1) == 0x80000000U && __brev(0x12345678U) == 0x1E6A2C48U &&
              __brevll(1) == 1ULL << 63U);
static_assert(__byte_perm(0x33221100U, 0x77665544U, 0x3210U) == 0x33221100U &&
              __byte_perm(0x33221100U, 0x77665544U, 0x0123U) == 0x00112233U &&
              __byte_perm(0x33221100U, 0x77665544U, 0x7531U) == 0x77553311U &&
              __byte_perm(0x80FF017FU, 0, 0xBA98U) == 0xFFFF0000U);
static_assert(__funnelshift_l(0x89ABCDEFU, 0x01234567U, 8) == 0x23456789U &&
              __funnelshift_l(1, 2, 32) == 2 && __funnelshift_lc(1, 2, 32) == 1 &&
              __funnelshift_lc(1, 2, 77) == 1);
static_assert(__funnelshift_r(0x89ABCDEFU, 0x01234567U, 8) == 0x6789ABCDU &&
              __funnelshift_r(1, 2, 32) == 1 && __funnelshift_rc(1, 2, 32) == 2 &&
              __funnelshift_rc(1, 2, 77) == 2);
static_assert(__umulhi(0xFFFFFFFFU, 0xFFFFFFFFU) == 0xFFFFFFFEU && __mulhi(-1, 1) == -1 &&
              __umul64hi(~0ULL, ~0ULL) == ~0ULL - 1 && __mul64hi(-1, 1) == -1);
static_assert(min(-1, 1U) == 1U && max(-1, 1U) == 0xFFFFFFFFU && min(-1, 1) == -1);

TEST(SimtIntrinsics, EqualTheirDefinitions) {
  std::mt19937 random(kSeed);
  for (int i = 0; i < 2000; ++i) {
    SCOPED_TRACE("seed " + std::to_string(kSeed) + ", round " + std::to_string(i));
    const auto x = static_cast<unsigned>(random() >> (i % 32));
    const auto y = static_cast<unsigned>(random());
    const auto shift = static_cast<unsigned>(random() % 80);
    int n_bits = 0;
    int highest = -1;
    int lowest = -1;
    unsigned reversed = 0;
    for (int bit = 0; bit < 32; ++bit) {
      if ((x >> bit & 1U) != 0) {
        ++n_bits;
        highest = bit;
        lowest = lowest < 0 ? bit : lowest;
        reversed |= 1U << (31 - bit);
      }
    }
    ASSERT_EQ(__popc(x), n_bits);
    ASSERT_EQ(__clz(static_cast<int>(x)), 31 - highest);
    ASSERT_EQ(__ffs(static_cast<int>(x)), lowest + 1);
    ASSERT_EQ(__brev(x), reversed);
    const unsigned long long both = static_cast<unsigned long long>(y) << 32U | x;
    ASSERT_EQ(__funnelshift_l(x, y, shift), static_cast<unsigned>((both << shift % 32) >> 32U));
    ASSERT_EQ(__funnelshift_r(x, y, shift), static_cast<unsigned>(both >> shift % 32));
    ASSERT_EQ(__popcll(both), __popc(x) + __popc(y));
    ASSERT_EQ(__brevll(both), static_cast<unsigned long long>(__brev(x)) << 32U | __brev(y));
    unsigned permuted = 0;
    for (unsigned byte = 0; byte < 4; ++byte) {
      permuted |= static_cast<unsigned>(both >> 8 * (shift >> byte & 7U) & 0xFFU) << 8 * byte;
    }
    const unsigned selector = (shift & 7U) | (shift >> 1U & 7U) << 4U | (shift >> 2U & 7U) << 8U |
                              (shift >> 3U & 7U) << 12U;
    ASSERT_EQ(__byte_perm(x, y, selector), permuted);
  }
}

TEST(SimtAtomics, AddUpOverAllThreads) {
  for_each_schedule([] {
    int sum = 0;
    unsigned n = 0;
    unsigned long long wide = 0;
    double fraction = 0;
    int least = 1000;
    unsigned most = 0;
    unsigned bits = 0;
    unsigned odd = 0;
    unsigned common = 0xFFFFFFFF;
    unsigned wraps = 0;
    unsigned down = 0;
    run_grid({.grid = 3, .block = 70}, [&] {
      const unsigned number = blockIdx.x * blockDim.x + threadIdx.x;
      atomicSub(&sum, static_cast<int>(number));
      atomicAdd(&n, 1U);
      atomicAdd(&wide, 1ULL << 40U);
      atomicAdd(&fraction, 0.5);
      atomicMin(&least, static_cast<int>(number) - 50);
      atomicMax(&most, number);
      atomicOr(&bits, 1U << (number % 20));
      atomicXor(&odd, number);
      atomicAnd(&common, number | 0x100U);
      atomicInc(&wraps, 99);
      atomicDec(&down, 9);
    });
    EXPECT_EQ(sum, -(209 * 210 / 2));
    EXPECT_EQ(n, 210U);
    EXPECT_EQ(wide, 210ULL << 40U);
    EXPECT_EQ(fraction, 105.0);
    EXPECT_EQ(least, -50);
    EXPECT_EQ(most, 209U);
    EXPECT_EQ(bits, 0xFFFFFU);
    EXPECT_EQ(odd, 1U);  // 0 ^ 1 ^ ... ^ 209
    EXPECT_EQ(common, 0x100U);
    EXPECT_EQ(wraps, 10U);  // counts 0 to 99 round and round
    EXPECT_EQ(down, 0U);    // 21 times round 9 to 0
  });
}

TEST(SimtAtomics, ExchangeAndCompareAndSwapLoseNothing) {
  for_each_schedule([] {
    unsigned place = 0;
    unsigned locked = 0;
    std::vector<unsigned> seen(65);
    run_grid({.grid = 1, .block = 64}, [&] {
      atomicAdd(&seen[atomicExch(&place, threadIdx.x + 1)], 1U);
      unsigned before = atomicAdd(&locked, 0U);
      for (;;) {
        const unsigned found = atomicCAS(&locked, before, before + 1);
        if (found == before) {
          break;
        }
        before = found;
      }
    });
    ++seen[place];
    EXPECT_EQ(seen, std::vector<unsigned>(65, 1));
    EXPECT_EQ(locked, 64U);
  });
}

}  // namespace
}  // namespace furrow::simt
