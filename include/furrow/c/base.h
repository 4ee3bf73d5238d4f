/* SPDX-License-Identifier: Apache-2.0 */
/** @file
 * What all headers of the C interface have in common: versions, statuses, and the rules of
 * structs, buffers and callbacks.
 *
 * ## Structs
 *
 * A struct that is given to the library begins with its size and ends with reserved bytes. Its init
 * function sets all of it to the defaults:
 *
 *     furrow_encoder_config config;
 *     furrow_encoder_config_init(&config, sizeof(config));
 *     config.kind = "cpu";
 *
 * A library that is newer than its caller takes what the caller has and the defaults for the rest.
 * One that is older refuses (FURROW_INVALID_ARGUMENT) what it does not know unless it is zero: it
 * never ignores a wish. So reserved bytes have to be zero, as the init function leaves them.
 *
 * A struct that the library fills in (`furrow_..._get`) needs its size set before and nothing else;
 * no more than that is written, and what the library does not know is set to zero.
 *
 * ## Handles
 *
 * A function that makes a handle sets it to NULL when it fails. Destroying NULL does nothing. A
 * handle that was made from others keeps what it needs of them, so handles may be destroyed in any
 * order. Destroying a handle asks the calls on it that are under way to end with FURROW_CANCELLED
 * and waits for them, also for those, of seconds at most, that nothing can end; calls that begin afterwards are undefined, as is a second destroying. A
 * callback must not destroy the handle that calls it.
 *
 * ## Buffers
 *
 * Buffers are the caller's, need no alignment, and may not overlap when one of them is written.
 * A size is checked where it is given. Hashes, identifiers and seeds are 32 bytes.
 *
 * ## Threads
 *
 * Every function may be called from any thread, also on the same handle at the same time, unless
 * its own text says otherwise. Callbacks come from threads of the library or from the calling one,
 * several at once where it is said. They may call functions of the library.
 *
 * ## Aborting
 *
 * An abort flag is a byte of the caller that the library only reads, atomically with acquire order,
 * every two milliseconds, on a thread that lives as long as the call. Setting it to a value other
 * than 0 and leaving it so ends the call with FURROW_CANCELLED; a pulse that is shorter may be
 * missed. On the CPU that takes milliseconds, on a device it takes effect after a batch of records.
 *
 * ## The rest of the process
 *
 * The library prints nothing, ends no process, installs no signal handler, changes neither locale
 * nor umask nor the environment, and reads of the environment CUDA_VISIBLE_DEVICES alone (what the
 * NVIDIA driver reads besides is its business). No C++ exception leaves it, and none may come into
 * it from a callback. The current CUDA device and context of a calling thread stay what they are.
 *
 * Signals are blocked in the threads of the library, but for those that a fault of a thread itself
 * raises (SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS, SIGABRT) and SIGPROF: handlers of the
 * process run on its own threads.
 *
 * Threads do not survive a fork. In the child every function that is given a handle of the parent
 * answers FURROW_INVALID_ARGUMENT, and destroying it does nothing; new handles can be made there.
 *
 * ## What stays undefined
 *
 * A pointer that is neither NULL nor valid for what is said; a handle after it was destroyed; a
 * handle as one of another type; a buffer that somebody else changes during a call; a callback that
 * throws, or leaves by longjmp; calls from the handler of a signal. */
#ifndef FURROW_C_BASE_H
#define FURROW_C_BASE_H

#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define FURROW_API __attribute__((visibility("default")))
#else
#define FURROW_API
#endif

/* In C++, too, an enumeration may hold a value that a newer library has added. */
#ifdef __cplusplus
#define FURROW_ENUM : int
#else
#define FURROW_ENUM
#endif

#ifdef __cplusplus
extern "C" {
#endif

/** Version of the library that these headers belong to. */
#define FURROW_VERSION_MAJOR 0
#define FURROW_VERSION_MINOR 1
#define FURROW_VERSION_PATCH 0

/** Version of this interface. It grows when something is added; what exists stays as it is. So a
 * program runs with every library whose furrow_abi_version() is not less than the version that
 * added the last thing it uses ("Since version"). What says nothing is of version 1. */
#define FURROW_ABI_VERSION 3u

/** Bytes of identifiers, hashes, roots and seeds. */
#define FURROW_HASH_SIZE 32u
/** Bytes of a record: 32768 chunks of 32 bytes. */
#define FURROW_RECORD_SIZE 1048576u
/** Bytes of the contents-map entry of one record: one bit per s-bucket, least significant bit
 * first. */
#define FURROW_FOUND_PROOFS_SIZE 8192u

/** What became of a call. */
typedef enum furrow_status FURROW_ENUM {
  FURROW_OK = 0,
  /** A stop was requested, by an abort flag or because a handle is being destroyed. Of records that
   * were being encoded each is either done, with its entry of the map, or as it was, with its entry
   * of the map as it was: an entry that was zero before and has set bits belongs to a record that
   * is done. Other outputs are as they were. */
  FURROW_CANCELLED = 1,
  /** An argument is wrong; nothing was done. */
  FURROW_INVALID_ARGUMENT = 2,
  /** Memory ran short. */
  FURROW_OUT_OF_MEMORY = 3,
  /** The encoder cannot encode: a record without enough proofs, a lost device and nothing to stand
   * in for it, or a device that gave wrong bytes. Records and map are then unspecified; after wrong
   * bytes the device is out of use, so that another call with the same sources may succeed. */
  FURROW_ENCODER_FAILED = 4,
  /** A defect of the library; please report it with the text of furrow_last_error(). */
  FURROW_INTERNAL_ERROR = 5,
  /** The system starts no more threads (limits of processes or of address space). Nothing was done.
   * Since version 2. */
  FURROW_RESOURCE_EXHAUSTED = 6,
  /** The operating system refused: missing file, permission, full disk. Since version 3. */
  FURROW_IO_ERROR = 7,
  /** Bytes that were read are damaged. Since version 3. */
  FURROW_CORRUPT = 8,
  /** Intact, but of another identity, chain, version or size than asked for. Since version 3. */
  FURROW_MISMATCH = 9,
  /** Something that is needed is not there: a piece, a proof, a farm, a lock. Since version 3. */
  FURROW_UNAVAILABLE = 10,
  /** A callback failed, or gave no answer in time. Since version 3. */
  FURROW_CALLBACK_FAILED = 11
} furrow_status;

/** FURROW_ABI_VERSION of the library that is loaded. */
FURROW_API uint32_t furrow_abi_version(void);

/** Version of the library as text, such as "0.1.0". */
FURROW_API const char* furrow_version(void);

/** Constant name of a status, such as "FURROW_OK"; "unknown status" for any other value.
 * @param status any value
 * @return a constant text */
FURROW_API const char* furrow_status_name(furrow_status status);

#ifdef __cplusplus
}
#endif

#endif
