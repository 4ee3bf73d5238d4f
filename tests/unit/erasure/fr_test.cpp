// SPDX-License-Identifier: Apache-2.0
// The field and the two forms of its arithmetic (docs/spec/09-autonomys.md, sections 3.1, 6 and 16).
#include "host/erasure/fr.hpp"

#include <algorithm>
#include <bit>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "host/crypto/blake3.hpp"
#include "host/erasure/fr_arithmetic.hpp"
#include "tests/support/simd_targets.hpp"
#include "tests/unit/erasure/fr_inputs.hpp"

namespace furrow {
namespace {

using test::bytes_of;
using test::fr_forms;
using test::hex_of;
using test::plus;
using test::RandomFr;

constexpr Fr kZero{};
constexpr Fr kUnit{{1}};
constexpr Fr kLargest{
    {0xffffffff00000000, 0x53bda402fffe5bfe, 0x3339d80809a1d805, 0x73eda753299d7d48}};

TEST(Fr, ConstantsAreThoseOfTheSpecification) {
  EXPECT_EQ(hex_of(fr::kModulus),
            "73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001");
  EXPECT_EQ(hex_of(fr::kOne), "1824b159acc5056f998c4fefecbc4ff55884b7fa0003480200000001fffffffe");
  EXPECT_EQ(hex_of(fr::kToFactor),
            "0748d9d99f59ff1105d314967254398f2b6cedcb87925c23c999e990f3f29c6d");
  EXPECT_EQ(fr::multiply(kUnit, fr::kOne), kUnit);
  EXPECT_EQ(fr::to_factor(kUnit), fr::kOne);
  EXPECT_EQ(hex_of(fr::multiply(kUnit, fr::inverse(fr::to_factor(Fr{{32768}})))),
            "73ecbf77daf72a0d38a971945991c4c1a3b2fc87b7f85c024801ffff00020001");
}

TEST(Fr, RootsOfUnityAreThoseOfTheSpecification) {
  const std::pair<unsigned, const char*> roots[] = {
      {1, "73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000000"},
      {2, "00000000000000008d51ccce760304d0ec030002760300000001000000000000"},
      {3, "345766f603fa66e78c0625cd70d77ce2b38b21c28713b7007228fd3397743f7a"},
      {15, "3291357ee558b50d483405417a0cbe39c8d5f51db3f32699fbd047e11279bb6e"},
      {16, "2155379d12180caa88f39a78f1aeb57867a665ae1fcadc91d7118f85cd96b8ad"}};
  for (const auto& [k, root] : roots) {
    EXPECT_EQ(hex_of(fr::multiply(kUnit, fr::root_of_unity(k))), root) << k;
  }
}

TEST(Fr, OnlyNumbersBelowTheModulusAreCanonical) {
  const Fr nineteen_below{{~std::uint64_t{0} - 18, ~std::uint64_t{0}, ~std::uint64_t{0},
                           0x7fffffffffffffff}};  // 2^255 - 19
  for (const Fr& x : {kZero, kUnit, kLargest, Fr{{~std::uint64_t{0}, 0, 0, 0}}}) {
    EXPECT_TRUE(fr::is_canonical(x)) << hex_of(x);
  }
  for (const Fr& x :
       {fr::kModulus, plus(fr::kModulus, 1), nineteen_below, Fr{{0, 0, 0, 0x73eda753299d7d49}},
        Fr{{0, 0, 0x3339d80809a1d806, kLargest.limbs[3]}}}) {
    EXPECT_FALSE(fr::is_canonical(x)) << hex_of(x);
  }
}

TEST(Fr, ChunksAreBigEndian) {
  RecordChunk chunk;
  for (std::size_t i = 0; i < chunk.bytes.size(); ++i) {
    chunk.bytes[i] = static_cast<std::uint8_t>(i + 1);
  }
  const Fr value = fr::load(chunk);
  EXPECT_EQ(value,
            (Fr{{0x191a1b1c1d1e1f20, 0x1112131415161718, 0x090a0b0c0d0e0f10, 0x0102030405060708}}));
  RecordChunk stored;
  fr::store(value, stored);
  EXPECT_EQ(stored, chunk);
}

TEST(Fr, SumsAndProductsAreThoseOfPlainIntegers) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  RandomFr random(seed);
  for (std::size_t i = 0; i < std::size_t{1} << 20 && !testing::Test::HasFailure(); ++i) {
    const Fr a = random.canonical();
    const Fr b = random.canonical();
    const Fr product = fr::multiply(a, fr::to_factor(b));
    ASSERT_EQ(bytes_of(product), reference::fr_multiply(bytes_of(a), bytes_of(b)))
        << hex_of(a) << " * " << hex_of(b);
    const Fr sum = fr::add(a, b);
    ASSERT_EQ(bytes_of(sum), reference::fr_add(bytes_of(a), bytes_of(b)))
        << hex_of(a) << " + " << hex_of(b);
    ASSERT_EQ(fr::subtract(sum, b), a);
    ASSERT_EQ(fr::multiply(fr::difference_plus_r(a, b), fr::kOne), fr::subtract(a, b));
  }
}

// A product takes any 256 bits, and is canonical all the same.
TEST(Fr, ProductsOfAnythingAreCanonical) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  RandomFr random(seed);
  const Fr all_ones{{~std::uint64_t{0}, ~std::uint64_t{0}, ~std::uint64_t{0}, ~std::uint64_t{0}}};
  for (int i = 0; i < 100'000; ++i) {
    const Fr x = i == 0 ? all_ones : random.any();
    const Fr t = i == 0 ? kLargest : random.canonical();
    const Fr product = fr::multiply(x, t);
    ASSERT_TRUE(fr::is_canonical(product)) << hex_of(x) << " " << hex_of(t);
    // x = high + low, both canonical
    Fr low = x;
    low.limbs[3] &= 0x3fffffffffffffff;
    Fr rest{{0, 0, 0, std::uint64_t{1} << 62}};
    Fr sum = fr::multiply(low, t);
    for (std::uint64_t k = 0; k < x.limbs[3] >> 62; ++k) {
      sum = fr::add(sum, fr::multiply(rest, t));
    }
    ASSERT_EQ(product, sum) << hex_of(x) << " " << hex_of(t);
  }
}

TEST(Fr, InversesAreInverse) {
  RandomFr random(1);
  for (int i = 0; i < 20; ++i) {
    const Fr t = fr::to_factor(random.canonical());
    EXPECT_EQ(fr::multiply(t, fr::inverse(t)), fr::kOne);
  }
  EXPECT_EQ(fr::inverse(fr::kOne), fr::kOne);
}

TEST(FrArithmetic, TheFormIsChosenByInstructionSet) {
  test::for_each_simd_target([] {
    const std::string target = simd_target_name(SimdMode::kBest);
    const bool is_avx512 = target.starts_with("avx3");
    const FrArithmetic* expected = &fr_plain();
    if ((is_avx512 || target == "avx2") && fr_adx() != nullptr) {
      expected = fr_adx();
    }
    if (is_avx512 && fr_ifma() != nullptr) {
      expected = fr_ifma();
    }
    EXPECT_EQ(&fr_arithmetic(SimdMode::kBest), expected);
    EXPECT_EQ(&fr_arithmetic(SimdMode::kScalar), &fr_plain());
  });
}

void expect_canonical(const std::vector<Fr>& values) {
  EXPECT_TRUE(std::ranges::all_of(values, fr::is_canonical));
}

TEST(FrArithmetic, FormsAgreeOnTransformsOfEveryLength) {
  if (fr_forms().size() == 1) {
    GTEST_SKIP() << "this processor has the plain form alone";
  }
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  RandomFr random(seed);
  for (std::size_t n = 1; n <= FrArithmetic::kMaxLength; n *= 2) {
    for (const std::size_t n_blocks : {1UL, 3UL, 8UL, 9UL, 16UL}) {
      if (n_blocks * n > 2 * FrArithmetic::kMaxLength) {
        break;
      }
      SCOPED_TRACE(std::to_string(n_blocks) + " of " + std::to_string(n));
      std::vector<Fr> values = random.canonical(n_blocks * n);
      if (n_blocks == 3 || n_blocks == 16) {  // the largest sums and differences
        std::ranges::fill(values, kLargest);
        std::fill_n(values.begin(), n, kZero);
        values[2 * n] = kZero;
      }
      const std::vector<Fr> factors = random.canonical(n_blocks == 3 ? 0 : n);
      std::vector<Fr> coefficients = values;
      fr_plain().to_coefficients(coefficients, n);
      expect_canonical(coefficients);
      std::vector<Fr> results = coefficients;
      fr_plain().to_values(results, n, factors);
      expect_canonical(results);
      for (const FrArithmetic* form : fr_forms()) {
        std::vector<Fr> actual = values;
        form->to_coefficients(actual, n);
        ASSERT_EQ(actual, coefficients);
        form->to_values(actual, n, factors);
        ASSERT_EQ(actual, results);
      }
    }
  }
}

TEST(FrArithmetic, FormsMultiplyAlike) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  RandomFr random(seed);
  for (const auto& [n, n_factors] : std::vector<std::pair<std::size_t, std::size_t>>{{1, 1},
                                                                                     {7, 1},
                                                                                     {9, 1},
                                                                                     {12, 4},
                                                                                     {16, 16},
                                                                                     {24, 8},
                                                                                     {64, 2},
                                                                                     {65536, 65536},
                                                                                     {4096, 32}}) {
    const std::vector<Fr> values = random.canonical(n);
    const std::vector<Fr> factors = random.canonical(n_factors);
    for (const FrArithmetic* form : fr_forms()) {
      std::vector<Fr> products = values;
      form->multiply(products, factors);
      for (std::size_t i = 0; i < n; ++i) {
        ASSERT_EQ(products[i], fr::multiply(values[i], factors[i % n_factors])) << i << " of " << n;
      }
    }
  }
}

/// Where the low 52 bits of a limb are 0, 1 or all ones when a multiple of the modulus is added to make
/// them vanish, which random numbers never reach: the IFMA form multiplies 16 times the factor, whose
/// lowest limb is 0 here, so the second limb of the product is that of value and factor alone.
TEST(FrArithmetic, CarriesAtTheEdgesOfALimb) {
  constexpr std::uint64_t kLimb = (std::uint64_t{1} << 52) - 1;
  RandomFr random(3);
  std::vector<Fr> values;
  std::vector<Fr> factors;
  for (std::size_t i = 0; i < 64; ++i) {
    Fr factor = random.canonical();
    factor.limbs[0] = (random.next() | 1) << 48;
    factor.limbs[3] >>= 1;  // below the modulus whatever the others are
    const std::uint64_t low = (factor.limbs[0] >> 48 | factor.limbs[1] << 16) & kLimb;
    std::uint64_t inverse = low;  // of an odd number modulo 8; each step doubles the bits
    for (int bits = 3; bits < 52; bits *= 2) {
      inverse *= 2 - low * inverse;
    }
    const std::uint64_t edges[] = {1, 0, kLimb, kLimb - 1};
    Fr value = random.canonical();
    value.limbs[0] = (value.limbs[0] & ~kLimb) | (inverse * edges[i % 4] & kLimb);
    value.limbs[3] >>= 1;
    ASSERT_EQ(value.limbs[0] * low & kLimb, edges[i % 4]);
    values.push_back(value);
    factors.push_back(factor);
  }
  for (const FrArithmetic* form : fr_forms()) {
    std::vector<Fr> products = values;
    form->multiply(products, factors);
    for (std::size_t i = 0; i < values.size(); ++i) {
      ASSERT_EQ(products[i], fr::multiply(values[i], factors[i])) << i;
    }
  }
}

TEST(FrArithmetic, TransformsAreInverse) {
  RandomFr random(2);
  for (const FrArithmetic* form : fr_forms()) {
    for (std::size_t n = 1; n <= FrArithmetic::kMaxLength; n *= 2) {
      const std::vector<Fr> values = random.canonical(n);
      std::vector<Fr> result = values;
      form->to_coefficients(result, n);
      form->to_values(result, n, {});
      const Fr one_by_n = fr::inverse(fr::to_factor(Fr{{n}}));
      form->multiply(result, std::span(&one_by_n, 1));
      ASSERT_EQ(result, values) << n;
    }
  }
}

Hash hash_of(const std::vector<Fr>& values) {
  std::vector<RecordChunk> chunks(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    fr::store(values[i], chunks[i]);
  }
  return blake3({reinterpret_cast<const std::uint8_t*>(chunks.data()), chunks.size() * kChunkSize});
}

std::vector<Fr> in_natural_order(const std::vector<Fr>& reversed) {
  const auto n_bits = static_cast<unsigned>(std::countr_zero(reversed.size()));
  std::vector<Fr> natural(reversed.size());
  for (std::size_t i = 0; i < reversed.size(); ++i) {
    natural[fr::reversed_bits(i, n_bits)] = reversed[i];
  }
  return natural;
}

TEST(FrArithmetic, KnownAnswersInsideOfTheTransform) {
  for (const FrArithmetic* form : fr_forms()) {
    std::vector<Fr> values(kNumChunks);
    for (std::size_t i = 0; i < kNumChunks; ++i) {
      values[i] = Fr{{i}};
    }
    EXPECT_EQ(to_hex(hash_of(values).bytes),
              "5321951c09c708094cc5deebb66b099899ebb4f9c89582a3391600b23b4f0b2b");
    form->to_coefficients(values, kNumChunks);
    const std::vector<Fr> natural = in_natural_order(values);
    EXPECT_EQ(natural[0], Fr{{536'854'528}});
    EXPECT_EQ(hex_of(natural[1]),
              "379c89be22d6f6c81c86d4b4573684f9bc47f1730558ed542f022197c2734a74");
    EXPECT_EQ(to_hex(hash_of(natural).bytes),
              "4617602f07570093b643faf9a8926022e2ec7f152f7aa00ea0476a343d3bf4f6");
    EXPECT_EQ(to_hex(hash_of(values).bytes),
              "4991736e5e6c00d5879027e20906b6773a48ba0863c55efb1dca03d3df302cc1");
    form->multiply(values, fr_roots().shift_of(kNumChunks));
    EXPECT_EQ(to_hex(hash_of(in_natural_order(values)).bytes),
              "3d93e969cd061f80fa283504f729b9a873c0ac60ee5588ab13c0b702aab46b1a");
    EXPECT_EQ(to_hex(hash_of(values).bytes),
              "be86a7034388db0e3cc8c54d4311577bd42892cbddcf64f5259a515ff0cf9b4a");
    form->to_values(values, kNumChunks, {});
    EXPECT_EQ(to_hex(hash_of(values).bytes),
              "64c8b74ddf9a7786f0e96ec8c571baa32d9d7eb8c811fed9bf51ca6b59273ae0");
    EXPECT_EQ(hex_of(values[0]),
              "098558a5e4fcff1b30493de74029955190c104e9447307b82186c02406c14066");
  }
}

}  // namespace
}  // namespace furrow
