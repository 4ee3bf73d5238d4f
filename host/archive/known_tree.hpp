// SPDX-License-Identifier: Apache-2.0
// What is known of the tree over the 256 record roots of a segment.
//
// Nodes are numbered as in a heap: 1 is the segment root, node i has the children 2i and 2i + 1,
// record root p is node 256 + p. A verified piece makes known the nodes on its path and their
// siblings. Hence a node is unknown only if no verified piece lies below it, and the lowest known
// node above a missing record covers missing records only: checking those against it checks them
// against the root.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "furrow/piece.hpp"

namespace furrow {

/// Thread-compatible.
class KnownTree {
 public:
  explicit KnownTree(const Hash& segment_root);

  /// Takes in a record root whose proof was verified against the segment root.
  void add_verified(PiecePosition position, const Hash& record_root,
                    std::span<const Hash, kRecordProofHashes> proof);

  /// Lowest known node at or above record root `position`.
  [[nodiscard]] std::size_t lowest_known(PiecePosition position) const;
  /// Positions of the record roots below `node`: first, and one past the last.
  [[nodiscard]] static std::pair<std::size_t, std::size_t> positions_below(std::size_t node);

  /// Computes everything below known `node` from the record roots given for the positions below it.
  /// Returns the segment root that follows from them, the known one if they are right.
  Hash fill_below(std::size_t node, std::span<const Hash, kNumPieces> record_roots);

  /// Pre: the siblings on the path are known.
  [[nodiscard]] std::array<Hash, kRecordProofHashes> proof(PiecePosition position) const;

 private:
  Hash fill(std::size_t node, std::span<const Hash, kNumPieces> record_roots);

  std::array<std::optional<Hash>, 2 * kNumPieces> nodes_;
};

}  // namespace furrow
