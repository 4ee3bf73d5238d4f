// SPDX-License-Identifier: Apache-2.0
#include "host/primitives/merkle.hpp"

#include <algorithm>
#include <string_view>

#include "host/crypto/blake3.hpp"
#include "host/crypto/blake3_many.hpp"

namespace furrow {
namespace {

const Hash& inner_node_key() {
  static const Hash kKey = [] {
    static constexpr std::string_view kText = "merkle-tree-inner-node";
    return blake3({reinterpret_cast<const std::uint8_t*>(kText.data()), kText.size()});
  }();
  return kKey;
}

/// One level up: pairs are joined, an odd node at the end moves up unchanged.
std::vector<Hash> parents_of(std::span<const Hash> level) {
  std::vector<Hash> parents;
  parents.reserve((level.size() + 1) / 2);
  for (std::size_t i = 0; i + 1 < level.size(); i += 2) {
    parents.push_back(merkle_node(level[i], level[i + 1]));
  }
  if (level.size() % 2 != 0) {
    parents.push_back(level.back());
  }
  return parents;
}

std::span<const std::uint8_t> raw(std::span<const Hash> hashes) {
  return {reinterpret_cast<const std::uint8_t*>(hashes.data()), hashes.size_bytes()};
}

}  // namespace

Hash merkle_node(const Hash& left, const Hash& right) {
  std::array<std::uint8_t, 2 * kHashSize> message;
  std::copy(left.begin(), left.end(), message.begin());
  std::copy(right.begin(), right.end(), message.begin() + kHashSize);
  return blake3_keyed(inner_node_key(), message);
}

Hash balanced_merkle_root(SimdMode mode, std::span<const std::uint8_t> leaves) {
  std::vector<Hash> level(leaves.size() / kHashSize / 2);
  blake3_many_keyed(mode, inner_node_key(), leaves, 2 * kHashSize, level);
  while (level.size() > 1) {
    // Each node is written below its children, so a level can be reduced in place.
    const std::size_t n_parents = level.size() / 2;
    blake3_many_keyed(mode, inner_node_key(), raw(level), 2 * kHashSize,
                      std::span(level).first(n_parents));
    level.resize(n_parents);
  }
  return level.front();
}

BalancedMerkleTree::BalancedMerkleTree(SimdMode mode, std::span<const Hash> leaves) {
  levels_.emplace_back(leaves.begin(), leaves.end());
  while (levels_.back().size() > 1) {
    std::vector<Hash> parents(levels_.back().size() / 2);
    blake3_many_keyed(mode, inner_node_key(), raw(levels_.back()), 2 * kHashSize, parents);
    levels_.push_back(std::move(parents));
  }
}

std::vector<Hash> BalancedMerkleTree::proof(std::size_t index) const {
  std::vector<Hash> siblings;
  for (std::size_t level = 0; level + 1 < levels_.size(); ++level, index /= 2) {
    siblings.push_back(levels_[level][index ^ 1]);
  }
  return siblings;
}

bool verify_balanced_merkle_proof(const Hash& root, std::span<const Hash> proof,
                                  std::uint64_t index, const Hash& leaf) {
  if (proof.size() >= 64 || (index >> proof.size()) != 0) {
    return false;
  }
  Hash current = leaf;
  for (const Hash& sibling : proof) {
    current = index % 2 == 0 ? merkle_node(current, sibling) : merkle_node(sibling, current);
    index /= 2;
  }
  return current == root;
}

std::optional<Hash> unbalanced_merkle_root(std::span<const Hash> leaves) {
  if (leaves.empty()) {
    return std::nullopt;
  }
  std::vector<Hash> level(leaves.begin(), leaves.end());
  while (level.size() > 1) {
    level = parents_of(level);
  }
  return level.front();
}

std::vector<Hash> unbalanced_merkle_proof(std::span<const Hash> leaves, std::size_t index) {
  std::vector<Hash> siblings;
  std::vector<Hash> level(leaves.begin(), leaves.end());
  for (; level.size() > 1; index /= 2, level = parents_of(level)) {
    const std::size_t sibling = index ^ 1;
    if (sibling < level.size()) {
      siblings.push_back(level[sibling]);
    }
  }
  return siblings;
}

bool verify_unbalanced_merkle_proof(const Hash& root, std::span<const Hash> proof,
                                    std::uint64_t index, const Hash& leaf,
                                    std::uint64_t num_leaves) {
  if (index >= num_leaves) {
    return false;
  }
  Hash current = leaf;
  std::size_t used = 0;
  for (std::uint64_t size = num_leaves; size > 1; size = size / 2 + size % 2, index /= 2) {
    const bool is_last_without_sibling = index % 2 == 0 && index == size - 1;
    if (is_last_without_sibling) {
      continue;
    }
    if (used == proof.size()) {
      return false;
    }
    current =
        index % 2 == 0 ? merkle_node(current, proof[used]) : merkle_node(proof[used], current);
    ++used;
  }
  return used == proof.size() && current == root;
}

}  // namespace furrow
