// SPDX-License-Identifier: Apache-2.0
#include "host/primitives/merkle.hpp"

#include <gtest/gtest.h>

#include "furrow/core/bits.hpp"

#include "host/base/hex.hpp"

namespace furrow {
namespace {

std::vector<Hash> numbered_leaves(std::size_t n) {
  std::vector<Hash> leaves(n);
  for (std::size_t i = 0; i < n; ++i) {
    core::store_le32(leaves[i].data(), static_cast<std::uint32_t>(i));
  }
  return leaves;
}

std::span<const std::uint8_t> raw(const std::vector<Hash>& leaves) {
  return {reinterpret_cast<const std::uint8_t*>(leaves.data()), leaves.size() * kHashSize};
}

// Known answers of docs/spec/05, sections 6 and 14.
TEST(Merkle, KnownAnswers) {
  EXPECT_EQ(to_hex(merkle_node(Hash{}, Hash{}).bytes),
            "92f8b978bb94efd1ab9d8e2ac84880d850f977d44395939901aebfcdc54cb084");
  Hash one;
  one.bytes.fill(1);
  Hash two;
  two.bytes.fill(2);
  EXPECT_EQ(to_hex(merkle_node(one, two).bytes),
            "a6cc410783a3e8992148682c7a6ff603230cb94969eb4bbf607be12b7ac0206e");
  const std::pair<std::size_t, const char*> roots[] = {
      {3, "fd360b3fbbca2717fc0268a0ba069c79a7ca790af44ee494564aacb4c11f4160"},
      {5, "a4839c9b9435901af981e2bfab39ed026b7f11d3683257983fefff9f973c6e26"},
      {7, "2da19177dc46a33fe6e3a4a33d359f728eb028f455bb956155d0b32565b6a7e0"},
      {8, "3be43c29213a3e2206a4c55ac08653d0bcbf477a502794cb60a92570b49f2251"}};
  for (const auto& [n, hex] : roots) {
    EXPECT_EQ(to_hex(unbalanced_merkle_root(numbered_leaves(n))->bytes), hex) << n << " leaves";
  }
  EXPECT_EQ(
      to_hex(balanced_merkle_root(SimdMode::kBest, std::vector<std::uint8_t>(kRecordSize)).bytes),
      "f725a0a7a44b3f55447f0764f94cb2238474c9504be4d41c3e9c018eff57186a");
}

TEST(Merkle, BalancedProofsVerifyAndChangedOnesDoNot) {
  for (const std::size_t n : {2UL, 4UL, 256UL}) {
    const std::vector<Hash> leaves = numbered_leaves(n);
    const BalancedMerkleTree tree(SimdMode::kBest, leaves);
    EXPECT_EQ(tree.root(), balanced_merkle_root(SimdMode::kScalar, raw(leaves)));
    EXPECT_EQ(tree.root(), *unbalanced_merkle_root(leaves));
    for (std::size_t i = 0; i < n; ++i) {
      std::vector<Hash> proof = tree.proof(i);
      EXPECT_TRUE(verify_balanced_merkle_proof(tree.root(), proof, i, leaves[i]));
      EXPECT_FALSE(verify_balanced_merkle_proof(tree.root(), proof, i ^ 1, leaves[i]));
      EXPECT_FALSE(verify_balanced_merkle_proof(tree.root(), proof, i + n, leaves[i]));
      proof[i % proof.size()].bytes[i % kHashSize] ^= 1;
      EXPECT_FALSE(verify_balanced_merkle_proof(tree.root(), proof, i, leaves[i]));
    }
  }
}

TEST(Merkle, UnbalancedProofsMustFitExactly) {
  EXPECT_FALSE(unbalanced_merkle_root({}).has_value());
  for (std::size_t n = 1; n <= 40; ++n) {
    const std::vector<Hash> leaves = numbered_leaves(n);
    const Hash root = *unbalanced_merkle_root(leaves);
    for (std::size_t i = 0; i < n; ++i) {
      std::vector<Hash> proof = unbalanced_merkle_proof(leaves, i);
      EXPECT_TRUE(verify_unbalanced_merkle_proof(root, proof, i, leaves[i], n)) << i << " of " << n;
      EXPECT_FALSE(verify_unbalanced_merkle_proof(root, proof, n, leaves[i], n));
      if (i + 1 < n) {
        EXPECT_FALSE(verify_unbalanced_merkle_proof(root, proof, i + 1, leaves[i], n));
      }
      proof.push_back(Hash{});
      EXPECT_FALSE(verify_unbalanced_merkle_proof(root, proof, i, leaves[i], n)) << "one too many";
      proof.pop_back();
      if (!proof.empty()) {
        proof.pop_back();
        EXPECT_FALSE(verify_unbalanced_merkle_proof(root, proof, i, leaves[i], n)) << "one too few";
      }
    }
  }
  // A leaf whose path looks the same in both trees verifies with either count (docs/spec/05, 10).
  const std::vector<Hash> leaves = numbered_leaves(6);
  EXPECT_TRUE(verify_unbalanced_merkle_proof(*unbalanced_merkle_root(leaves),
                                             unbalanced_merkle_proof(leaves, 3), 3, leaves[3], 7));
}

}  // namespace
}  // namespace furrow
