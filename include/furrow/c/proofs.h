/* SPDX-License-Identifier: Apache-2.0 */
/** @file
 * Proofs of space (docs/spec/02). Since version 3. */
#ifndef FURROW_C_PROOFS_H
#define FURROW_C_PROOFS_H

#include "furrow/c/library.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Bytes of a proof. */
#define FURROW_PROOF_SIZE 160u
/** Most proofs that a seed has; a record needs as many. */
#define FURROW_MAX_PROOFS 32768u

/** Proofs of one seed to make. Outputs that are not wanted are NULL. */
typedef struct furrow_proofs_request {
  size_t size;
  /** 32 bytes. */
  const uint8_t* seed;
  /** Written: FURROW_FOUND_PROOFS_SIZE bytes, a bit for each s-bucket with a proof, the first
   * FURROW_MAX_PROOFS of them at most; least significant bit first. */
  uint8_t* found_proofs;
  /** Written: BLAKE3 of each proof, in the order of the s-buckets; room for FURROW_MAX_PROOFS of
   * FURROW_HASH_SIZE bytes. */
  uint8_t* hashes;
  /** Written: the proofs, in the order of the s-buckets; room for FURROW_MAX_PROOFS of
   * FURROW_PROOF_SIZE bytes. */
  uint8_t* proofs;
  /** NULL, or see "Aborting" in base.h. */
  const volatile uint8_t* abort_flag;
  uint64_t reserved[8];
} furrow_proofs_request;

/** Sets all of it to zero but the size.
 * @param request written
 * @param size sizeof(furrow_proofs_request) */
FURROW_API void furrow_proofs_request_init(furrow_proofs_request* request, size_t size);

/** Makes the proofs of a seed, on the calling thread, with 84 MiB of working memory that the library
 * keeps. Takes a tenth of a second or two. Outputs are written when nothing can fail any more.
 * @param library a library
 * @param request seed and outputs
 * @param count NULL, or set to the number of proofs
 * @return FURROW_OK, FURROW_CANCELLED, FURROW_INVALID_ARGUMENT, FURROW_OUT_OF_MEMORY,
 * FURROW_RESOURCE_EXHAUSTED when no thread is to be had that watches the abort flag */
FURROW_API furrow_status furrow_proofs_make(furrow_library* library,
                                            const furrow_proofs_request* request, size_t* count);

/** Whether a proof is one of this seed for this s-bucket. Microseconds.
 * @param seed 32 bytes
 * @param s_bucket any of the 65536
 * @param proof FURROW_PROOF_SIZE bytes
 * @param is_valid set to 1 or 0
 * @return FURROW_OK, FURROW_INVALID_ARGUMENT */
FURROW_API furrow_status furrow_proof_verify(const uint8_t* seed, uint16_t s_bucket,
                                             const uint8_t* proof, int* is_valid);

/** Seed of the proofs of a record: of its sector and its place there (docs/spec/01, section 9).
 * @param sector_id 32 bytes
 * @param piece_offset of the record, at most 65535
 * @param seed 32 bytes, written
 * @return FURROW_OK, FURROW_INVALID_ARGUMENT */
FURROW_API furrow_status furrow_proof_seed(const uint8_t* sector_id, size_t piece_offset,
                                           uint8_t* seed);

#ifdef __cplusplus
}
#endif

#endif
