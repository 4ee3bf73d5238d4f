/* SPDX-License-Identifier: Apache-2.0 */
/** @file
 * What a configuration will take in memory, before anything is made. Since version 3. */
#ifndef FURROW_C_MEMORY_H
#define FURROW_C_MEMORY_H

#include "furrow/c/device.h"

#ifdef __cplusplus
extern "C" {
#endif

/** What the memory of plotting depends on. */
typedef struct furrow_memory_request {
  size_t size;
  /** Pieces in a sector; 0: encoders alone are meant. */
  uint32_t pieces_in_sector;
  /** Threads that encode on the CPU; 0: one for each processor that the process may use. */
  uint32_t threads;
  /** Devices that encode, as furrow_encoder_config names them; NULL: none. */
  const char* const* devices;
  size_t device_count;
  /** As in furrow_encoder_config. */
  uint64_t device_memory_limit;
  /** As in furrow_encoder_config. */
  uint64_t pinned_memory_limit;
  /** Sectors that are downloaded or encoded at the same time; 0: as many as keep encoders busy. */
  uint32_t sectors_in_memory;
  /** Sectors that are laid out or written at the same time; 0: as many as keep encoders busy. */
  uint32_t output_buffers;
  uint64_t reserved[8];
} furrow_memory_request;

/** The most that it takes, in bytes. */
typedef struct furrow_memory_plan {
  size_t size;
  /** Of the host, all of what follows. */
  uint64_t host_bytes;
  /** Working memory of threads that encode. */
  uint64_t encoder_bytes;
  /** Sectors that are downloaded, encoded, laid out and written. */
  uint64_t sector_bytes;
  /** Pinned memory, and what drivers take. */
  uint64_t device_host_bytes;
  /** On all devices together. */
  uint64_t device_bytes;
  /** Sectors that the plan has. */
  uint32_t sectors_in_memory;
  uint32_t output_buffers;
  uint64_t reserved[8];
} furrow_memory_plan;

/** Sets all of it to the defaults.
 * @param request written
 * @param size sizeof(furrow_memory_request) */
FURROW_API void furrow_memory_request_init(furrow_memory_request* request, size_t size);

/** Plans memory. Devices that are named get a context, since only then they say what is free.
 * @param library a library
 * @param request what is planned
 * @param plan its size is set before; the rest is written
 * @return FURROW_OK, FURROW_INVALID_ARGUMENT (also for a limit below what an encoder needs),
 * FURROW_ENCODER_FAILED for a device that cannot be used, FURROW_OUT_OF_MEMORY */
FURROW_API furrow_status furrow_memory_plan_get(furrow_library* library,
                                                const furrow_memory_request* request,
                                                furrow_memory_plan* plan);

#ifdef __cplusplus
}
#endif

#endif
