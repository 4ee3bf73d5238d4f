// SPDX-License-Identifier: Apache-2.0
// Where a server has pieces and their manifest (docs/formats/piece-http.md).
#pragma once

namespace furrow {

inline constexpr const char* kManifestPath = "/v1/manifest";
/// For lists of pieces.
inline constexpr const char* kPiecesPath = "/v1/pieces";
/// Before the index of a piece.
inline constexpr const char* kPiecePathPrefix = "/v1/pieces/";

}  // namespace furrow
