// SPDX-License-Identifier: Apache-2.0
// Merkle trees (docs/spec/05-archiving-and-pieces.md, section 3). Leaves are 32-byte values used as
// they are; an inner node is keyed BLAKE3 of left || right.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "furrow/types.hpp"

#include "host/base/simd_mode.hpp"

namespace furrow {

Hash merkle_node(const Hash& left, const Hash& right);

/// Root of the balanced tree over the leaves, 32 bytes each, back to back.
/// Pre: the number of leaves is a power of two, at least 2.
Hash balanced_merkle_root(SimdMode mode, std::span<const std::uint8_t> leaves);

/// A balanced tree with all its levels kept, for proofs.
class BalancedMerkleTree {
 public:
  /// Pre: as for balanced_merkle_root.
  BalancedMerkleTree(SimdMode mode, std::span<const Hash> leaves);
  [[nodiscard]] const Hash& root() const { return levels_.back().front(); }
  /// Siblings of leaf `index`, bottom level first. Pre: index < number of leaves.
  [[nodiscard]] std::vector<Hash> proof(std::size_t index) const;

 private:
  std::vector<std::vector<Hash>> levels_;  // leaves first, root last
};

/// Whether `leaf` is leaf `index` of the balanced tree of 2^proof.size() leaves with this root.
bool verify_balanced_merkle_proof(const Hash& root, std::span<const Hash> proof,
                                  std::uint64_t index, const Hash& leaf);

/// Root of the tree over any number of leaves; none when there are no leaves.
std::optional<Hash> unbalanced_merkle_root(std::span<const Hash> leaves);
/// Siblings bottom first; levels at which the node has no sibling contribute nothing.
/// Pre: index < leaves.size().
std::vector<Hash> unbalanced_merkle_proof(std::span<const Hash> leaves, std::size_t index);
/// Whether `leaf` is leaf `index` of the tree of `num_leaves` leaves. Every element must be used.
bool verify_unbalanced_merkle_proof(const Hash& root, std::span<const Hash> proof,
                                    std::uint64_t index, const Hash& leaf,
                                    std::uint64_t num_leaves);

}  // namespace furrow
