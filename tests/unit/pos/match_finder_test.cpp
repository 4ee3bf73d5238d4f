// SPDX-License-Identifier: Apache-2.0
// Both forms of the search for matches against the definition (docs/spec/02-proof-of-space.md,
// section 5), on buckets of every shape.
#include "host/pos/match_finder.hpp"

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/simd_targets.hpp"

namespace furrow {
namespace {

namespace pos = core::pos;

/// The search as the specifications word it.
template <class Rules>
std::vector<Match> matches_by_definition(std::uint32_t parity, const BucketResidues& left,
                                         const BucketResidues& right) {
  std::vector<std::vector<std::uint32_t>> ranks(pos::kParamBC);
  for (std::uint32_t i = 0; i < right.size; ++i) {
    if (ranks[right.values[i]].size() < Rules::kPartners) {
      ranks[right.values[i]].push_back(i);
    }
  }
  const std::size_t end = Rules::kPairMatches + (Rules::kCuts ? 0 : 1);
  std::vector<Match> matches;
  for (std::uint32_t i = 0; i < left.size && matches.size() < end; ++i) {
    for (std::uint32_t m = 0; m < pos::kParamM; ++m) {
      for (const std::uint32_t rank : ranks[pos::target(parity, left.values[i], m)]) {
        matches.push_back(i << 16 | rank);
      }
    }
  }
  return matches;
}

/// `size` residues out of `choices`, repeated as chance will have it.
BucketResidues bucket_of(std::size_t size, const std::vector<std::uint16_t>& choices,
                         std::mt19937_64& random) {
  BucketResidues bucket;
  bucket.values.fill(static_cast<std::uint16_t>(random()));  // nobody may look behind the end
  bucket.size = size;
  for (std::size_t i = 0; i < size; ++i) {
    bucket.values[i] = choices[random() % choices.size()];
  }
  return bucket;
}

std::vector<std::uint16_t> residues_from(std::uint32_t first, std::uint32_t end) {
  std::vector<std::uint16_t> residues;
  for (std::uint32_t residue = first; residue < end; ++residue) {
    residues.push_back(static_cast<std::uint16_t>(residue));
  }
  return residues;
}

template <class Rules>
class MatchFinderTest : public testing::Test {
 protected:
  using Finder = MatchFinder<Rules>;
  static constexpr std::size_t kEntries = Rules::kBucketEntries;

  /// One finder for everything, so that what a search leaves behind would show.
  void expect_right(Finder& finder, const BucketResidues& left, const BucketResidues& right) {
    for (std::uint32_t parity = 0; parity < 2; ++parity) {
      const std::vector<Match> expected = matches_by_definition<Rules>(parity, left, right);
      const std::size_t found = finder.find(parity, left, right);
      ASSERT_EQ(found, expected.size()) << "parity " << parity;
      ASSERT_TRUE(std::equal(expected.begin(), expected.end(), finder.matches()))
          << "parity " << parity << ", sizes " << left.size << " and " << right.size;
    }
  }

  template <class Run>
  void in_every_mode(const Run& run) {
    const unsigned seed = std::random_device{}();
    SCOPED_TRACE("seed " + std::to_string(seed));
    const auto with_mode = [&](SimdMode mode) {
      std::mt19937_64 random(seed);
      Finder finder(mode);
      run(finder, random);
    };
    with_mode(SimdMode::kScalar);
    test::for_each_simd_target([&] { with_mode(SimdMode::kBest); });
  }
};

using AllRules = testing::Types<pos::AbundanceRules, pos::AutonomysRules>;
TYPED_TEST_SUITE(MatchFinderTest, AllRules);

TYPED_TEST(MatchFinderTest, SizesAroundEveryEdge) {
  const std::vector<std::uint16_t> all = residues_from(0, pos::kParamBC);
  this->in_every_mode([&](MatchFinder<TypeParam>& finder, std::mt19937_64& random) {
    const std::size_t most = TestFixture::kEntries;
    const std::size_t sizes[] = {0,  1,  7,   8,   15,  16,  17,  31,  32,  33,       63,
                                 64, 65, 127, 128, 129, 236, 255, 256, 271, most - 1, most};
    for (const std::size_t left : sizes) {
      for (const std::size_t right : sizes) {
        this->expect_right(finder, bucket_of(left, all, random), bucket_of(right, all, random));
      }
    }
  });
}

TYPED_TEST(MatchFinderTest, BucketsAsTheyOccur) {
  const std::vector<std::uint16_t> all = residues_from(0, pos::kParamBC);
  this->in_every_mode([&](MatchFinder<TypeParam>& finder, std::mt19937_64& random) {
    for (int i = 0; i < 300; ++i) {
      this->expect_right(finder, bucket_of(190 + random() % 83, all, random),
                         bucket_of(190 + random() % 83, all, random));
    }
  });
}

/// Many equal residues: the first two count for Abundance, all for Autonomys. Also the last bucket,
/// which is less than half as wide.
TYPED_TEST(MatchFinderTest, CrowdedRows) {
  this->in_every_mode([&](MatchFinder<TypeParam>& finder, std::mt19937_64& random) {
    const std::size_t most = TestFixture::kEntries;
    for (const std::uint32_t width : {1U, 3U, 127U, 254U, 1000U, 7144U, 63U * 127U, 64U * 127U}) {
      for (const std::uint32_t first : {0U, 62U * 127U, pos::kParamBC - width}) {
        const std::vector<std::uint16_t> choices =
            residues_from(first, std::min(first + width, pos::kParamBC));
        const std::vector<std::uint16_t> all = residues_from(0, pos::kParamBC);
        this->expect_right(finder, bucket_of(most, all, random), bucket_of(most, choices, random));
        this->expect_right(finder, bucket_of(most, choices, random), bucket_of(236, all, random));
        this->expect_right(finder, bucket_of(most, choices, random),
                           bucket_of(most, choices, random));
      }
    }
  });
}

/// Each right residue several times and each left entry with all of its targets taken: the most
/// matches that one left entry can add, also after the most that a search goes on with.
TYPED_TEST(MatchFinderTest, AsManyMatchesAsCanBe) {
  this->in_every_mode([&](MatchFinder<TypeParam>& finder, std::mt19937_64& random) {
    constexpr bool kCuts = TypeParam::kCuts;
    constexpr std::size_t kCopies = kCuts ? 3 : TestFixture::kEntries / pos::kParamM;
    for (std::uint32_t parity = 0; parity < 2; ++parity) {
      const auto residue = static_cast<std::uint16_t>(random() % pos::kParamBC);
      BucketResidues left;
      left.size = 4;
      left.values.fill(residue);
      BucketResidues right;
      for (std::uint32_t m = 0; m < pos::kParamM; ++m) {
        const auto partner = static_cast<std::uint16_t>(pos::target(parity, residue, m));
        for (std::size_t copy = 0; copy < kCopies; ++copy) {
          right.values[right.size++] = partner;
        }
      }
      std::shuffle(right.values.begin(), right.values.begin() + static_cast<long>(right.size),
                   random);
      this->expect_right(finder, left, right);
      EXPECT_EQ(finder.find(parity, left, right), kCuts ? 384U : 1024U);
      EXPECT_LE(finder.find(parity, left, right), kMaxMatches<TypeParam>);
    }
  });
}

/// Where rules do not cut, the last match that there is room for is found, and it shows when there is
/// one more.
TEST(MatchFinderBounds, OneMatchMoreThanThereIsRoomForShows) {
  using Rules = pos::AutonomysRules;
  for (const SimdMode mode : {SimdMode::kScalar, SimdMode::kBest}) {
    MatchFinder<Rules> finder(mode);
    BucketResidues left;
    BucketResidues right;
    left.size = right.size = Rules::kBucketEntries;
    left.values.fill(5);
    right.values.fill(static_cast<std::uint16_t>(pos::target(0, 6, 0)));
    right.values[17] = static_cast<std::uint16_t>(pos::target(0, 5, 3));
    EXPECT_EQ(finder.find(0, left, right), Rules::kPairMatches);
    left.values[0] = 6;  // 511 partners instead of one
    EXPECT_EQ(finder.find(0, left, right), Rules::kPairMatches + 1);
  }
}

}  // namespace
}  // namespace furrow
