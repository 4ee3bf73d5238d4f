// SPDX-License-Identifier: Apache-2.0
// Recovering pieces of a segment from any 128 of its 256 pieces
// (docs/spec/05-archiving-and-pieces.md, section 12). Every input is verified first, and what is
// rebuilt is checked against the segment root, so a result is never wrong: it is right or it is an
// error.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "furrow/errors.hpp"
#include "furrow/piece.hpp"

#include "host/archive/piece_validation.hpp"
#include "host/archive/segment_pieces.hpp"
#include "host/base/parallel_for.hpp"
#include "host/erasure/erasure_coding.hpp"

namespace furrow {

/// The 256 places of a segment in position order; null where there is no piece.
using PieceSlots = std::span<const Piece* const>;

/// An input that was left out because it is not valid.
struct RejectedPiece {
  PiecePosition position;
  /// Message of the error, which names segment and position.
  std::string reason;
};

/// Fewer than 128 valid pieces of a segment are there.
class NotEnoughPieces : public Error {
 public:
  /// `why_not_more` is empty or says what became of the others.
  NotEnoughPieces(SegmentIndex segment, std::size_t valid, const std::string& why_not_more);
  [[nodiscard]] std::size_t valid() const noexcept { return valid_; }

 private:
  std::size_t valid_;
};

/// Valid pieces gave records that do not belong to the segment: whoever archived it did not follow
/// the erasure code.
class SegmentRootMismatch : public Error {
 public:
  SegmentRootMismatch(SegmentIndex segment, const Hash& expected, const Hash& actual);
};

struct ReconstructedSegment {
  SegmentPieces pieces;
  std::vector<RejectedPiece> rejected;
};
struct ReconstructedSources {
  SourceRecords records;
  std::vector<RejectedPiece> rejected;
};
struct ReconstructedPieces {
  std::vector<PiecePtr> pieces;  ///< in the order of their positions
  std::vector<RejectedPiece> rejected;
};

/// All 256 pieces. `identity` is the segment that the inputs are verified against; fields it leaves
/// open (those of the super segment) are taken from a valid input.
///
/// All three: thread-safe; throw InvalidArgument unless there are 256 slots, NotEnoughPieces,
/// SegmentRootMismatch.
ReconstructedSegment reconstruct_segment(PieceSlots slots, const SegmentIdentity& identity,
                                         const ErasureCoding& erasure,
                                         const ComputeOptions& options = {});

/// The 128 source records: what reading history needs. Cheaper, as parity records are left alone.
ReconstructedSources reconstruct_source_records(PieceSlots slots, const SegmentIdentity& identity,
                                                const ErasureCoding& erasure,
                                                const ComputeOptions& options = {});

/// The pieces at `positions`, which are distinct. Cheapest for few of them: of the rest of the tree
/// only what no valid input proves is rebuilt.
ReconstructedPieces reconstruct_pieces(PieceSlots slots, std::span<const PiecePosition> positions,
                                       const SegmentIdentity& identity,
                                       const ErasureCoding& erasure,
                                       const ComputeOptions& options = {});

}  // namespace furrow
