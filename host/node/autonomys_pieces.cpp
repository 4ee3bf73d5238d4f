// SPDX-License-Identifier: Apache-2.0
#include "host/node/autonomys_pieces.hpp"

#include <utility>

#include "host/pieces/autonomys_piece.hpp"

namespace furrow::node {

std::unique_ptr<ClusterPieces<AutonomysPiece>> make_autonomys_pieces(cluster::Bus& bus,
                                                                     ClusterPiecesOptions options) {
  return std::make_unique<ClusterPieces<AutonomysPiece>>(
      bus,
      [](PieceIndex index, const AutonomysPiece& piece, const std::stop_token&) {
        check_record_chunks(index, piece);
        return true;
      },
      std::move(options));
}

}  // namespace furrow::node
