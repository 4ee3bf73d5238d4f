// SPDX-License-Identifier: Apache-2.0
// Which match an s-bucket keeps: made-up candidates that agree in y as far as one likes, in every order
// of arrival (docs/spec/09-autonomys.md, sections 5.2, 5.3 and 5.7).
#include "host/pos/proof_choice.hpp"

#include <algorithm>
#include <map>
#include <memory>
#include <numeric>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "host/pos/bucket_array.hpp"
#include "host/pos/proof_entry.hpp"
#include "host/pos/proof_table.hpp"

namespace furrow {
namespace {

namespace pos = core::pos;

constexpr std::uint32_t kSBucket = 0x1234;
/// Of a whole y; s-buckets are of no matter here.
constexpr std::uint32_t kY = 0x2ABCDE1;
/// Place of the y of the left parent in a rank, and of the right one.
constexpr std::size_t kLeft = 1;
constexpr std::size_t kRight = 1 + (ProofRank().size() - 1) / 2;

/// An entry of table 7 whose whole tree is made up.
struct Candidate {
  Origin match;
  ProofRank rank;
};

/// What is chosen when the candidates come in this order.
Origin chosen(const std::vector<Candidate>& candidates) {
  const auto choice = std::make_unique<SmallestRank>();
  choice->clear();
  std::map<std::uint32_t, ProofRank> ranks;
  for (const Candidate& candidate : candidates) {
    choice->offer(kSBucket, candidate.rank[0], candidate.rank[kLeft], candidate.match);
    ranks[candidate.match.bits()] = candidate.rank;
  }
  choice->settle([&](Origin match) { return ranks.at(match.bits()); });
  return choice->match(kSBucket).value();
}

void expect_first_in_every_order(std::vector<Candidate> candidates) {
  const Origin smallest = candidates.front().match;
  std::vector<std::size_t> order(candidates.size());
  std::iota(order.begin(), order.end(), 0);
  do {
    std::vector<Candidate> arriving;
    for (const std::size_t i : order) {
      arriving.push_back(candidates[i]);
    }
    EXPECT_EQ(chosen(arriving).bits(), smallest.bits());
  } while (std::next_permutation(order.begin(), order.end()));
}

ProofRank rank_with(std::size_t from, std::uint32_t value) {
  ProofRank rank{};
  rank.fill(7);
  rank[0] = kY;
  rank[from] = value;
  return rank;
}

/// Two and three candidates of one y that first differ at each place of the tree in turn: sharing a
/// left parent when that is in the right half, and all but one x at the end.
TEST(SmallestRank, DecidesAtEveryDepthInEveryOrder) {
  for (std::size_t place = 1; place < ProofRank().size(); ++place) {
    SCOPED_TRACE("place " + std::to_string(place));
    // The origin of the smallest is neither the smallest nor the largest.
    const std::vector<Candidate> candidates = {{Origin(5, 1, 2), rank_with(place, 1)},
                                               {Origin(4, 3, 3), rank_with(place, 2)},
                                               {Origin(6, 0, 0), rank_with(place, 3)}};
    expect_first_in_every_order({candidates[0], candidates[1]});
    expect_first_in_every_order({candidates[0], candidates[2]});
    expect_first_in_every_order(candidates);
  }
}

/// The left parent decides before the right one, and y before both.
TEST(SmallestRank, LooksLeftBeforeRight) {
  ProofRank left_small = rank_with(kLeft, 1);
  left_small[kRight] = 9;
  ProofRank right_small = rank_with(kLeft, 2);
  right_small[kRight] = 1;
  expect_first_in_every_order({{Origin(8, 1, 1), left_small}, {Origin(7, 1, 1), right_small}});
  ProofRank y_small = rank_with(kLeft, 9);
  y_small[0] = kY - 1;
  expect_first_in_every_order(
      {{Origin(9, 1, 1), y_small}, {Origin(8, 1, 1), left_small}, {Origin(7, 1, 1), right_small}});
}

/// A tie that a better candidate has overtaken decides nothing.
TEST(SmallestRank, ForgetsTiesOfTheBeaten) {
  ProofRank best{};
  best[0] = kY - 1;
  best[kLeft] = 0x3FFFFFF;
  expect_first_in_every_order({{Origin(9, 1, 1), best},
                               {Origin(7, 1, 1), rank_with(kRight, 1)},
                               {Origin(8, 1, 1), rank_with(kRight, 2)},
                               {Origin(3, 1, 1), rank_with(kRight, 3)}});
}

TEST(SmallestRank, HasNothingToKeepForOtherSBucketsOrSeeds) {
  const auto choice = std::make_unique<SmallestRank>();
  choice->clear();
  // The last y of all, with the last left parent of all.
  choice->offer(1, 0x3FFFFFF, 0x3FFFFFF, Origin(4439, 511, 511));
  choice->settle([](Origin) { return ProofRank{}; });
  EXPECT_TRUE(choice->match(1).has_value());
  EXPECT_FALSE(choice->match(0).has_value());
  choice->clear();
  EXPECT_FALSE(choice->match(1).has_value());
}

TEST(FirstMatch, KeepsWhatCameFirst) {
  const auto choice = std::make_unique<FirstMatch>();
  choice->clear();
  choice->offer(kSBucket, kY, 9, Origin(5, 0, 0));
  choice->offer(kSBucket, kY - 1, 1, Origin(4, 0, 0));
  choice->settle([](Origin) { return ProofRank{}; });
  EXPECT_EQ(choice->match(kSBucket).value().bits(), Origin(5, 0, 0).bits());
}

/// The rank of a proof is its tree, walked here from the leaves up, table by table.
TEST(ProofRankOfAProof, IsItsTreeInPreOrder) {
  constexpr unsigned kK = 15;
  PosSeed seed;
  seed.bytes.fill(3);
  const auto table = make_proof_table(Network::kAutonomys, kK);
  table->generate(seed);
  std::vector<std::uint8_t> proof(table->proof_size());
  table->proof(100, proof);
  const ProofRank rank = proof_rank(kK, seed, proof);

  using OfSeed = EntriesOfSeed<kK>;
  std::vector<ProofEntry> level;
  for (std::size_t i = 0; i < pos::kProofEntries; ++i) {
    level.push_back(OfSeed(seed).first(OfSeed::x_of(proof, i)));
    // The last leaf ends the sequence, each left leaf comes before its neighbour.
    const std::uint32_t x = OfSeed::x_of(proof, i);
    EXPECT_NE(std::find(rank.begin(), rank.end(), x), rank.end());
  }
  EXPECT_EQ(rank.back(), OfSeed::x_of(proof, pos::kProofEntries - 1));
  std::size_t left_most = pos::kNumTables;  // places of y along the left edge: 6, 5, ... 0
  for (unsigned number = 1; number <= pos::kNumTables; ++number) {
    EXPECT_EQ(rank[--left_most], level[0].y) << "table " << number;
    if (number == pos::kNumTables - 1) {
      EXPECT_EQ(rank[kRight], level[1].y);
    }
    std::vector<ProofEntry> next;
    for (std::size_t i = 0; i + 1 < level.size(); i += 2) {
      next.push_back(OfSeed::combine(number + 1, level[i], level[i + 1]));
    }
    level = std::move(next);
  }
}

/// Room for 512 entries where nothing is cut: the last one is kept, one more shows.
TEST(BucketArrayBounds, OneEntryMoreThanThereIsRoomForShows) {
  BucketArray<pos::AutonomysRules> buckets(3);
  buckets.reset(1);
  for (std::uint32_t i = 0; i < pos::AutonomysRules::kBucketEntries; ++i) {
    const std::uint32_t entry[2] = {i, 0};
    buckets.append<2>(1, entry);
  }
  EXPECT_FALSE(buckets.overflowed());
  EXPECT_EQ(buckets.size(1), pos::AutonomysRules::kBucketEntries);
  EXPECT_EQ(buckets.entries(1)[2 * 511], 511U);
  const std::uint32_t entry[2] = {512, 0};
  buckets.append<2>(1, entry);
  EXPECT_TRUE(buckets.overflowed());
  EXPECT_EQ(buckets.entries(2)[0], 0U);
  buckets.reset(2);
  EXPECT_FALSE(buckets.overflowed());

  BucketArray<pos::AbundanceRules> cut(1);
  cut.reset(1);
  for (std::uint32_t i = 0; i < 300; ++i) {
    cut.append<2>(0, entry);
  }
  EXPECT_FALSE(cut.overflowed());
  EXPECT_EQ(cut.size(0), pos::AbundanceRules::kBucketEntries);
}

}  // namespace
}  // namespace furrow
