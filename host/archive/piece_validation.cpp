// SPDX-License-Identifier: Apache-2.0
#include "host/archive/piece_validation.hpp"

#include "host/archive/segment_builder.hpp"
#include "host/archive/super_segment.hpp"
#include "host/base/hex.hpp"
#include "host/primitives/merkle.hpp"

namespace furrow {
namespace {

bool is_in_super_segment(const PieceHeader& header, const Hash& super_segment_root,
                         std::uint32_t num_segments) {
  const Hash leaf = ShardSegmentRootWithPosition{header.shard_index, header.segment_position,
                                                 header.local_segment_index, header.segment_root}
                        .hash();
  return verify_unbalanced_merkle_proof(super_segment_root, used_part(header.segment_proof),
                                        header.segment_position.value(), leaf, num_segments);
}

bool is_in_segment(const PieceHeader& header, PiecePosition position, const Hash& leaf) {
  return verify_balanced_merkle_proof(header.segment_root, header.record_proof, position.value(),
                                      leaf);
}

void require_equal(PieceIndex index, const std::string& field, std::uint64_t expected,
                   std::uint64_t actual) {
  if (expected != actual) {
    throw MisplacedPiece(index, field, std::to_string(expected), std::to_string(actual));
  }
}

void verify_super_segment_fields(PieceIndex index, const PieceHeader& header, SegmentIndex segment,
                                 const SuperSegmentHeader& super_segment) {
  require_equal(index, "super segment index", super_segment.index.value(),
                header.super_segment_index.value());
  if (!is_in_super_segment(header, super_segment.root, super_segment.num_segments.value())) {
    throw InvalidSegmentProof(index);
  }
  const SegmentPosition position(header.segment_position.value());
  require_equal(index, "segment index", segment.value(),
                segment_index_in(super_segment, position).value());
}

Hash verify_record(PieceIndex index, SimdMode mode, const Piece& piece, PiecePosition position) {
  const Hash root = record_root(mode, piece.record, piece.header.parity_chunks_root);
  if (!is_in_segment(piece.header, position, root)) {
    throw InvalidRecordProof(index);
  }
  return root;
}

}  // namespace

InvalidSegmentProof::InvalidSegmentProof(PieceIndex index)
    : InvalidPiece(
          ErrorKind::kCorrupt,
          describe_piece(index) +
              ": the segment proof does not lead to the root of the super segment",
          {.piece_index = index.value(), .segment_index = segment_index_of(index).value()}) {}

InvalidRecordProof::InvalidRecordProof(PieceIndex index)
    : InvalidPiece(
          ErrorKind::kCorrupt,
          describe_piece(index) + ": the record proof does not lead to the segment root",
          {.piece_index = index.value(), .segment_index = segment_index_of(index).value()}) {}

MisplacedPiece::MisplacedPiece(PieceIndex index, const std::string& field,
                               const std::string& expected, const std::string& actual)
    : InvalidPiece(
          ErrorKind::kMismatch,
          describe_piece(index) + ": expected " + field + " " + expected + ", actual " + actual,
          {.piece_index = index.value(),
           .segment_index = segment_index_of(index).value(),
           .expected = expected,
           .actual = actual}) {}

std::string describe_piece(PieceIndex index) {
  return "piece " + std::to_string(index.value()) + " (segment " +
         std::to_string(segment_index_of(index).value()) + ", position " +
         std::to_string(position_of(index).value()) + ")";
}

bool is_valid_piece(SimdMode mode, const Piece& piece, const Hash& super_segment_root,
                    std::uint32_t num_segments, PiecePosition position) {
  return is_in_super_segment(piece.header, super_segment_root, num_segments) &&
         is_in_segment(piece.header, position,
                       record_root(mode, piece.record, piece.header.parity_chunks_root));
}

void verify_piece(SimdMode mode, const Piece& piece, PieceIndex index,
                  const SuperSegmentHeader& header) {
  verify_super_segment_fields(index, piece.header, segment_index_of(index), header);
  verify_record(index, mode, piece, position_of(index));
}

Hash verify_piece_of_segment(SimdMode mode, const Piece& piece, PiecePosition position,
                             const SegmentIdentity& identity) {
  const PieceHeader& header = piece.header;
  const PieceIndex index = piece_index_at(identity.segment, position);
  require_equal(index, "shard index", identity.shard.value(), header.shard_index.value());
  require_equal(index, "local segment index", identity.local_index.value(),
                header.local_segment_index.value());
  if (header.segment_root != identity.root) {
    throw MisplacedPiece(index, "segment root", to_hex(identity.root.bytes),
                         to_hex(header.segment_root.bytes));
  }
  if (identity.super_segment) {
    verify_super_segment_fields(index, header, identity.segment, *identity.super_segment);
  }
  return verify_record(index, mode, piece, position);
}

SegmentIdentity segment_identity_of(const Piece& piece, SegmentIndex segment) {
  return {segment, ShardIndex(piece.header.shard_index.value()),
          LocalSegmentIndex(piece.header.local_segment_index.value()), piece.header.segment_root,
          std::nullopt};
}

}  // namespace furrow
