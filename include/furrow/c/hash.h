/* SPDX-License-Identifier: Apache-2.0 */
/** @file
 * BLAKE3 with digests of 32 bytes. Since version 3. */
#ifndef FURROW_C_HASH_H
#define FURROW_C_HASH_H

#include "furrow/c/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Hash of one message of any length.
 * @param message may be NULL when size is 0
 * @param size bytes of it
 * @param hash 32 bytes, written
 * @return FURROW_OK, FURROW_INVALID_ARGUMENT */
FURROW_API furrow_status furrow_hash(const uint8_t* message, size_t size, uint8_t* hash);

/** Hashes of many messages of equal length: several at once, by SIMD.
 * @param messages the first of them; they begin `stride` bytes apart, and behind the last one
 * nothing is read; may be NULL when count is 0
 * @param length bytes of each: 4 to 1024, a multiple of 4
 * @param stride at least length
 * @param count how many; may be 0
 * @param hashes count digests back to back, written; may be NULL when count is 0
 * @return FURROW_OK, FURROW_INVALID_ARGUMENT, FURROW_OUT_OF_MEMORY */
FURROW_API furrow_status furrow_hash_many(const uint8_t* messages, size_t length, size_t stride,
                                          size_t count, uint8_t* hashes);

#ifdef __cplusplus
}
#endif

#endif
