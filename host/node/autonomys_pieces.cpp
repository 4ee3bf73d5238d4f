// SPDX-License-Identifier: Apache-2.0
#include "host/node/autonomys_pieces.hpp"

#include <string>
#include <utility>

#include "host/base/hex.hpp"
#include "host/erasure/fr_erasure_coding.hpp"

namespace furrow::node {

InvalidRecordChunk::InvalidRecordChunk(PieceIndex index, std::size_t chunk,
                                       const RecordChunk& actual)
    : InvalidPiece(ErrorKind::kCorrupt,
                   "piece " + std::to_string(index.value()) + ": chunk " + std::to_string(chunk) +
                       " of its record: expected a number below the modulus of BLS12-381's scalar "
                       "field, actual " +
                       to_hex(actual.bytes),
                   {.piece_index = index.value(), .actual = to_hex(actual.bytes)}) {}

std::unique_ptr<ClusterPieces<AutonomysPiece>> make_autonomys_pieces(cluster::Bus& bus,
                                                                     ClusterPiecesOptions options) {
  return std::make_unique<ClusterPieces<AutonomysPiece>>(
      bus,
      [](PieceIndex index, const AutonomysPiece& piece, const std::stop_token&) {
        if (const std::optional<std::size_t> chunk = first_invalid_fr(piece.record)) {
          throw InvalidRecordChunk(index, *chunk, piece.record[*chunk]);
        }
        return true;
      },
      std::move(options));
}

}  // namespace furrow::node
