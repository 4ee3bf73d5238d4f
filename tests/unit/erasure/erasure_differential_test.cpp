// SPDX-License-Identifier: Apache-2.0
// Random shapes, lengths and erasures: the scalar form, every SIMD target and the reference must
// agree.
#include <algorithm>
#include <numeric>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "host/erasure/erasure_coding.hpp"
#include "tests/reference/erasure_reference.hpp"
#include "tests/support/simd_targets.hpp"

namespace furrow {
namespace {

using reference::ErasureShard;
using Shards = std::vector<ErasureShard>;

class Random {
 public:
  explicit Random(unsigned seed) : engine_(seed) {}

  /// Uniform in first .. last.
  std::size_t between(std::size_t first, std::size_t last) {
    return std::uniform_int_distribution<std::size_t>(first, last)(engine_);
  }
  Shards shards(std::size_t count, std::size_t shard_bytes) {
    Shards result(count, ErasureShard(shard_bytes));
    for (ErasureShard& shard : result) {
      for (std::uint8_t& byte : shard) {
        byte = static_cast<std::uint8_t>(engine_());
      }
    }
    return result;
  }
  /// `count` of the numbers below `bound`, as flags.
  std::vector<bool> choose(std::size_t count, std::size_t bound) {
    std::vector<bool> chosen(bound);
    std::fill_n(chosen.begin(), count, true);
    std::shuffle(chosen.begin(), chosen.end(), engine_);
    return chosen;
  }

 private:
  std::mt19937 engine_;
};

struct Shape {
  std::size_t k, m, shard_bytes;
};

std::string name_of(const Shape& shape) {
  return std::to_string(shape.k) + " + " + std::to_string(shape.m) + " of " +
         std::to_string(shape.shard_bytes) + " bytes";
}

/// Lengths around the edges of units, blocks and vectors, and any others up to four blocks.
std::size_t random_length(Random& random) {
  constexpr std::size_t kEdges[] = {2, 30, 32, 34, 62, 64, 66, 94, 96, 98, 126, 128, 130, 192};
  return random.between(0, 1) == 0 ? kEdges[random.between(0, std::size(kEdges) - 1)]
                                   : 2 * random.between(1, 130);
}

Shards extend(SimdMode mode, const Shards& source, std::size_t n_parity) {
  Shards parity(n_parity, ErasureShard(source.at(0).size(), 0xA5));
  const std::vector<std::span<const std::uint8_t>> in(source.begin(), source.end());
  const std::vector<std::span<std::uint8_t>> out(parity.begin(), parity.end());
  ErasureCoding(mode).extend(in, out);
  return parity;
}

/// Which shards of a code word are known, source before parity.
struct Erasures {
  std::vector<bool> known;
  std::size_t k;

  [[nodiscard]] bool has_source(std::size_t i) const { return known[i]; }
  [[nodiscard]] bool has_parity(std::size_t j) const { return known[k + j]; }
};

/// Recovers everything that is not known into fresh buffers and compares.
void expect_recovery(SimdMode mode, const Shards& source, const Shards& parity,
                     const Erasures& erasures, bool wants_parity) {
  const ErasureShard blank(source.at(0).size(), 0xA5);
  Shards source_out(source.size(), blank);
  Shards parity_out(parity.size(), blank);
  std::vector<RecoveryShard> source_in;
  std::vector<RecoveryShard> parity_in;
  for (std::size_t i = 0; i < source.size(); ++i) {
    source_in.push_back(erasures.has_source(i) ? RecoveryShard::present(source[i])
                                               : RecoveryShard::wanted(source_out[i]));
  }
  for (std::size_t j = 0; j < parity.size(); ++j) {
    parity_in.push_back(erasures.has_parity(j) ? RecoveryShard::present(parity[j])
                        : wants_parity         ? RecoveryShard::wanted(parity_out[j])
                                               : RecoveryShard::ignored());
  }
  ErasureCoding(mode).recover(source_in, parity_in);
  for (std::size_t i = 0; i < source.size(); ++i) {
    EXPECT_EQ(source_out[i], erasures.has_source(i) ? blank : source[i]) << "source " << i;
  }
  for (std::size_t j = 0; j < parity.size(); ++j) {
    const bool is_blank = erasures.has_parity(j) || !wants_parity;
    EXPECT_EQ(parity_out[j], is_blank ? blank : parity[j]) << "parity " << j;
  }
}

std::optional<Shards> reference_recovery(const Shards& source, const Shards& parity,
                                         const Erasures& erasures) {
  std::vector<std::optional<ErasureShard>> source_in(source.begin(), source.end());
  std::vector<std::optional<ErasureShard>> parity_in(parity.begin(), parity.end());
  for (std::size_t i = 0; i < source.size(); ++i) {
    if (!erasures.has_source(i)) {
      source_in[i].reset();
    }
  }
  for (std::size_t j = 0; j < parity.size(); ++j) {
    if (!erasures.has_parity(j)) {
      parity_in[j].reset();
    }
  }
  return reference::erasure_recover(source_in, parity_in);
}

void check_shape(const Shape& shape, Random& random) {
  SCOPED_TRACE(name_of(shape));
  const Shards source = random.shards(shape.k, shape.shard_bytes);
  const Shards parity = reference::erasure_extend(source, shape.m);
  // As few as suffice, half of the time; else any number that does.
  const std::size_t n_known =
      random.between(0, 1) == 0 ? shape.k : random.between(shape.k, shape.k + shape.m);
  const Erasures erasures{random.choose(n_known, shape.k + shape.m), shape.k};
  const bool wants_parity = random.between(0, 1) == 0;
  ASSERT_EQ(reference_recovery(source, parity, erasures), source);

  ASSERT_EQ(extend(SimdMode::kScalar, source, shape.m), parity);
  expect_recovery(SimdMode::kScalar, source, parity, erasures, wants_parity);
  test::for_each_simd_target([&] {
    ASSERT_EQ(extend(SimdMode::kBest, source, shape.m), parity);
    expect_recovery(SimdMode::kBest, source, parity, erasures, wants_parity);
  });
}

TEST(ErasureDifferential, RandomShapes) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  Random random(seed);
  for (int trial = 0; trial < 150 && !testing::Test::HasFailure(); ++trial) {
    check_shape({random.between(1, 20), random.between(1, 20), random_length(random)}, random);
  }
  for (int trial = 0; trial < 12 && !testing::Test::HasFailure(); ++trial) {
    check_shape({random.between(1, 60), random.between(1, 60), random_length(random)}, random);
  }
}

// Many sources, few parity shards: the sources fall into groups, the last one mostly incomplete.
TEST(ErasureDifferential, SeveralGroups) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  Random random(seed);
  for (int trial = 0; trial < 60 && !testing::Test::HasFailure(); ++trial) {
    const std::size_t m = random.between(1, 7);
    check_shape({random.between(m + 1, 60), m, random_length(random)}, random);
  }
}

// Shards of several tiles, with tails of every kind.
TEST(ErasureDifferential, LongShards) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  Random random(seed);
  for (const Shape& shape :
       {Shape{3, 2, 262'144}, Shape{2, 3, 131'102}, Shape{9, 4, 70'016}, Shape{5, 8, 66'050}}) {
    check_shape(shape, random);
  }
}

// Large shapes, where the reference would take too long: the scalar form stands in for it.
TEST(ErasureDifferential, LargeShapes) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  Random random(seed);
  for (const Shape& shape : {Shape{1000, 300, 66}, Shape{300, 1000, 34}, Shape{4000, 3000, 62},
                             Shape{20'000, 9'000, 2}}) {
    SCOPED_TRACE(name_of(shape));
    const Shards source = random.shards(shape.k, shape.shard_bytes);
    const Shards parity = extend(SimdMode::kScalar, source, shape.m);
    const Erasures erasures{random.choose(shape.k, shape.k + shape.m), shape.k};
    expect_recovery(SimdMode::kScalar, source, parity, erasures, true);
    test::for_each_simd_target([&] {
      ASSERT_EQ(extend(SimdMode::kBest, source, shape.m), parity);
      expect_recovery(SimdMode::kBest, source, parity, erasures, true);
    });
  }
}

// With more shards than needed and all sources there, damaged parity must not reach the sources,
// and wanted parity follows the sources (section 7).
TEST(ErasureDifferential, CompleteSourcesDecideTheParity) {
  Random random(1);
  const Shards source = random.shards(6, 96);
  const Shards parity = reference::erasure_extend(source, 4);
  for (const SimdMode mode : {SimdMode::kScalar, SimdMode::kBest}) {
    Shards damaged = parity;
    damaged[0][5] ^= 0x40;
    ErasureShard wanted(96);
    std::vector<RecoveryShard> source_in;
    for (const ErasureShard& shard : source) {
      source_in.push_back(RecoveryShard::present(shard));
    }
    const RecoveryShard parity_in[] = {RecoveryShard::present(damaged[0]), RecoveryShard::ignored(),
                                       RecoveryShard::wanted(wanted),
                                       RecoveryShard::present(damaged[3])};
    ErasureCoding(mode).recover(source_in, parity_in);
    EXPECT_EQ(wanted, parity[2]);
  }
}

TEST(ErasureReference, NeedsAsManyShardsAsSources) {
  Random random(2);
  const Shards source = random.shards(5, 4);
  const Shards parity = reference::erasure_extend(source, 5);
  EXPECT_EQ(reference_recovery(source, parity, {random.choose(4, 10), 5}), std::nullopt);
}

TEST(ErasureReference, ShardsOneByOneAreThoseOfTheWholeCode) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  Random random(seed);
  for (const std::size_t n : {1UL, 2UL, 8UL, 64UL}) {
    const Shards source = random.shards(n, 66);
    const Shards parity = reference::erasure_extend(source, n);
    for (std::size_t j = 0; j < n; ++j) {
      EXPECT_EQ(reference::erasure_parity_shard(source, j), parity[j]) << j << " of " << n;
    }
  }
}

}  // namespace
}  // namespace furrow
