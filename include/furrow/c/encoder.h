/* SPDX-License-Identifier: Apache-2.0 */
/** @file
 * Encoders: records of a sector into their encoded form, on CUDA devices and on the CPU. The bytes
 * are the same on all of them (docs/spec/03, section 2). */
#ifndef FURROW_C_ENCODER_H
#define FURROW_C_ENCODER_H

#include "furrow/c/gate.h"
#include "furrow/c/library.h"

#ifdef __cplusplus
extern "C" {
#endif

#define FURROW_SECTOR_ID_SIZE 32u
/** Most records in one call. */
#define FURROW_MAX_RECORDS 65535u

/** An encoder. Several threads may encode with it at the same time; they share its threads and
 * devices. A CPU encoder takes about 84 MiB for each of its threads (furrow_encoder_info). */
typedef struct furrow_encoder furrow_encoder;

/** Options of furrow_encoder_create, which are what they were in version 1: bytes 20 to 23 are
 * never looked at. What came later is in furrow_encoder_config. Zero-initialise it, then set `size`
 * to sizeof(furrow_encoder_options). Zero means the default. A size that ends inside a member is
 * refused; what lies behind the last member is never read. */
typedef struct furrow_encoder_options {
  size_t size;
  /** As in furrow_encoder_config. */
  const char* kind;
  /** As in furrow_encoder_config. */
  uint32_t threads;
} furrow_encoder_options;

/** What an encoder is to be made of. Since version 3. */
typedef struct furrow_encoder_config {
  size_t size;
  /** "auto" (every CUDA device, the CPU if there is none), "cuda", "cpu" or "cpu-scalar" (without
   * SIMD, for comparison); NULL means "auto". */
  const char* kind;
  /** CUDA devices to use, by index or UUID (enough of it to tell it from the others); each has to
   * work. NULL means all that do. Not with "cpu" and "cpu-scalar". */
  const char* const* devices;
  /** How many `devices` names. */
  size_t device_count;
  /** CPU threads, also of the encoder that stands in when all devices are lost; 0 means one for
   * each processor that the calling thread may use: those of its affinity, or fewer when a control
   * group gives it less time. More than 4 for each processor of the machine are refused. */
  uint32_t threads;
  /** Records of each call that are encoded on the CPU once more to verify the devices. The default
   * is 1. */
  uint32_t verify_records;
  /** Most bytes of memory on each device; 0 means what is free. */
  uint64_t device_memory_limit;
  /** Most bytes of pinned host memory for each device; 0 means as much as its batches want. */
  uint64_t pinned_memory_limit;
  /** Where work waits while it is closed; NULL: it never waits. */
  furrow_gate* gate;
  uint64_t reserved[8];
} furrow_encoder_config;

/** Sets all of it to the defaults. Since version 3.
 * @param config written
 * @param size sizeof(furrow_encoder_config) */
FURROW_API void furrow_encoder_config_init(furrow_encoder_config* config, size_t size);

/** Creates an encoder without a library: nobody hears what it has to say. See furrow_encoder_open,
 * which has everything that this has.
 * @param options NULL for the defaults
 * @param encoder set to the new encoder, or to NULL
 * @return FURROW_OK, FURROW_INVALID_ARGUMENT, FURROW_OUT_OF_MEMORY, FURROW_ENCODER_FAILED,
 * FURROW_RESOURCE_EXHAUSTED */
FURROW_API furrow_status furrow_encoder_create(const furrow_encoder_options* options,
                                               furrow_encoder** encoder);

/** Makes an encoder. Each device encodes a known record first and is left out, with a warning, when
 * it does not do that right; it is an error when the device was named, or when "cuda" has no device
 * left. A driver that does not answer is waited for 10 seconds: "cuda" fails then, "auto" takes the
 * CPU. The thread that asked it stays behind in the driver, one of them for the whole process, and
 * until it has come back the driver counts as silent at once.
 *
 * Since version 3.
 * @param library a library
 * @param config NULL for the defaults
 * @param encoder set to the new encoder, or to NULL
 * @return as furrow_encoder_create */
FURROW_API furrow_status furrow_encoder_open(furrow_library* library,
                                             const furrow_encoder_config* config,
                                             furrow_encoder** encoder);

/** Destroys an encoder. Calls that are under way end with FURROW_CANCELLED, and are waited for.
 * @param encoder NULL is allowed */
FURROW_API void furrow_encoder_destroy(furrow_encoder* encoder);

/** Records to encode in one call. Since version 3. */
typedef struct furrow_encode_request {
  size_t size;
  /** 32 bytes. */
  const uint8_t* sector_id;
  /** record_count records of FURROW_RECORD_SIZE bytes back to back; record i belongs to piece
   * offset first_offset + i and is replaced by its encoded form: its chunks in the order of the
   * s-buckets that the map gives them, masked with the hashes of their proofs. */
  uint8_t* records;
  /** first_offset + record_count is at most FURROW_MAX_RECORDS. May be 0. */
  size_t record_count;
  size_t first_offset;
  /** record_count * FURROW_FOUND_PROOFS_SIZE bytes, written: the s-buckets each record uses. */
  uint8_t* contents_map;
  /** NULL, or see "Aborting" in base.h. */
  const volatile uint8_t* abort_flag;
  /** Told of each record that is done, from threads of the library, several at once. NULL: nobody
   * is told. */
  void (*on_record)(void* user, size_t piece_offset);
  /** First argument of on_record. */
  void* user;
  uint64_t reserved[8];
} furrow_encode_request;

/** Sets all of it to zero but the size. Since version 3.
 * @param request written
 * @param size sizeof(furrow_encode_request) */
FURROW_API void furrow_encode_request_init(furrow_encode_request* request, size_t size);

/** Encodes records of one sector in place. A sector can be encoded in several calls, by several
 * encoders, and go on where it was cancelled. Since version 3.
 * @param encoder an encoder
 * @param request what to encode
 * @return FURROW_OK, FURROW_CANCELLED, FURROW_INVALID_ARGUMENT, FURROW_OUT_OF_MEMORY,
 * FURROW_ENCODER_FAILED, FURROW_RESOURCE_EXHAUSTED */
FURROW_API furrow_status furrow_encoder_encode(furrow_encoder* encoder,
                                               const furrow_encode_request* request);

/** Encodes the first records of one sector in place: furrow_encoder_encode with first offset 0.
 * @param encoder an encoder
 * @param sector_id 32 bytes
 * @param records as in furrow_encode_request
 * @param record_count as in furrow_encode_request
 * @param contents_map as in furrow_encode_request
 * @param abort_flag NULL, or see "Aborting" in base.h
 * @return as furrow_encoder_encode */
FURROW_API furrow_status furrow_encode_records(furrow_encoder* encoder, const uint8_t* sector_id,
                                               uint8_t* records, size_t record_count,
                                               uint8_t* contents_map,
                                               const volatile uint8_t* abort_flag);

/** Encodes records of one sector from any piece offset on: furrow_encoder_encode without a report.
 * Since version 2.
 * @param encoder an encoder
 * @param sector_id 32 bytes
 * @param first_offset as in furrow_encode_request
 * @param records as in furrow_encode_request
 * @param record_count as in furrow_encode_request
 * @param contents_map as in furrow_encode_request
 * @param abort_flag NULL, or see "Aborting" in base.h
 * @return as furrow_encoder_encode */
FURROW_API furrow_status furrow_encode_records_at(furrow_encoder* encoder, const uint8_t* sector_id,
                                                  size_t first_offset, uint8_t* records,
                                                  size_t record_count, uint8_t* contents_map,
                                                  const volatile uint8_t* abort_flag);

/** An encoder at one moment. Since version 3. */
typedef struct furrow_encoder_info {
  size_t size;
  /** For logs, such as "cpu (avx3, 2 threads)". Of several devices, all names. */
  char name[256];
  /** Why "auto" does without CUDA; "" when it does not. */
  char note[512];
  /** Instruction set that the CPU uses, such as "avx2"; "scalar" for none. */
  char simd_target[16];
  /** Of the CPU, also if only in case that all devices are lost. */
  uint32_t threads;
  /** See furrow_encoder_get_member. */
  uint32_t member_count;
  /** Calls that encode. */
  uint32_t running_calls;
  uint32_t reserved0;
  /** Records that were encoded so far. */
  uint64_t records_done;
  /** Host memory, in bytes: what its CPU threads take when all of them have worked, verification of
   * devices included, and what it has pinned. */
  uint64_t host_bytes;
  /** Memory on its devices, in bytes. */
  uint64_t device_bytes;
  uint64_t reserved[8];
} furrow_encoder_info;

/** What an encoder is and does. Since version 3.
 * @param encoder an encoder
 * @param info its size is set before; the rest is written */
FURROW_API furrow_status furrow_encoder_get_info(furrow_encoder* encoder,
                                                 furrow_encoder_info* info);

/** Since version 3. */
typedef enum furrow_encoder_state FURROW_ENUM {
  FURROW_ENCODER_IDLE = 0,
  FURROW_ENCODER_WORKING = 1,
  /** It is used no more; the others have its work. */
  FURROW_ENCODER_LOST = 2
} furrow_encoder_state;

/** One device of an encoder, or the CPU. Since version 3. */
typedef struct furrow_encoder_member {
  size_t size;
  char name[256];
  furrow_encoder_state state;
  uint32_t reserved0;
  uint64_t records_done;
  uint64_t reserved[8];
} furrow_encoder_member;

/** One device of an encoder, or the CPU. Since version 3.
 * @param encoder an encoder
 * @param position less than member_count
 * @param member its size is set before; the rest is written */
FURROW_API furrow_status furrow_encoder_get_member(furrow_encoder* encoder, size_t position,
                                                   furrow_encoder_member* member);

#ifdef __cplusplus
}
#endif

#endif
