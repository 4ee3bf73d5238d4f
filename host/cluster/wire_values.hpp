// SPDX-License-Identifier: Apache-2.0
// Values that several messages carry (docs/spec/07-cluster-protocol.md, sections 7 and 8).
#pragma once

#include <chrono>
#include <cstdint>

#include "furrow/piece.hpp"

#include "host/cluster/message.hpp"
#include "host/plotting/plotted_sector.hpp"

namespace furrow::cluster {

/// u64 seconds, then u32 nanoseconds, below 10^9: 12 bytes.
struct Duration {
  std::uint64_t seconds = 0;
  std::uint32_t nanoseconds = 0;
  bool operator==(const Duration&) const = default;

  /// What is below zero becomes zero.
  static Duration from(std::chrono::nanoseconds time);
  [[nodiscard]] std::chrono::duration<double> time() const {
    return std::chrono::duration<double>(static_cast<double>(seconds) + 1e-9 * nanoseconds);
  }

  static void visit(auto& self, auto& field) {
    field("seconds", self.seconds);
    field("nanoseconds", self.nanoseconds);
  }
  void check(MessageReader& in) const;
};

/// A piece and a share in its memory: compact length `62 0f 40 00`, then 1049560 bytes. Equal when
/// the bytes are.
struct SharedPiece {
  PiecePtr piece;
  bool operator==(const SharedPiece& other) const;
};

template <>
struct CodecOf<SharedPiece> {
  /// Pre: there is a piece.
  static void encode(const SharedPiece& value, ScaleWriter& out);
  static void decode(SharedPiece& value, MessageReader& in);
};

/// As it is on its own (host/plotting/plotted_sector.hpp).
template <>
struct CodecOf<PlottedSector> {
  static void encode(const PlottedSector& value, ScaleWriter& out);
  static void decode(PlottedSector& value, MessageReader& in);
};

/// u64 piece index, then the piece.
struct IndexedPiece {
  PieceIndex piece_index;
  SharedPiece piece;
  bool operator==(const IndexedPiece&) const = default;
  static void visit(auto& self, auto& field) {
    field("piece index", self.piece_index);
    field("piece", self.piece);
  }
};

}  // namespace furrow::cluster
