// SPDX-License-Identifier: Apache-2.0
// What makes a piece valid (docs/spec/05-archiving-and-pieces.md, section 10).
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "furrow/errors.hpp"
#include "furrow/piece.hpp"

#include "host/base/simd_mode.hpp"
#include "host/primitives/segment_header.hpp"

namespace furrow {

/// Base of the errors about pieces that are not what they were asked for as.
class InvalidPiece : public Error {
 public:
  using Error::Error;
};
/// The segment named by the header is not in the super segment.
class InvalidSegmentProof : public InvalidPiece {
 public:
  explicit InvalidSegmentProof(PieceIndex index);
};
/// Record, root of the parity chunks, or record proof do not lead to the segment root.
class InvalidRecordProof : public InvalidPiece {
 public:
  explicit InvalidRecordProof(PieceIndex index);
};
/// A header field names another segment, shard or super segment than the one asked for.
class MisplacedPiece : public InvalidPiece {
 public:
  MisplacedPiece(PieceIndex index, const std::string& field, const std::string& expected,
                 const std::string& actual);
};

/// What is known of a segment whose pieces are to be checked.
struct SegmentIdentity {
  SegmentIndex segment;
  ShardIndex shard;
  LocalSegmentIndex local_index;
  Hash root;
  /// The super segment that holds it, where known; without it the segment proof is not checked.
  std::optional<SuperSegmentHeader> super_segment;
};

/// "piece 513 (segment 2, position 1)".
std::string describe_piece(PieceIndex index);

/// The rule of section 10. `super_segment_root` and `num_segments` belong to the super segment that
/// the header names.
bool is_valid_piece(SimdMode mode, const Piece& piece, const Hash& super_segment_root,
                    std::uint32_t num_segments, PiecePosition position);

/// The same with an error that says what is wrong (InvalidSegmentProof, InvalidRecordProof), and
/// the strict relation on top: the header must name the super segment `header`, and the position in
/// it that belongs to `index` (MisplacedPiece).
void verify_piece(SimdMode mode, const Piece& piece, PieceIndex index,
                  const SuperSegmentHeader& header);

/// Checks a piece against a known segment: shard, local index and segment root in its header,
/// record proof, and, when the identity has a super segment, all of verify_piece. Returns the
/// record root. Throws MisplacedPiece, InvalidSegmentProof or InvalidRecordProof.
Hash verify_piece_of_segment(SimdMode mode, const Piece& piece, PiecePosition position,
                             const SegmentIdentity& identity);

/// What a valid piece says about its segment. `segment` is the global index that it was asked for
/// as.
SegmentIdentity segment_identity_of(const Piece& piece, SegmentIndex segment);

}  // namespace furrow
