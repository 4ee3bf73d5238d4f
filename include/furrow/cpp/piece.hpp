// SPDX-License-Identifier: Apache-2.0
/** @file
 * Pieces: their validity, and rebuilding one from others of its segment (furrow/c/piece.h). Part of
 * furrow/furrow.hpp. */
#ifndef FURROW_CPP_PIECE_HPP
#define FURROW_CPP_PIECE_HPP

#include <array>

#include "furrow/cpp/library.hpp"

namespace furrow {
inline namespace v0_1 {

/// Throws unless a piece is the one with this index, in a super segment that is known; the Error has
/// kind FURROW_ERROR_PIECE_INVALID and says what is wrong. `piece` has FURROW_PIECE_SIZE bytes,
/// `super_segment_header` FURROW_SUPER_SEGMENT_HEADER_SIZE.
inline void verify_piece(const Library& library, Bytes piece, std::uint64_t piece_index,
                         Bytes super_segment_header) {
  detail::check_size("piece", piece.size(), FURROW_PIECE_SIZE);
  detail::check_size("super_segment_header", super_segment_header.size(),
                     FURROW_SUPER_SEGMENT_HEADER_SIZE);
  detail::check(
      furrow_piece_verify(library.get(), piece.data(), piece_index, super_segment_header.data()));
}

/// The same where only root and size of the super segment are known, and the position of the piece,
/// of FURROW_PIECE_SIZE bytes, in its segment.
[[nodiscard]] inline bool is_piece_valid(const Library& library, Bytes piece, std::uint8_t position,
                                         const Hash& super_segment_root,
                                         std::uint32_t num_segments) {
  detail::check_size("piece", piece.size(), FURROW_PIECE_SIZE);
  int is_valid = 0;
  detail::check(furrow_piece_is_valid(library.get(), piece.data(), position,
                                      super_segment_root.data(), num_segments, &is_valid));
  return is_valid != 0;
}

/// A piece to rebuild.
struct RebuildRequest {
  std::uint64_t piece_index = 0;
  /// Pieces of its segment, by position; empty where there is none.
  std::array<Bytes, FURROW_PIECES_IN_SEGMENT> pieces;
  /// FURROW_SUPER_SEGMENT_HEADER_SIZE bytes; empty: what most of the pieces agree on counts.
  Bytes super_segment_header;
  /// 0: one for each processor that may be used.
  std::uint32_t threads = detail::initialised(furrow_rebuild_request_init).threads;
};

/// Rebuilds a piece of FURROW_PIECE_SIZE bytes; what comes out is verified.
/// @return how many of the given pieces are not valid
inline std::size_t rebuild_piece(const Library& library, const RebuildRequest& request,
                                 MutableBytes piece) {
  detail::check_size("piece", piece.size(), FURROW_PIECE_SIZE);
  std::array<const std::uint8_t*, FURROW_PIECES_IN_SEGMENT> pieces{};
  for (std::size_t position = 0; position < pieces.size(); ++position) {
    const Bytes given = request.pieces[position];
    if (!given.empty()) {
      detail::check_size("a given piece", given.size(), FURROW_PIECE_SIZE);
      pieces[position] = given.data();
    }
  }
  furrow_rebuild_request c = detail::initialised(furrow_rebuild_request_init);
  c.piece_index = request.piece_index;
  c.pieces = pieces.data();
  c.piece = piece.data();
  c.threads = request.threads;
  if (!request.super_segment_header.empty()) {
    detail::check_size("super_segment_header", request.super_segment_header.size(),
                       FURROW_SUPER_SEGMENT_HEADER_SIZE);
    c.super_segment_header = request.super_segment_header.data();
  }
  std::size_t rejected = 0;
  detail::check(furrow_piece_rebuild(library.get(), &c, &rejected));
  return rejected;
}

}  // namespace v0_1
}  // namespace furrow

#endif
