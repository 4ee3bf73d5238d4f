/* SPDX-License-Identifier: Apache-2.0 */
/* Encodes made-up records through the C interface of libfurrow and checks what comes back: the same
 * bytes from two encoders, an abort that is obeyed, and errors that are statuses.
 *
 *   encode_records [RECORDS]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "furrow/furrow.h"

#define CHECK(condition)                                                                \
  do {                                                                                  \
    if (!(condition)) {                                                                 \
      fprintf(stderr, "line %d: %s is false; last error: '%s'\n", __LINE__, #condition, \
              furrow_last_error());                                                     \
      return 1;                                                                         \
    }                                                                                   \
  } while (0)

static void fill(uint8_t* bytes, size_t size) {
  /* A period coprime to every chunk and record size, so that swapped pieces would show. */
  for (size_t i = 0; i < size; ++i) {
    bytes[i] = (uint8_t)(i % 251);
  }
}

static size_t count_bits(const uint8_t* bytes, size_t size) {
  size_t bits = 0;
  for (size_t i = 0; i < size; ++i) {
    for (unsigned byte = bytes[i]; byte != 0; byte &= byte - 1) {
      ++bits;
    }
  }
  return bits;
}

static furrow_encoder* create(const char* kind, uint32_t threads) {
  furrow_encoder_options options = {0};
  options.size = sizeof(options);
  options.kind = kind;
  options.threads = threads;
  furrow_encoder* encoder = NULL;
  if (furrow_encoder_create(&options, &encoder) != FURROW_OK) {
    fprintf(stderr, "cannot create encoder '%s': %s\n", kind, furrow_last_error());
  }
  return encoder;
}

int main(int argc, char** argv) {
  const size_t n = argc > 1 ? (size_t)strtoul(argv[1], NULL, 10) : 2;
  const uint8_t sector_id[FURROW_SECTOR_ID_SIZE] = {1, 2, 3};
  uint8_t* source = malloc(n * FURROW_RECORD_SIZE);
  uint8_t* records = malloc(n * FURROW_RECORD_SIZE);
  uint8_t* again = malloc(n * FURROW_RECORD_SIZE);
  uint8_t* map = malloc(n * FURROW_FOUND_PROOFS_SIZE);
  uint8_t* map_again = malloc(n * FURROW_FOUND_PROOFS_SIZE);
  CHECK(n > 0 && source != NULL && records != NULL && again != NULL && map != NULL &&
        map_again != NULL);
  fill(source, n * FURROW_RECORD_SIZE);
  memcpy(records, source, n * FURROW_RECORD_SIZE);
  memcpy(again, source, n * FURROW_RECORD_SIZE);

  /* A newer library has everything that an older one had. */
  CHECK(furrow_abi_version() >= FURROW_ABI_VERSION);
  CHECK(create("no such encoder", 1) == NULL);

  furrow_encoder* encoder = create("auto", 0);
  furrow_encoder* other = create("cpu", 1);
  CHECK(encoder != NULL && other != NULL);
  CHECK(furrow_encode_records(encoder, sector_id, records, n, map, NULL) == FURROW_OK);
  CHECK(furrow_encode_records(other, sector_id, again, n, map_again, NULL) == FURROW_OK);
  CHECK(memcmp(records, again, n * FURROW_RECORD_SIZE) == 0);
  CHECK(memcmp(map, map_again, n * FURROW_FOUND_PROOFS_SIZE) == 0);
  CHECK(memcmp(records, source, n * FURROW_RECORD_SIZE) != 0);
  for (size_t i = 0; i < n; ++i) {
    CHECK(count_bits(map + i * FURROW_FOUND_PROOFS_SIZE, FURROW_FOUND_PROOFS_SIZE) == 32768);
  }

  /* The last record once more, on its own: it is the one at piece offset n - 1. */
  memcpy(again, source + (n - 1) * FURROW_RECORD_SIZE, FURROW_RECORD_SIZE);
  CHECK(furrow_encode_records_at(other, sector_id, n - 1, again, 1, map_again, NULL) == FURROW_OK);
  CHECK(memcmp(records + (n - 1) * FURROW_RECORD_SIZE, again, FURROW_RECORD_SIZE) == 0);
  CHECK(memcmp(map + (n - 1) * FURROW_FOUND_PROOFS_SIZE, map_again, FURROW_FOUND_PROOFS_SIZE) == 0);

  const uint8_t abort_flag = 1;
  CHECK(furrow_encode_records(encoder, sector_id, again, n, map_again, &abort_flag) ==
        FURROW_CANCELLED);
  CHECK(furrow_encode_records(encoder, NULL, again, n, map_again, NULL) == FURROW_INVALID_ARGUMENT);
  CHECK(strlen(furrow_last_error()) > 0);
  CHECK(furrow_encode_records(encoder, sector_id, NULL, 0, NULL, NULL) == FURROW_OK);

  furrow_encoder_destroy(other);
  furrow_encoder_destroy(encoder);
  free(map_again);
  free(map);
  free(again);
  free(records);
  free(source);
  printf("libfurrow %s: %zu records encoded, two encoders agree\n", furrow_version(), n);
  return 0;
}
