/* SPDX-License-Identifier: Apache-2.0 */
/** @file
 * What the last call on this thread failed with: a text for people, a kind and fields for programs.
 * Every function that returns a status sets it, also to "none" when it succeeds, but for
 * furrow_last_error_get. */
#ifndef FURROW_C_ERROR_H
#define FURROW_C_ERROR_H

#include "furrow/c/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/** What went wrong, finer than the status. Kinds are added; unknown ones are as good as
 * FURROW_ERROR_OTHER. Since version 3. */
typedef enum furrow_error_kind FURROW_ENUM {
  FURROW_ERROR_NONE = 0,
  /** None of the others; the status says what there is to say. */
  FURROW_ERROR_OTHER = 1,
  FURROW_ERROR_ARGUMENT = 2,
  FURROW_ERROR_CANCELLED = 3,
  FURROW_ERROR_MEMORY = 4,
  FURROW_ERROR_THREADS = 5,
  FURROW_ERROR_INTERNAL = 6,
  /** A callback of the caller failed. */
  FURROW_ERROR_CALLBACK = 7,
  /** A callback gave no answer in the time that it has. */
  FURROW_ERROR_CALLBACK_SILENT = 8,

  /** No device where one is needed, or a library that was built without CUDA. */
  FURROW_ERROR_NO_DEVICE = 20,
  FURROW_ERROR_DEVICE_LOST = 21,
  /** A device gave wrong bytes. piece_offset says of which record. */
  FURROW_ERROR_WRONG_ENCODING = 22,
  /** A record has fewer than 32768 proofs. piece_offset says which. */
  FURROW_ERROR_TOO_FEW_PROOFS = 23,
  FURROW_ERROR_ENCODER = 24,

  /** A system call failed: path, system_error. */
  FURROW_ERROR_IO = 40,
  /** A checksum is not that of its contents: expected, actual. */
  FURROW_ERROR_CHECKSUM = 41,
  /** A byte string has another length than its format demands: expected, actual. */
  FURROW_ERROR_LENGTH = 42,
  FURROW_ERROR_MALFORMED = 43,

  /** A piece is not the one that it was asked for as: piece_index. */
  FURROW_ERROR_PIECE_INVALID = 60,
  /** A source does not have a piece, or it cannot be rebuilt: piece_index. */
  FURROW_ERROR_PIECE_MISSING = 61,
  /** A source of pieces refuses as a whole. */
  FURROW_ERROR_PIECE_SOURCE = 62,
  /** Fewer than 128 valid pieces of a segment: segment_index. */
  FURROW_ERROR_NOT_ENOUGH_PIECES = 63,
  /** A piece that was read from a sector does not have its checksum, or cannot be decoded. */
  FURROW_ERROR_SECTOR_DAMAGED = 64,
  /** Too few shards are present, or too many asked for. */
  FURROW_ERROR_SHARDS = 65,

  FURROW_ERROR_FARM_NOT_FOUND = 80,
  /** Another process, or another handle, has the lock of the farm. */
  FURROW_ERROR_FARM_IN_USE = 81,
  /** The farm is intact, but of another key, chain, size or version. */
  FURROW_ERROR_FARM_MISMATCH = 82,
  /** No room: for one sector, for all that are plotted, or more than a farm can have. */
  FURROW_ERROR_FARM_SPACE = 83,
  FURROW_ERROR_FARM_GONE = 84,
  /** The sector is counted but holds nothing: sector_index. */
  FURROW_ERROR_SECTOR_EMPTY = 85,
  /** A file of the farm, or a slot of its metadata, is damaged. */
  FURROW_ERROR_FARM_DAMAGED = 86
} furrow_error_kind;

/** Which of the numbers in furrow_error were set. */
typedef enum furrow_error_fields FURROW_ENUM {
  FURROW_HAS_PIECE_INDEX = 1,
  FURROW_HAS_SEGMENT_INDEX = 2,
  FURROW_HAS_SECTOR_INDEX = 4,
  FURROW_HAS_PIECE_OFFSET = 8,
  FURROW_HAS_BYTE_OFFSET = 16,
  FURROW_HAS_SYSTEM_ERROR = 32
} furrow_error_fields;

/** An error and its fields. Texts are never NULL, "" where there is none, have everything escaped
 * that a terminal would obey, and are valid until the next call on this thread of a function that
 * sets the last error. Since version 3. */
typedef struct furrow_error {
  size_t size;
  furrow_status status;
  furrow_error_kind kind;
  /** FURROW_HAS_... of the numbers that mean something. */
  uint32_t fields;
  /** errno of the system call that failed. */
  int32_t system_error;
  uint64_t piece_index;
  uint64_t segment_index;
  /** Bytes from the start of the thing. */
  uint64_t byte_offset;
  uint16_t sector_index;
  uint16_t piece_offset;
  uint32_t reserved0;
  const char* message;
  const char* path;
  const char* expected;
  const char* actual;
  uint64_t reserved[8];
} furrow_error;

/** Text of the last error of the calling thread; "" when there was none.
 * @return valid until the next call on this thread of a function that sets the last error */
FURROW_API const char* furrow_last_error(void);

/** The last error of the calling thread with its fields. Leaves it as it is. Since version 3.
 * @param error its size is set before; the rest is written
 * @return FURROW_OK, or FURROW_INVALID_ARGUMENT for NULL or a size that is too small */
FURROW_API furrow_status furrow_last_error_get(furrow_error* error);

/** Constant name of a kind, such as "FURROW_ERROR_IO"; "unknown kind" for any other value. Since
 * version 3.
 * @param kind any value
 * @return a constant text */
FURROW_API const char* furrow_error_kind_name(furrow_error_kind kind);

/** For callbacks that are about to return a failure: says why. The text becomes part of the error
 * of the call that the callback belongs to. Since version 3.
 * @param text copied; NULL is "" */
FURROW_API void furrow_set_callback_error(const char* text);

#ifdef __cplusplus
}
#endif

#endif
