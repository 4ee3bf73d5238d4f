// SPDX-License-Identifier: Apache-2.0
// The engine against the slow reference, on random seeds and every small K.
#include <algorithm>
#include <random>

#include <gtest/gtest.h>

#include "host/pos/proof_table.hpp"
#include "tests/reference/pos_reference.hpp"
#include "tests/support/simd_targets.hpp"

namespace furrow {
namespace {

PosSeed random_seed(std::mt19937_64& random) {
  PosSeed seed;
  for (std::uint8_t& byte : seed.bytes) {
    byte = static_cast<std::uint8_t>(random());
  }
  return seed;
}

void expect_equal(const ProofTable& table, const reference::PosProofs& expected) {
  ASSERT_EQ(table.num_proofs(), expected.proofs.size());
  EXPECT_TRUE(std::equal(expected.found_proofs.begin(), expected.found_proofs.end(),
                         table.found_proofs().begin()));
  std::vector<Hash> hashes(table.num_proofs());
  table.proof_hashes(hashes);
  std::vector<std::uint8_t> proof(table.proof_size());
  for (std::size_t i = 0; i < expected.proofs.size(); ++i) {
    table.proof(i, proof);
    ASSERT_EQ(proof, expected.proofs[i]) << "proof " << i;
    ASSERT_EQ(hashes[i].bytes, expected.proof_hashes[i]) << "proof hash " << i;
    ASSERT_EQ(table.proof_index(SBucket(expected.s_buckets[i])), i);
  }
}

struct Case {
  Network network;
  unsigned k;
};

reference::PosProofs reference_proofs(const Case& what, const PosSeed& seed) {
  return what.network == Network::kAbundance ? reference::pos_proofs(what.k, seed.bytes)
                                             : reference::autonomys_pos_proofs(what.k, seed.bytes);
}

class PosDifferential : public testing::TestWithParam<Case> {};

TEST_P(PosDifferential, EngineAgreesWithReference) {
  const unsigned seed_of_test = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed_of_test));
  std::mt19937_64 random(seed_of_test);
  const PosSeed seed = random_seed(random);
  const reference::PosProofs expected = reference_proofs(GetParam(), seed);
  test::for_each_simd_target([&] {
    const auto table = make_proof_table(GetParam().network, GetParam().k);
    table->generate(random_seed(random));  // what another seed leaves behind must not show
    table->generate(seed);
    expect_equal(*table, expected);
  });
}

TEST_P(PosDifferential, ProofsVerifyAndChangedOnesDoNot) {
  const auto [network, k] = GetParam();
  const unsigned seed_of_test = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed_of_test));
  std::mt19937_64 random(seed_of_test);
  const PosSeed seed = random_seed(random);
  const auto table = make_proof_table(network, k);
  table->generate(seed);
  std::vector<std::uint8_t> proof(table->proof_size());
  std::size_t index = 0;
  for (std::size_t s = 0; s < kNumSBuckets; ++s) {
    const SBucket s_bucket(static_cast<std::uint16_t>(s));
    if (!table->proof_index(s_bucket).has_value() || index++ % 999 != 0) {
      continue;
    }
    table->proof(index - 1, proof);
    EXPECT_TRUE(is_proof_valid(network, k, seed, s_bucket, proof));
    const SBucket next(static_cast<std::uint16_t>(s + 1));
    EXPECT_FALSE(is_proof_valid(network, k, seed, next, proof));
    EXPECT_FALSE(
        is_proof_valid(network, k, seed, s_bucket, std::span(proof).first(proof.size() - 1)));
    proof[random() % proof.size()] ^= static_cast<std::uint8_t>(1U << (random() % 8));
    EXPECT_FALSE(is_proof_valid(network, k, seed, s_bucket, proof));
  }
}

std::string name_of(const testing::TestParamInfo<Case>& info) {
  return std::string(traits_of(info.param.network).name) + "_" + std::to_string(info.param.k);
}

INSTANTIATE_TEST_SUITE_P(
    SmallK, PosDifferential,
    testing::Values(Case{Network::kAbundance, 15}, Case{Network::kAbundance, 16},
                    Case{Network::kAbundance, 17}, Case{Network::kAutonomys, 15},
                    Case{Network::kAutonomys, 16}, Case{Network::kAutonomys, 17}),
    name_of);

}  // namespace
}  // namespace furrow
