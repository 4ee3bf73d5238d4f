/* SPDX-License-Identifier: Apache-2.0 */
/* Encodes one record through the C interface of libfurrow, and compares the result with what the
 * reference implementation makes of it.
 *
 *   encode_record [SECTOR_ID_SEED RECORD_SEED PIECE_OFFSET BLAKE3]
 *
 * The arguments are those of a case in tests/golden/record_encoding.json; without them it is the
 * first one. Exit code 0: the same bytes; 1: other bytes; 2: it cannot be done.
 *
 *   cc encode_record.c $(pkg-config --cflags --libs furrow) -o encode_record
 */
#include <furrow/furrow.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The made-up bytes of the golden vectors: outputs of splitmix64, little-endian. */
static void fill(uint64_t seed, uint8_t* bytes, size_t size) {
  uint64_t state = seed;
  for (size_t i = 0; i < size; i += 8) {
    state += UINT64_C(0x9E3779B97F4A7C15);
    uint64_t z = state;
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    z = z ^ (z >> 31);
    for (size_t k = 0; k < 8 && i + k < size; ++k) {
      bytes[i + k] = (uint8_t)(z >> (8 * k));
    }
  }
}

/* What the last call on this thread failed with. */
static void print_error(const char* what) {
  furrow_error error;
  error.size = sizeof(error);
  furrow_last_error_get(&error);
  fprintf(stderr, "encode_record: %s: %s\n  status %s, kind %s\n", what, error.message,
          furrow_status_name(error.status), furrow_error_kind_name(error.kind));
  if ((error.fields & FURROW_HAS_PIECE_OFFSET) != 0) {
    fprintf(stderr, "  piece offset %u\n", error.piece_offset);
  }
  if (error.expected[0] != '\0' || error.actual[0] != '\0') {
    fprintf(stderr, "  expected %s, actual %s\n", error.expected, error.actual);
  }
}

static void print_record(void* user, size_t piece_offset) {
  (void)user;
  fprintf(stderr, "record at piece offset %zu is encoded\n", piece_offset);
}

/* Encodes the record and writes the BLAKE3 of its encoded form; 0 when that was done. */
static int encode(uint64_t sector_id_seed, uint64_t record_seed, size_t piece_offset,
                  uint8_t* hash) {
  static uint8_t record[FURROW_RECORD_SIZE];
  static uint8_t found_proofs[FURROW_FOUND_PROOFS_SIZE];
  uint8_t sector_id[FURROW_SECTOR_ID_SIZE];
  fill(sector_id_seed, sector_id, sizeof(sector_id));
  fill(record_seed, record, sizeof(record));

  int result = -1;
  furrow_library* library = NULL;
  furrow_encoder* encoder = NULL;
  furrow_encode_request request;
  furrow_encoder_info info;

  if (furrow_library_create(NULL, &library) != FURROW_OK) {
    print_error("no library");
    goto end;
  }
  /* Every CUDA device, or the CPU when there is none. */
  if (furrow_encoder_open(library, NULL, &encoder) != FURROW_OK) {
    print_error("no encoder");
    goto end;
  }
  info.size = sizeof(info);
  if (furrow_encoder_get_info(encoder, &info) == FURROW_OK) {
    fprintf(stderr, "libfurrow %s encodes on %s\n", furrow_version(), info.name);
  }

  furrow_encode_request_init(&request, sizeof(request));
  request.sector_id = sector_id;
  request.records = record;
  request.record_count = 1;
  request.first_offset = piece_offset;
  request.contents_map = found_proofs;
  request.on_record = print_record;
  if (furrow_encoder_encode(encoder, &request) != FURROW_OK) {
    print_error("the record cannot be encoded");
    goto end;
  }
  if (furrow_hash(record, sizeof(record), hash) != FURROW_OK) {
    print_error("no hash");
    goto end;
  }
  result = 0;

end:
  furrow_encoder_destroy(encoder);
  furrow_library_destroy(library);
  return result;
}

int main(int argc, char** argv) {
  uint64_t sector_id_seed = UINT64_C(0x0000000100060000);
  uint64_t record_seed = UINT64_C(0x0000000100070000);
  size_t piece_offset = 0;
  const char* expected = "232b22d8c0d7cd7987227bf21b77ecf5978466dd647da71bb84423fdaba6506b";
  if (argc == 5) {
    sector_id_seed = strtoull(argv[1], NULL, 0);
    record_seed = strtoull(argv[2], NULL, 0);
    piece_offset = strtoul(argv[3], NULL, 0);
    expected = argv[4];
  } else if (argc != 1) {
    fprintf(stderr, "usage: encode_record [SECTOR_ID_SEED RECORD_SEED PIECE_OFFSET BLAKE3]\n");
    return 2;
  }

  uint8_t hash[FURROW_HASH_SIZE];
  if (encode(sector_id_seed, record_seed, piece_offset, hash) != 0) {
    return 2;
  }
  char actual[2 * FURROW_HASH_SIZE + 1];
  for (size_t i = 0; i < FURROW_HASH_SIZE; ++i) {
    snprintf(actual + 2 * i, 3, "%02x", hash[i]);
  }
  printf("%s\n", actual);
  if (strcmp(actual, expected) != 0) {
    fprintf(stderr, "encode_record: expected %s\n", expected);
    return 1;
  }
  return 0;
}
