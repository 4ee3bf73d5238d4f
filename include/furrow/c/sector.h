/* SPDX-License-Identifier: Apache-2.0 */
/** @file
 * Sectors: what decides their contents, how large they are, and a piece back out of one
 * (docs/spec/01, section 9, and docs/spec/03). Since version 3. */
#ifndef FURROW_C_SECTOR_H
#define FURROW_C_SECTOR_H

#include "furrow/c/library.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Bytes of the metadata of a sector, its checksum included (docs/spec/03, section 4.1). */
#define FURROW_SECTOR_METADATA_SIZE 131116u
/** Most pieces in a sector. */
#define FURROW_MAX_PIECES_IN_SECTOR 1000u

/** Where a sector is, and of what: everything that decides its contents. Sizes of history are
 * counts of segments. */
typedef struct furrow_sector_plan {
  size_t size;
  /** BLAKE3 of the public key. */
  uint8_t public_key_hash[FURROW_HASH_SIZE];
  /** See furrow_shard_commitments_root. */
  uint8_t shard_commitments_root[FURROW_HASH_SIZE];
  /** Farms have none above 65533. */
  uint16_t sector_index;
  /** 1 to FURROW_MAX_PIECES_IN_SECTOR. */
  uint16_t pieces_in_sector;
  /** Of the protocol, whatever pieces_in_sector is, at least 1. The default is 1000. */
  uint16_t max_pieces_in_sector;
  uint16_t reserved0;
  /** Segments of history when the sector is created, at least 1. */
  uint64_t history_size;
  /** The rest are parameters of the chain, each at least 1; the defaults are those of a development
   * chain. How many last segments are recent: 5. */
  uint64_t recent_segments;
  /** Share of pieces from recent history: 1 / 10. */
  uint64_t recent_history_numerator;
  uint64_t recent_history_denominator;
  /** 4. */
  uint64_t min_sector_lifetime;
  uint64_t reserved[8];
} furrow_sector_plan;

/** Sets the parameters of the chain to their defaults and the rest to zero.
 * @param plan written
 * @param size sizeof(furrow_sector_plan) */
FURROW_API void furrow_sector_plan_init(furrow_sector_plan* plan, size_t size);

/** Hash of a public key, as sectors use it.
 * @param public_key 32 bytes, Ed25519
 * @param hash 32 bytes, written
 * @return FURROW_OK, FURROW_INVALID_ARGUMENT */
FURROW_API furrow_status furrow_public_key_hash(const uint8_t* public_key, uint8_t* hash);

/** Root of the shard commitments of a farmer for a history size. Takes a good part of a second:
 * keep it.
 * @param library a library
 * @param shard_commitments_seed 32 bytes
 * @param history_size segments, at least 1
 * @param root 32 bytes, written
 * @return FURROW_OK, FURROW_INVALID_ARGUMENT, FURROW_OUT_OF_MEMORY */
FURROW_API furrow_status furrow_shard_commitments_root(furrow_library* library,
                                                       const uint8_t* shard_commitments_seed,
                                                       uint64_t history_size, uint8_t* root);

/** Id of the sector that is planned.
 * @param plan a plan
 * @param sector_id 32 bytes, written
 * @return FURROW_OK, FURROW_INVALID_ARGUMENT */
FURROW_API furrow_status furrow_sector_id(const furrow_sector_plan* plan, uint8_t* sector_id);

/** Indices of the pieces of the sector, by piece offset. The same piece may come more than once.
 * @param plan a plan
 * @param piece_indices written
 * @param count pieces_in_sector of the plan
 * @return FURROW_OK; FURROW_INVALID_ARGUMENT, also for parameters of a chain for which the rule is
 * not defined; FURROW_OUT_OF_MEMORY */
FURROW_API furrow_status furrow_sector_piece_indices(const furrow_sector_plan* plan,
                                                     uint64_t* piece_indices, size_t count);

/** Bytes of a sector with this many pieces; 0 for a number that no sector has.
 * @param pieces_in_sector 1 to FURROW_MAX_PIECES_IN_SECTOR */
FURROW_API size_t furrow_sector_size(size_t pieces_in_sector);

/** Bytes of what plotting a sector leaves behind besides the sector, in SCALE: sector id, sector
 * index, metadata with checksum, piece indices (docs/spec/03, section 4.2); 0 for a number that no
 * sector has.
 * @param pieces_in_sector 1 to FURROW_MAX_PIECES_IN_SECTOR */
FURROW_API size_t furrow_plotted_sector_size(size_t pieces_in_sector);

/** Reads bytes of a sector.
 * @param user what was given with it
 * @param offset bytes from the start of the sector
 * @param bytes written
 * @param size how many
 * @return FURROW_OK, or any other status when it failed (furrow_set_callback_error says why) */
typedef furrow_status (*furrow_read_at)(void* user, uint64_t offset, uint8_t* bytes, size_t size);

/** A piece to read out of a sector. */
typedef struct furrow_read_piece_request {
  size_t size;
  /** 32 bytes. */
  const uint8_t* sector_id;
  /** FURROW_SECTOR_METADATA_SIZE bytes. */
  const uint8_t* sector_metadata;
  /** Less than the pieces in the sector. */
  size_t piece_offset;
  /** Called on the calling thread. Not the whole sector is read. */
  furrow_read_at read_at;
  /** First argument of read_at. */
  void* user;
  /** Written: FURROW_PIECE_SIZE bytes. */
  uint8_t* piece;
  uint64_t reserved[8];
} furrow_read_piece_request;

/** Sets all of it to zero but the size.
 * @param request written
 * @param size sizeof(furrow_read_piece_request) */
FURROW_API void furrow_read_piece_request_init(furrow_read_piece_request* request, size_t size);

/** Reads a piece out of a sector, unmasks and recovers it, and verifies its checksum. Takes about
 * as long as encoding a record on one thread, and 84 MiB of working memory, which the library
 * keeps.
 * @param library a library
 * @param request which piece, of what
 * @return FURROW_OK; FURROW_CORRUPT for metadata, a map or a piece that is damaged;
 * FURROW_CALLBACK_FAILED; FURROW_UNAVAILABLE for metadata of a sector that holds nothing;
 * FURROW_INVALID_ARGUMENT; FURROW_OUT_OF_MEMORY */
FURROW_API furrow_status furrow_sector_read_piece(furrow_library* library,
                                                  const furrow_read_piece_request* request);

#ifdef __cplusplus
}
#endif

#endif
