// SPDX-License-Identifier: Apache-2.0
// Pieces: the unit of archived history (docs/spec/05-archiving-and-pieces.md, section 9).
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <memory>
#include <type_traits>

#include "furrow/types.hpp"

namespace furrow {

/// An unsigned integer stored little-endian, without alignment.
template <class T>
class LittleEndian {
 public:
  constexpr LittleEndian() = default;
  constexpr LittleEndian(T value) {  // NOLINT(google-explicit-constructor): it is the value
    for (std::size_t i = 0; i < sizeof(T); ++i) {
      bytes_[i] = static_cast<std::uint8_t>(value >> (8 * i));
    }
  }
  [[nodiscard]] constexpr T value() const {
    T result = 0;
    for (std::size_t i = 0; i < sizeof(T); ++i) {
      result = static_cast<T>(result | static_cast<T>(static_cast<T>(bytes_[i]) << (8 * i)));
    }
    return result;
  }
  constexpr bool operator==(const LittleEndian&) const = default;

 private:
  std::array<std::uint8_t, sizeof(T)> bytes_{};
};

/// 984 bytes in front of the record. The memory image is the wire format.
///
///      0  u32  shard index               24  root of the segment        696  root of the parity
///      chunks 4  u64  local segment index       56  segment proof, 20 hashes   728  record proof,
///      8 hashes
///     12  u64  super segment index           (unused ones zero)
///     20  u32  segment position
struct PieceHeader {
  LittleEndian<std::uint32_t> shard_index;
  LittleEndian<std::uint64_t> local_segment_index;
  LittleEndian<std::uint64_t> super_segment_index;
  LittleEndian<std::uint32_t> segment_position;
  Hash segment_root;
  std::array<Hash, kSegmentProofHashes> segment_proof{};
  Hash parity_chunks_root;
  std::array<Hash, kRecordProofHashes> record_proof{};
  bool operator==(const PieceHeader&) const = default;
};
static_assert(sizeof(PieceHeader) == kPieceHeaderSize && alignof(PieceHeader) == 1);

/// Header and record, 1049560 bytes, no padding. It names neither its index nor its position.
struct Piece {
  PieceHeader header;
  Record record;
};
static_assert(sizeof(Piece) == kPieceSize && alignof(Piece) == 1);
static_assert(std::is_trivially_copyable_v<Piece>);

/// A piece and a share in its memory, wherever that is: on the heap, in a pool, in a cache. What is
/// shared does not change.
using PiecePtr = std::shared_ptr<const Piece>;

/// What a sector keeps of a piece beside its record: the header and the hash of the whole piece.
struct RecordMetadata {
  PieceHeader piece_header;
  Hash piece_checksum;
  bool operator==(const RecordMetadata&) const = default;
};
static_assert(sizeof(RecordMetadata) == kRecordMetadataSize && alignof(RecordMetadata) == 1);

}  // namespace furrow
