/* SPDX-License-Identifier: Apache-2.0 */
/** @file
 * The Reed-Solomon code over GF(2^16) of records and segments (docs/spec/04). Since version 3. */
#ifndef FURROW_C_ERASURE_H
#define FURROW_C_ERASURE_H

#include "furrow/c/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Computes parity shards of source shards. All have the same even length. At most 65536 in all,
 * parity rounded up to a power of two, as docs/spec/04, section 3, says.
 * @param source source_count pointers to shards
 * @param source_count at least 1
 * @param parity parity_count pointers to shards, written
 * @param parity_count at least 1
 * @param shard_size bytes of each, even, at least 2
 * @return FURROW_OK, FURROW_INVALID_ARGUMENT, FURROW_OUT_OF_MEMORY */
FURROW_API furrow_status furrow_erasure_extend(const uint8_t* const* source, size_t source_count,
                                               uint8_t* const* parity, size_t parity_count,
                                               size_t shard_size);

/** What is to be done with a shard. */
typedef enum furrow_shard_state FURROW_ENUM {
  /** Parity that is neither there nor wanted. */
  FURROW_SHARD_IGNORED = 0,
  /** Its bytes are there, and read. */
  FURROW_SHARD_PRESENT = 1,
  /** It is written. */
  FURROW_SHARD_WANTED = 2
} furrow_shard_state;

/** Recovers shards from any source_count of them.
 * @param shards source_count pointers, then parity_count; those that are ignored may be NULL
 * @param states of each
 * @param source_count at least 1; none of the sources may be ignored
 * @param parity_count at least 1
 * @param shard_size bytes of each, even, at least 2
 * @return FURROW_OK; FURROW_UNAVAILABLE when too few are present; FURROW_INVALID_ARGUMENT;
 * FURROW_OUT_OF_MEMORY */
FURROW_API furrow_status furrow_erasure_recover(uint8_t* const* shards,
                                                const furrow_shard_state* states,
                                                size_t source_count, size_t parity_count,
                                                size_t shard_size);

/** Computes the 32768 parity chunks of a record.
 * @param record FURROW_RECORD_SIZE bytes
 * @param parity FURROW_RECORD_SIZE bytes, written
 * @return FURROW_OK, FURROW_INVALID_ARGUMENT, FURROW_OUT_OF_MEMORY */
FURROW_API furrow_status furrow_erasure_extend_record(const uint8_t* record, uint8_t* parity);

#ifdef __cplusplus
}
#endif

#endif
