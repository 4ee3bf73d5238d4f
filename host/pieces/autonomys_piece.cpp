// SPDX-License-Identifier: Apache-2.0
#include "host/pieces/autonomys_piece.hpp"

#include <optional>
#include <string>

#include "host/base/hex.hpp"
#include "host/erasure/fr_erasure_coding.hpp"

namespace furrow {

InvalidRecordChunk::InvalidRecordChunk(PieceIndex index, std::size_t chunk,
                                       const RecordChunk& actual)
    : InvalidPiece(ErrorKind::kCorrupt,
                   "piece " + std::to_string(index.value()) + ": chunk " + std::to_string(chunk) +
                       " of its record: expected a number below the modulus of BLS12-381's scalar "
                       "field, actual " +
                       to_hex(actual.bytes),
                   {.piece_index = index.value(), .actual = to_hex(actual.bytes)}) {}

void check_record_chunks(PieceIndex index, const AutonomysPiece& piece) {
  if (const std::optional<std::size_t> chunk = first_invalid_fr(piece.record)) {
    throw InvalidRecordChunk(index, *chunk, piece.record[*chunk]);
  }
}

}  // namespace furrow
