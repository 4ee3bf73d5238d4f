/* SPDX-License-Identifier: Apache-2.0 */
/** @file
 * The CUDA devices of the machine. Since version 3. */
#ifndef FURROW_C_DEVICE_H
#define FURROW_C_DEVICE_H

#include "furrow/c/library.h"

#ifdef __cplusplus
extern "C" {
#endif

/** The devices at one moment. */
typedef struct furrow_device_list furrow_device_list;

/** One device. Texts are "" and numbers 0 where it does not say. */
typedef struct furrow_device {
  size_t size;
  /** Among those that CUDA_VISIBLE_DEVICES leaves. */
  int32_t index;
  int32_t compute_major;
  int32_t compute_minor;
  int32_t multiprocessors;
  /** Highest clocks, in kHz. */
  int32_t clock_khz;
  int32_t memory_clock_khz;
  uint64_t total_bytes;
  /** 0 until furrow_device_list_check. */
  uint64_t free_bytes;
  /** Such as "GPU-01234567-89ab-cdef-0123-456789abcdef". */
  char uuid[64];
  /** Such as "0000:65:00.0". */
  char pci_id[32];
  char name[256];
  /** Why the library cannot use it; "" when it can. */
  char unusable_reason[512];
  uint64_t reserved[8];
} furrow_device;

/** Asks the driver, for at most 10 seconds; no device gets a context. That there is no driver, no
 * device, or that the library was built without CUDA is no error: the list is empty then.
 * @param library a library
 * @param list set to the new list, or to NULL
 * @return FURROW_OK, FURROW_INVALID_ARGUMENT, FURROW_OUT_OF_MEMORY, FURROW_RESOURCE_EXHAUSTED */
FURROW_API furrow_status furrow_device_list_create(furrow_library* library,
                                                   furrow_device_list** list);

/** Destroys a list.
 * @param list NULL is allowed */
FURROW_API void furrow_device_list_destroy(furrow_device_list* list);

/** How many devices there are.
 * @param list a list
 * @param count written */
FURROW_API furrow_status furrow_device_list_count(furrow_device_list* list, size_t* count);

/** Why there are none; "" when there are.
 * @param list a list
 * @param buffer written, ended by a NUL, cut to its size
 * @param buffer_size at least 1 */
FURROW_API furrow_status furrow_device_list_problem(furrow_device_list* list, char* buffer,
                                                    size_t buffer_size);

/** One device of a list.
 * @param list a list
 * @param position less than the count; devices are in the order of their indexes
 * @param device its size is set before; the rest is written */
FURROW_API furrow_status furrow_device_list_get(furrow_device_list* list, size_t position,
                                                furrow_device* device);

/** Lets a device prove itself: it encodes a record whose encoded form is known. It has a context
 * from then on. What comes of it is in `device` and in the list.
 * @param list a list
 * @param position less than the count
 * @param device NULL, or its size is set before and the rest is written
 * @return FURROW_OK also when it fails the trial; unusable_reason says so */
FURROW_API furrow_status furrow_device_list_check(furrow_device_list* list, size_t position,
                                                  furrow_device* device);

#ifdef __cplusplus
}
#endif

#endif
