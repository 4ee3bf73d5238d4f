// SPDX-License-Identifier: Apache-2.0
// What a piece from elsewhere has to pass before anybody sees it.
#pragma once

#include <functional>
#include <memory>

#include "furrow/piece.hpp"

#include "host/archive/manifest.hpp"

namespace furrow {

/// Throws an Error when the piece is not the one that the index names. Thread-safe.
using PieceValidator = std::function<void(PieceIndex, const Piece&)>;

/// Checks pieces as StorePieceGetter does: header, record proof and super segment against the
/// history that the manifest describes. Throws MisplacedPiece beyond it, and what
/// verify_piece_of_segment throws.
PieceValidator manifest_validator(std::shared_ptr<const Manifest> manifest);

}  // namespace furrow
