// SPDX-License-Identifier: Apache-2.0
#include "host/archive/known_tree.hpp"

#include <bit>

#include "host/primitives/merkle.hpp"

namespace furrow {

KnownTree::KnownTree(const Hash& segment_root) {
  nodes_[1] = segment_root;
}

void KnownTree::add_verified(PiecePosition position, const Hash& record_root,
                             std::span<const Hash, kRecordProofHashes> proof) {
  std::size_t node = kNumPieces + position.value();
  Hash value = record_root;
  for (const Hash& sibling : proof) {
    nodes_[node] = value;
    nodes_[node ^ 1] = sibling;
    value = node % 2 == 0 ? merkle_node(value, sibling) : merkle_node(sibling, value);
    node /= 2;
  }
}

std::size_t KnownTree::lowest_known(PiecePosition position) const {
  std::size_t node = kNumPieces + position.value();
  while (!nodes_[node]) {
    node /= 2;
  }
  return node;
}

std::pair<std::size_t, std::size_t> KnownTree::positions_below(std::size_t node) {
  const auto height =
      static_cast<unsigned>(std::bit_width(2 * kNumPieces - 1) - std::bit_width(node));
  const std::size_t first = (node << height) - kNumPieces;
  return {first, first + (std::size_t{1} << height)};
}

Hash KnownTree::fill_below(std::size_t node, std::span<const Hash, kNumPieces> record_roots) {
  const Hash known = *nodes_[node];
  Hash value = fill(node, record_roots);
  if (value == known) {
    return *nodes_[1];
  }
  for (; node > 1; node /= 2) {
    const Hash& sibling = *nodes_[node ^ 1];
    value = node % 2 == 0 ? merkle_node(value, sibling) : merkle_node(sibling, value);
  }
  return value;
}

Hash KnownTree::fill(std::size_t node, std::span<const Hash, kNumPieces> record_roots) {
  const Hash value = node >= kNumPieces ? record_roots[node - kNumPieces]
                                        : merkle_node(fill(2 * node, record_roots),
                                                      fill(2 * node + 1, record_roots));
  nodes_[node] = value;
  return value;
}

std::array<Hash, kRecordProofHashes> KnownTree::proof(PiecePosition position) const {
  std::array<Hash, kRecordProofHashes> siblings;
  std::size_t node = kNumPieces + position.value();
  for (Hash& sibling : siblings) {
    sibling = *nodes_[node ^ 1];
    node /= 2;
  }
  return siblings;
}

}  // namespace furrow
