// SPDX-License-Identifier: Apache-2.0
// What can be checked of a piece of Autonomys without that network's commitments
// (docs/spec/09-autonomys.md, section 3.2).
#pragma once

#include <cstddef>

#include "furrow/piece.hpp"

#include "host/archive/piece_validation.hpp"

namespace furrow {

/// A chunk of the record is no element of the field, so that nobody could encode it.
class InvalidRecordChunk : public InvalidPiece {
 public:
  /// `chunk` is its place in the record.
  InvalidRecordChunk(PieceIndex index, std::size_t chunk, const RecordChunk& actual);
};

/// Throws InvalidRecordChunk for the first chunk that is none.
void check_record_chunks(PieceIndex index, const AutonomysPiece& piece);

}  // namespace furrow
