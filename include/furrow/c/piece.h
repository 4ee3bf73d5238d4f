/* SPDX-License-Identifier: Apache-2.0 */
/** @file
 * Pieces of archived history: their validity, and rebuilding one from others of its segment
 * (docs/spec/05, sections 9 to 12). Since version 3. */
#ifndef FURROW_C_PIECE_H
#define FURROW_C_PIECE_H

#include "furrow/c/library.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Bytes of a piece: a header of 984 bytes, then a record. */
#define FURROW_PIECE_SIZE 1049560u
#define FURROW_PIECE_HEADER_SIZE 984u
/** Pieces of a segment; any half of them give the others. Piece i is at position i modulo this. */
#define FURROW_PIECES_IN_SEGMENT 256u
/** Bytes of the header of a super segment, all integers little-endian: u64 index; root; hash of the
 * previous header; u64 largest segment index; u64 block number; u32 segments in it. */
#define FURROW_SUPER_SEGMENT_HEADER_SIZE 92u

/** Whether a piece is the one with this index, in a super segment that is known: header, record,
 * parity root and both proofs.
 * @param library a library
 * @param piece FURROW_PIECE_SIZE bytes
 * @param piece_index which piece it should be
 * @param super_segment_header FURROW_SUPER_SEGMENT_HEADER_SIZE bytes
 * @return FURROW_OK; FURROW_CORRUPT or FURROW_MISMATCH with FURROW_ERROR_PIECE_INVALID, which say
 * what is wrong; FURROW_INVALID_ARGUMENT */
FURROW_API furrow_status furrow_piece_verify(furrow_library* library, const uint8_t* piece,
                                             uint64_t piece_index,
                                             const uint8_t* super_segment_header);

/** The same where only the root of the super segment and its number of segments are known, and the
 * position in the segment: the position of the segment is what the piece says.
 * @param library a library
 * @param piece FURROW_PIECE_SIZE bytes
 * @param position of the piece in its segment
 * @param super_segment_root 32 bytes
 * @param num_segments of the super segment
 * @param is_valid set to 1 or 0
 * @return FURROW_OK, FURROW_INVALID_ARGUMENT */
FURROW_API furrow_status furrow_piece_is_valid(furrow_library* library, const uint8_t* piece,
                                               uint8_t position, const uint8_t* super_segment_root,
                                               uint32_t num_segments, int* is_valid);

/** A piece to rebuild. */
typedef struct furrow_rebuild_request {
  size_t size;
  /** Of the piece that is missing. */
  uint64_t piece_index;
  /** FURROW_PIECES_IN_SEGMENT pointers to pieces of its segment, by position; NULL where there is
   * none. At least 128 of them have to be valid. */
  const uint8_t* const* pieces;
  /** FURROW_SUPER_SEGMENT_HEADER_SIZE bytes of the super segment that holds the segment, against
   * which the pieces are verified. NULL: the shard, local index and root of the segment that most of
   * the pieces name count, and what the header of the rebuilt piece says of the super segment is
   * what one of the valid pieces says. */
  const uint8_t* super_segment_header;
  /** Written: FURROW_PIECE_SIZE bytes. */
  uint8_t* piece;
  /** Threads that work, the calling one included, at most 4 for each processor; fewer when the
   * system starts no more. 0: one for each processor that the process may use. */
  uint32_t threads;
  uint32_t reserved0;
  uint64_t reserved[8];
} furrow_rebuild_request;

/** Sets all of it to zero but the size, and threads to 1.
 * @param request written
 * @param size sizeof(furrow_rebuild_request) */
FURROW_API void furrow_rebuild_request_init(furrow_rebuild_request* request, size_t size);

/** Rebuilds a piece. What comes out is verified against the root of the segment: it is right, or
 * this is an error.
 * @param library a library
 * @param request what to rebuild, from what
 * @param rejected NULL, or, when a piece was rebuilt, set to the number of given pieces that are not
 * valid
 * @return FURROW_OK, FURROW_INVALID_ARGUMENT, FURROW_UNAVAILABLE for too few valid pieces,
 * FURROW_CORRUPT for a segment that was never archived right, FURROW_OUT_OF_MEMORY */
FURROW_API furrow_status furrow_piece_rebuild(furrow_library* library,
                                              const furrow_rebuild_request* request,
                                              size_t* rejected);

#ifdef __cplusplus
}
#endif

#endif
