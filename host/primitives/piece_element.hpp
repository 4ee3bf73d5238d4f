// SPDX-License-Identifier: Apache-2.0
// A piece with its index and a checksum: the element of piece caches (docs/spec/06-farm-format.md,
// sections 2.6 and 2.7).
//
//         0  u64  piece index
//         8       piece, 1049560 bytes
//   1049568       BLAKE3 of the bytes before, 32 bytes
#pragma once

#include <cstdint>
#include <span>

#include "furrow/piece.hpp"

namespace furrow {

struct PieceElement {
  LittleEndian<std::uint64_t> piece_index;
  Piece piece;
  Hash checksum;

  /// Sets the checksum from the other members.
  void seal();
  /// Throws ChecksumMismatch, naming `what`, when the checksum is not that of the other members.
  void verify_checksum(const std::string& what) const;
};
inline constexpr std::size_t kPieceElementSize = 8 + kPieceSize + kHashSize;
static_assert(sizeof(PieceElement) == kPieceElementSize && alignof(PieceElement) == 1);

}  // namespace furrow
