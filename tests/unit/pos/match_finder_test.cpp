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

/// The search as the specification words it.
std::vector<Match> matches_by_definition(std::uint32_t parity, const BucketResidues& left,
                                         const BucketResidues& right) {
  std::vector<std::vector<std::uint32_t>> ranks(pos::kParamBC);
  for (std::uint32_t i = 0; i < right.size; ++i) {
    if (ranks[right.values[i]].size() < 2) {
      ranks[right.values[i]].push_back(i);
    }
  }
  std::vector<Match> matches;
  for (std::uint32_t i = 0; i < left.size && matches.size() < pos::kReducedMatchesCount; ++i) {
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

class MatchFinderTest : public testing::Test {
 protected:
  /// One finder for everything, so that what a search leaves behind would show.
  void expect_right(MatchFinder& finder, const BucketResidues& left, const BucketResidues& right) {
    for (std::uint32_t parity = 0; parity < 2; ++parity) {
      const std::vector<Match> expected = matches_by_definition(parity, left, right);
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
      MatchFinder finder(mode);
      run(finder, random);
    };
    with_mode(SimdMode::kScalar);
    test::for_each_simd_target([&] { with_mode(SimdMode::kBest); });
  }
};

TEST_F(MatchFinderTest, SizesAroundEveryEdge) {
  const std::vector<std::uint16_t> all = residues_from(0, pos::kParamBC);
  in_every_mode([&](MatchFinder& finder, std::mt19937_64& random) {
    const std::size_t sizes[] = {0,  1,  7,   8,   15,  16,  17,  31,  32,  33, 63,
                                 64, 65, 127, 128, 129, 236, 255, 256, 271, 272};
    for (const std::size_t left : sizes) {
      for (const std::size_t right : sizes) {
        expect_right(finder, bucket_of(left, all, random), bucket_of(right, all, random));
      }
    }
  });
}

TEST_F(MatchFinderTest, BucketsAsTheyOccur) {
  const std::vector<std::uint16_t> all = residues_from(0, pos::kParamBC);
  in_every_mode([&](MatchFinder& finder, std::mt19937_64& random) {
    for (int i = 0; i < 300; ++i) {
      expect_right(finder, bucket_of(190 + random() % 83, all, random),
                   bucket_of(190 + random() % 83, all, random));
    }
  });
}

/// Many equal residues: the first two count. Also the last bucket, which is less than half as wide.
TEST_F(MatchFinderTest, CrowdedRows) {
  in_every_mode([&](MatchFinder& finder, std::mt19937_64& random) {
    for (const std::uint32_t width : {1U, 3U, 127U, 254U, 1000U, 7144U, 63U * 127U, 64U * 127U}) {
      for (const std::uint32_t first : {0U, 62U * 127U, pos::kParamBC - width}) {
        const std::vector<std::uint16_t> choices =
            residues_from(first, std::min(first + width, pos::kParamBC));
        const std::vector<std::uint16_t> all = residues_from(0, pos::kParamBC);
        expect_right(finder, bucket_of(272, all, random), bucket_of(272, choices, random));
        expect_right(finder, bucket_of(272, choices, random), bucket_of(236, all, random));
        expect_right(finder, bucket_of(272, choices, random), bucket_of(272, choices, random));
      }
    }
  });
}

/// Each right residue twice and each left entry with all of its targets taken: the most matches
/// that one left entry can add.
TEST_F(MatchFinderTest, AsManyMatchesAsCanBe) {
  in_every_mode([&](MatchFinder& finder, std::mt19937_64& random) {
    for (std::uint32_t parity = 0; parity < 2; ++parity) {
      const auto residue = static_cast<std::uint16_t>(random() % pos::kParamBC);
      BucketResidues left;
      left.size = 4;
      left.values.fill(residue);
      BucketResidues right;
      for (std::uint32_t m = 0; m < pos::kParamM; ++m) {
        const auto partner = static_cast<std::uint16_t>(pos::target(parity, residue, m));
        for (int copy = 0; copy < 3; ++copy) {
          right.values[right.size++] = partner;
        }
      }
      std::shuffle(right.values.begin(), right.values.begin() + 192, random);
      expect_right(finder, left, right);
      EXPECT_EQ(finder.find(parity, left, right), 384U);
    }
  });
}

}  // namespace
}  // namespace furrow
