/* SPDX-License-Identifier: Apache-2.0 */
/** @file
 * The library as one of its users sees it: where it reports to, what is done with its threads, and
 * memory that calls share. A process may have several, which know nothing of one another. Since
 * version 3. */
#ifndef FURROW_C_LIBRARY_H
#define FURROW_C_LIBRARY_H

#include "furrow/c/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/** One user of the library. */
typedef struct furrow_library furrow_library;

/** How much a line of the log matters. */
typedef enum furrow_log_level FURROW_ENUM {
  /** What a user may want to know, such as why "auto" encodes on the CPU. */
  FURROW_LOG_NOTE = 1,
  /** What somebody should look at: a device is lost, a piece had to be rebuilt. */
  FURROW_LOG_WARNING = 2
} furrow_log_level;

/** What a user of the library wants to be told and asked. */
typedef struct furrow_library_options {
  size_t size;
  /** Told one line, without an end of line and with everything escaped that a terminal would obey;
   * from any thread, several at once. NULL: nobody is told. */
  void (*on_log)(void* user, furrow_log_level level, const char* line);
  /** First argument of on_log. */
  void* log_user;
  /** Called first on each thread that is started for this library and what is made from it, before
   * it does anything: the place to set its priority and affinity, which it otherwise has from the
   * thread that made the handle. From several threads at once. */
  void (*on_thread_start)(void* user, const char* name);
  /** Called last on each such thread. */
  void (*on_thread_end)(void* user, const char* name);
  /** First argument of on_thread_start and on_thread_end. */
  void* thread_user;
  uint64_t reserved[8];
} furrow_library_options;

/** Sets all of it to the defaults: nobody is told anything.
 * @param options written
 * @param size sizeof(furrow_library_options) */
FURROW_API void furrow_library_options_init(furrow_library_options* options, size_t size);

/** Makes a library. Callbacks may be called until it and all that was made from it are destroyed.
 * @param options NULL for the defaults
 * @param library set to the new library, or to NULL
 * @return FURROW_OK, FURROW_INVALID_ARGUMENT, FURROW_OUT_OF_MEMORY */
FURROW_API furrow_status furrow_library_create(const furrow_library_options* options,
                                               furrow_library** library);

/** Destroys a library. What was made from it lives on.
 * @param library NULL is allowed */
FURROW_API void furrow_library_destroy(furrow_library* library);

/** Bytes of host memory that the library keeps for calls to come (working memory of proofs and
 * pieces), and lets go when they are released or it is destroyed.
 * @param library a library
 * @param bytes written */
FURROW_API furrow_status furrow_library_kept_memory(furrow_library* library, uint64_t* bytes);

/** Lets go what furrow_library_kept_memory counts.
 * @param library a library */
FURROW_API furrow_status furrow_library_release_memory(furrow_library* library);

#ifdef __cplusplus
}
#endif

#endif
