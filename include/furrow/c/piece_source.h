/* SPDX-License-Identifier: Apache-2.0 */
/** @file
 * Where pieces come from: callbacks of the caller, a piece store on disk, or a farm. Since
 * version 3. */
#ifndef FURROW_C_PIECE_SOURCE_H
#define FURROW_C_PIECE_SOURCE_H

#include "furrow/c/farm.h"
#include "furrow/c/library.h"
#include "furrow/c/piece.h"

#ifdef __cplusplus
extern "C" {
#endif

/** A source of pieces. */
typedef struct furrow_piece_source furrow_piece_source;

/** A batch of pieces that a source of the caller is asked for. */
typedef struct furrow_piece_batch furrow_piece_batch;

/** Takes the answer for one piece of a batch. May be called from any thread, also before get_pieces
 * has returned, and after the batch is over: an answer that comes too late is dropped.
 * @param batch a batch that was not released
 * @param piece_index one of the pieces that the batch asks for
 * @param status FURROW_OK: here it is. FURROW_UNAVAILABLE: the source does not have it. Any other:
 * it failed
 * @param piece FURROW_PIECE_SIZE bytes, copied; NULL unless status is FURROW_OK
 * @param message why it failed, or NULL
 * @return FURROW_OK; FURROW_CANCELLED when nobody waits for it any more; FURROW_INVALID_ARGUMENT
 * for a piece that the batch does not ask for, or that was answered already */
FURROW_API furrow_status furrow_piece_batch_answer(furrow_piece_batch* batch, uint64_t piece_index,
                                                   furrow_status status, const uint8_t* piece,
                                                   const char* message);

/** Whether nobody waits for the batch any more.
 * @param batch a batch that was not released
 * @return 1 or 0 */
FURROW_API int furrow_piece_batch_is_over(const furrow_piece_batch* batch);

/** Says that no further answer comes; pieces without one have failed. Exactly once for each batch,
 * when the source is done with it, in get_pieces or later; the batch does not exist afterwards.
 * @param batch a batch, or NULL */
FURROW_API void furrow_piece_batch_release(furrow_piece_batch* batch);

/** A source of the caller. One of the two functions is set. Pieces have to be valid: the library
 * does not verify them again (furrow_piece_verify does). */
typedef struct furrow_piece_source_callbacks {
  size_t size;
  /** First argument of the functions. */
  void* user;
  /** Writes the FURROW_PIECE_SIZE bytes of a piece and returns FURROW_OK; FURROW_UNAVAILABLE when
   * it does not have it; any other status when it failed (furrow_set_callback_error says why). Up
   * to `concurrency` calls at once, from threads of the library. It has to return: nothing ends the
   * call that waits for it. */
  furrow_status (*get_piece)(void* user, uint64_t piece_index, uint8_t* piece);
  /** Begins to get all of these pieces, each of them once in the list, and returns; answers are
   * given to the batch in any order, before or after it returns. May be called by several threads
   * at once. `piece_indices` is valid until it returns. */
  void (*get_pieces)(void* user, const uint64_t* piece_indices, size_t count,
                     furrow_piece_batch* batch);
  /** Called when the source is destroyed and nothing uses it any more; may be NULL. */
  void (*on_destroy)(void* user);
  /** Calls of get_piece at the same time, 1 to 64. The default is 8. */
  uint32_t concurrency;
  /** How long a batch may be without any answer before the pieces that are left have failed, in
   * milliseconds; 0, the default: for ever. */
  uint32_t patience_ms;
  uint64_t reserved[8];
} furrow_piece_source_callbacks;

/** Sets all of it to the defaults.
 * @param callbacks written
 * @param size sizeof(furrow_piece_source_callbacks) */
FURROW_API void furrow_piece_source_callbacks_init(furrow_piece_source_callbacks* callbacks,
                                                   size_t size);

/** Makes a source of callbacks.
 * @param library a library
 * @param callbacks copied
 * @param source set to the new source, or to NULL; on_destroy is not called in that case
 * @return FURROW_OK, FURROW_INVALID_ARGUMENT, FURROW_OUT_OF_MEMORY */
FURROW_API furrow_status furrow_piece_source_create(furrow_library* library,
                                                    const furrow_piece_source_callbacks* callbacks,
                                                    furrow_piece_source** source);

/** Opens a piece store, as `furrow archive` makes them. What it reads is verified.
 * @param library a library
 * @param directory of the store, with its manifest.json
 * @param source set to the new source, or to NULL
 * @return FURROW_OK, FURROW_INVALID_ARGUMENT, FURROW_IO_ERROR, FURROW_CORRUPT, FURROW_MISMATCH,
 * FURROW_OUT_OF_MEMORY */
FURROW_API furrow_status furrow_piece_source_open_store(furrow_library* library,
                                                        const char* directory,
                                                        furrow_piece_source** source);

/** Pieces that sectors of a farm hold. Making one out of a sector takes about as long as encoding
 * it.
 * @param farm an open farm, which stays open as long as the source is used
 * @param threads pieces that are read at the same time, each with 84 MiB of working memory; 0: one
 * for each processor that the process may use
 * @param source set to the new source, or to NULL
 * @return FURROW_OK, FURROW_INVALID_ARGUMENT, FURROW_OUT_OF_MEMORY */
FURROW_API furrow_status furrow_piece_source_of_farm(furrow_farm* farm, uint32_t threads,
                                                     furrow_piece_source** source);

/** Destroys a source. Plotters that it belongs to go on with it.
 * @param source NULL is allowed */
FURROW_API void furrow_piece_source_destroy(furrow_piece_source* source);

/** What a source knows of the history that its pieces are of. */
typedef struct furrow_history {
  size_t size;
  /** Segments. */
  uint64_t history_size;
  /** Of the chain. */
  uint8_t genesis_root[FURROW_HASH_SIZE];
  uint64_t reserved[8];
} furrow_history;

/** The history of a piece store. FURROW_UNAVAILABLE for sources that do not know it.
 * @param source a source
 * @param history its size is set before; the rest is written */
FURROW_API furrow_status furrow_piece_source_get_history(furrow_piece_source* source,
                                                         furrow_history* history);

/** Gets one piece.
 * @param source a source
 * @param piece_index which
 * @param piece FURROW_PIECE_SIZE bytes, written
 * @param abort_flag NULL, or see "Aborting" in base.h
 * @return FURROW_OK; FURROW_UNAVAILABLE when the source does not have it; what it failed with;
 * FURROW_CANCELLED; FURROW_INVALID_ARGUMENT */
FURROW_API furrow_status furrow_piece_source_get_piece(furrow_piece_source* source,
                                                       uint64_t piece_index, uint8_t* piece,
                                                       const volatile uint8_t* abort_flag);

#ifdef __cplusplus
}
#endif

#endif
