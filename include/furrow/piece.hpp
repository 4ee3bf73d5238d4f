// SPDX-License-Identifier: Apache-2.0
// Pieces: the unit of archived history (docs/spec/05-archiving-and-pieces.md, section 9;
// docs/spec/09-autonomys.md, sections 3.3 and 8.2). Those of each network have a type of their own, so
// that none is taken for another.
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

/// A piece of Abundance: header and record, 1049560 bytes, no padding. It names neither its index nor its position.
struct Piece {
  PieceHeader header;
  Record record;
};
static_assert(sizeof(Piece) == kPieceSize && alignof(Piece) == 1);
static_assert(std::is_trivially_copyable_v<Piece>);

/// A compressed point of the group G1 of BLS12-381: a commitment or a witness. Opaque here.
using G1Point = FixedBytes<struct G1PointTag, kG1PointSize>;

/// A piece of Autonomys: record, commitment to it, and witness of that in its segment, 1048672 bytes.
struct AutonomysPiece {
  Record record;
  G1Point record_commitment;
  G1Point record_witness;
};
static_assert(sizeof(AutonomysPiece) == kAutonomysTraits.piece_size());
static_assert(alignof(AutonomysPiece) == 1 && std::is_trivially_copyable_v<AutonomysPiece>);

/// The network whose pieces are of type P.
template <class P>
inline constexpr Network kNetworkOf = Network::kAbundance;
template <>
inline constexpr Network kNetworkOf<AutonomysPiece> = Network::kAutonomys;

/// A piece and a share in its memory, wherever that is: on the heap, in a pool, in a cache. What is
/// shared does not change.
using PiecePtr = std::shared_ptr<const Piece>;
using AutonomysPiecePtr = std::shared_ptr<const AutonomysPiece>;

/// What a sector keeps of a piece beside its record: the header and the hash of the whole piece.
struct RecordMetadata {
  PieceHeader piece_header;
  Hash piece_checksum;
  bool operator==(const RecordMetadata&) const = default;
};
static_assert(sizeof(RecordMetadata) == kRecordMetadataSize && alignof(RecordMetadata) == 1);

/// The same for Autonomys.
struct AutonomysRecordMetadata {
  G1Point record_commitment;
  G1Point record_witness;
  Hash piece_checksum;
  bool operator==(const AutonomysRecordMetadata&) const = default;
};
static_assert(sizeof(AutonomysRecordMetadata) == kAutonomysTraits.record_metadata_size() &&
              alignof(AutonomysRecordMetadata) == 1);

/// Record metadata of a piece whose BLAKE3 is `checksum`.
inline RecordMetadata record_metadata_of(const Piece& piece, const Hash& checksum) {
  return {piece.header, checksum};
}
inline AutonomysRecordMetadata record_metadata_of(const AutonomysPiece& piece,
                                                  const Hash& checksum) {
  return {piece.record_commitment, piece.record_witness, checksum};
}
/// The way back: everything of the piece but its record.
inline void set_from_record_metadata(Piece& piece, const RecordMetadata& metadata) {
  piece.header = metadata.piece_header;
}
inline void set_from_record_metadata(AutonomysPiece& piece,
                                     const AutonomysRecordMetadata& metadata) {
  piece.record_commitment = metadata.record_commitment;
  piece.record_witness = metadata.record_witness;
}

}  // namespace furrow
