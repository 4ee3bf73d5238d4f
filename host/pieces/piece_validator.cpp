// SPDX-License-Identifier: Apache-2.0
#include "host/pieces/piece_validator.hpp"

#include <string>
#include <utility>

#include "host/archive/piece_validation.hpp"

namespace furrow {

PieceValidator manifest_validator(std::shared_ptr<const Manifest> manifest) {
  return [manifest = std::move(manifest)](PieceIndex index, const Piece& piece) {
    const SegmentIndex segment = segment_index_of(index);
    if (segment.value() >= manifest->segments.size()) {
      throw MisplacedPiece(index, "segment index",
                           "below " + std::to_string(manifest->segments.size()),
                           std::to_string(segment.value()));
    }
    verify_piece_of_segment(SimdMode::kBest, piece, position_of(index),
                            manifest->segment_identity(segment));
  };
}

}  // namespace furrow
