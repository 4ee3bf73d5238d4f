// SPDX-License-Identifier: Apache-2.0
// A piece for tests that need no real one, and what makes two pieces the same.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>

#include "furrow/piece_getter.hpp"

namespace furrow::test {

/// A piece that its index fixes, with a period that is coprime to every size in it.
inline PiecePtr made_up_piece(PieceIndex index) {
  auto piece = std::make_shared<Piece>();
  const std::span<std::uint8_t> bytes = mutable_bytes_of(*piece);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    bytes[i] = static_cast<std::uint8_t>((i + 17 * index.value()) % 251);
  }
  std::memcpy(bytes.data(), &index, sizeof index);
  return piece;
}

inline bool same_piece(const Piece& a, const Piece& b) {
  return std::memcmp(&a, &b, sizeof(Piece)) == 0;
}

}  // namespace furrow::test
