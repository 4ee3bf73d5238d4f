/* SPDX-License-Identifier: Apache-2.0 */
/* C interface of libfurrow (C11 and C++).
 *
 * Every function may be called from any thread. An encoder may be used by one thread at a time;
 * different encoders are independent. Nothing is printed, no signal handler is installed, and no
 * C++ exception leaves the library. Byte strings have no alignment needs.
 *
 * Signals are blocked in the threads of the library, but for those that a fault of a thread itself
 * raises (SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS, SIGABRT) and SIGPROF: handlers of the
 * process run on its own threads.
 *
 * Threads do not survive a fork. In the child, an encoder of the parent answers
 * FURROW_INVALID_ARGUMENT, and furrow_encoder_destroy returns without freeing it; new encoders can
 * be created there. */
#ifndef FURROW_FURROW_H
#define FURROW_FURROW_H

#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define FURROW_API __attribute__((visibility("default")))
#else
#define FURROW_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/** Version of this interface. It grows when something is added; what exists stays as it is. So a
 * program runs with every library whose furrow_abi_version() is not less than this. */
#define FURROW_ABI_VERSION 2u

/** Bytes of a record: 32768 chunks of 32 bytes. */
#define FURROW_RECORD_SIZE 1048576u
/** Bytes of the contents-map entry of one record: one bit per s-bucket, least significant bit
 * first. */
#define FURROW_FOUND_PROOFS_SIZE 8192u
#define FURROW_SECTOR_ID_SIZE 32u
/** Most records in one call. */
#define FURROW_MAX_RECORDS 65535u

typedef enum furrow_status {
  FURROW_OK = 0,
  /** A stop was requested through the abort flag. Each record is either done, with its entry of the
   * map, or as it was, with its entry of the map as it was: an entry that was zero before and has
   * set bits belongs to a record that is done. */
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
  FURROW_RESOURCE_EXHAUSTED = 6
} furrow_status;

/** Options of an encoder. Zero-initialise it, then set `size` to sizeof(furrow_encoder_options): a
 * library newer than its caller then knows which members the caller has. Zero means the default. A
 * size that ends inside a member is refused; what lies behind the last member is never read. */
typedef struct furrow_encoder_options {
  size_t size;
  /** "auto" (every CUDA device, the CPU if there is none), "cuda", "cpu" or "cpu-scalar"; NULL
   * means "auto". */
  const char* kind;
  /** CPU threads; 0 means one for each processor that the process may use: those of its affinity,
   * or fewer when a control group gives it less time. More than 4 for each processor of the machine
   * are refused with FURROW_INVALID_ARGUMENT. */
  uint32_t threads;
} furrow_encoder_options;

typedef struct furrow_encoder furrow_encoder;

/** FURROW_ABI_VERSION of the library that is loaded. */
FURROW_API uint32_t furrow_abi_version(void);

/** Version of the library as text, such as "0.1.0". */
FURROW_API const char* furrow_version(void);

/** Constant name of a status, such as "FURROW_OK"; "unknown status" for any other value. */
FURROW_API const char* furrow_status_name(furrow_status status);

/** Text of the last error of the calling thread; "" when there was none. Valid until the next call
 * of a furrow function on this thread. */
FURROW_API const char* furrow_last_error(void);

/** Creates an encoder. `options` may be NULL for the defaults. On success *encoder is the new
 * encoder, to be destroyed by furrow_encoder_destroy; on failure it is NULL.
 *
 * A driver that does not answer is waited for 10 seconds: "cuda" fails then, "auto" takes the CPU.
 * The thread that asked it stays behind in the driver, one of them for the whole process, and until
 * it has come back the driver counts as silent at once. */
FURROW_API furrow_status furrow_encoder_create(const furrow_encoder_options* options,
                                               furrow_encoder** encoder);

/** Destroys an encoder; NULL is allowed. */
FURROW_API void furrow_encoder_destroy(furrow_encoder* encoder);

/** Encodes the first records of one sector in place.
 *
 * - sector_id: 32 bytes.
 *
 * - records: record_count records of FURROW_RECORD_SIZE bytes back to back; record i belongs to
 *   piece offset i and is replaced by its encoded form.
 *
 * - contents_map: record_count * FURROW_FOUND_PROOFS_SIZE bytes, written: the s-buckets each record
 *   uses.
 *
 * - abort_flag: NULL, or a byte that is only read, every 2 ms by a thread of its own: once another
 *   thread sets it to a value other than 0, and leaves it so, the call ends with FURROW_CANCELLED.
 *   The CPU ends inside a record, within milliseconds; a device after its batch of records.
 *
 * record_count may be 0. */
FURROW_API furrow_status furrow_encode_records(furrow_encoder* encoder, const uint8_t* sector_id,
                                               uint8_t* records, size_t record_count,
                                               uint8_t* contents_map,
                                               const volatile uint8_t* abort_flag);

/** Encodes records of one sector from any piece offset on: as furrow_encode_records, but record i
 * belongs to piece offset first_offset + i. A sector can so be encoded in several calls, and go on
 * where it was cancelled. first_offset + record_count is at most FURROW_MAX_RECORDS. Since
 * version 2. */
FURROW_API furrow_status furrow_encode_records_at(furrow_encoder* encoder, const uint8_t* sector_id,
                                                  size_t first_offset, uint8_t* records,
                                                  size_t record_count, uint8_t* contents_map,
                                                  const volatile uint8_t* abort_flag);

#ifdef __cplusplus
}
#endif

#endif
