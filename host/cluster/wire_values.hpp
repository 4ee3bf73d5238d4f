// SPDX-License-Identifier: Apache-2.0
// Values that several messages carry (docs/spec/07-cluster-protocol.md, sections 7 and 8).
#pragma once

#include <chrono>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>

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

/// A piece of type P and a share in its memory: compact length (`62 0f 40 00` for Abundance,
/// `82 01 40 00` for Autonomys), then the bytes. Equal when the bytes are.
template <class P>
struct SharedPieceOf {
  std::shared_ptr<const P> piece;
  bool operator==(const SharedPieceOf& other) const {
    if (piece == nullptr || other.piece == nullptr) {
      return piece == other.piece;
    }
    return std::memcmp(piece.get(), other.piece.get(), sizeof(P)) == 0;
  }
};

template <class P>
struct CodecOf<SharedPieceOf<P>> {
  /// Pre: there is a piece.
  static void encode(const SharedPieceOf<P>& value, ScaleWriter& out) {
    out.byte_string(bytes_of(*value.piece));
  }
  static void decode(SharedPieceOf<P>& value, MessageReader& in) {
    const std::span<const std::uint8_t> bytes = in.byte_string();
    if (bytes.size() != sizeof(P)) {
      in.refuse(std::to_string(sizeof(P)) + " bytes", std::to_string(bytes.size()));
    }
    if (!in.keeps_bytes()) {
      return;
    }
    const auto piece = std::make_shared_for_overwrite<P>();
    std::memcpy(piece.get(), bytes.data(), bytes.size());
    value.piece = piece;
  }
};

/// As it is on its own (host/plotting/plotted_sector.hpp).
template <>
struct CodecOf<PlottedSector> {
  static void encode(const PlottedSector& value, ScaleWriter& out);
  static void decode(PlottedSector& value, MessageReader& in);
};

/// u64 piece index, then the piece.
template <class P>
struct IndexedPieceOf {
  PieceIndex piece_index;
  SharedPieceOf<P> piece;
  bool operator==(const IndexedPieceOf&) const = default;
  static void visit(auto& self, auto& field) {
    field("piece index", self.piece_index);
    field("piece", self.piece);
  }
};

using SharedPiece = SharedPieceOf<Piece>;
using IndexedPiece = IndexedPieceOf<Piece>;

}  // namespace furrow::cluster
