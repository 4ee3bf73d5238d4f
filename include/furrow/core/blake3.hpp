// SPDX-License-Identifier: Apache-2.0
// BLAKE3 compression function and the hash of at most one block
// (docs/spec/01-primitives.md, section 5). Trees of chunks are built in host/crypto.
#pragma once

#include "furrow/core/bits.hpp"
#include "furrow/core/config.hpp"

namespace furrow::core::blake3 {

inline constexpr std::size_t kBlockSize = 64;
inline constexpr std::size_t kChunkSize = 1024;

inline constexpr std::uint32_t kChunkStart = 1;
inline constexpr std::uint32_t kChunkEnd = 2;
inline constexpr std::uint32_t kParent = 4;
inline constexpr std::uint32_t kRoot = 8;
inline constexpr std::uint32_t kKeyedHash = 16;

// Tables are local to the functions that read them: device code cannot index a constant of
// namespace scope.

/// Initial chaining value.
FURROW_HD constexpr std::uint32_t iv(unsigned word) {
  constexpr std::uint32_t kWords[8] = {0x6A09E667, 0xBB67AE85, 0x3C6EF372, 0xA54FF53A,
                                       0x510E527F, 0x9B05688C, 0x1F83D9AB, 0x5BE0CD19};
  return kWords[word];
}

/// Which message word is used `place`-th (0 to 15) in one of the seven rounds.
FURROW_HD constexpr unsigned message_index(unsigned round, unsigned place) {
  constexpr std::uint8_t kSchedule[7][16] = {
      {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
      {2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8},
      {3, 4, 10, 12, 13, 2, 7, 14, 6, 5, 9, 0, 11, 15, 8, 1},
      {10, 7, 12, 9, 14, 3, 13, 15, 4, 0, 11, 2, 5, 8, 1, 6},
      {12, 13, 9, 11, 15, 10, 14, 8, 7, 2, 5, 3, 0, 1, 6, 4},
      {9, 14, 11, 5, 8, 12, 15, 1, 13, 3, 0, 10, 2, 6, 4, 7},
      {11, 15, 5, 0, 1, 9, 8, 6, 14, 10, 2, 12, 3, 4, 7, 13}};
  return kSchedule[round][place];
}

/// The initial chaining value as an array, for host code.
inline constexpr std::uint32_t kIv[8] = {iv(0), iv(1), iv(2), iv(3), iv(4), iv(5), iv(6), iv(7)};

FURROW_HD constexpr void quarter_round(std::uint32_t* v, unsigned a, unsigned b, unsigned c,
                                       unsigned d, std::uint32_t x, std::uint32_t y) {
  v[a] = v[a] + v[b] + x;
  v[d] = rotate_right(v[d] ^ v[a], 16);
  v[c] = v[c] + v[d];
  v[b] = rotate_right(v[b] ^ v[c], 12);
  v[a] = v[a] + v[b] + y;
  v[d] = rotate_right(v[d] ^ v[a], 8);
  v[c] = v[c] + v[d];
  v[b] = rotate_right(v[b] ^ v[c], 7);
}

/// The compression function. `out` gets 16 words: the first 8 are the chaining value or the hash,
/// all 16 are a block of extended output.
FURROW_HD constexpr void compress(const std::uint32_t* chaining_value, const std::uint32_t* message,
                                  std::uint64_t counter, std::uint32_t block_length,
                                  std::uint32_t flags, std::uint32_t* out) {
  std::uint32_t v[16] = {};
  FURROW_UNROLL
  for (unsigned i = 0; i < 8; ++i) {
    v[i] = chaining_value[i];
  }
  FURROW_UNROLL
  for (unsigned i = 0; i < 4; ++i) {
    v[8 + i] = iv(i);
  }
  v[12] = static_cast<std::uint32_t>(counter);
  v[13] = static_cast<std::uint32_t>(counter >> 32);
  v[14] = block_length;
  v[15] = flags;
  FURROW_UNROLL
  for (unsigned round = 0; round < 7; ++round) {
    const auto m = [&](unsigned place) { return message[message_index(round, place)]; };
    quarter_round(v, 0, 4, 8, 12, m(0), m(1));
    quarter_round(v, 1, 5, 9, 13, m(2), m(3));
    quarter_round(v, 2, 6, 10, 14, m(4), m(5));
    quarter_round(v, 3, 7, 11, 15, m(6), m(7));
    quarter_round(v, 0, 5, 10, 15, m(8), m(9));
    quarter_round(v, 1, 6, 11, 12, m(10), m(11));
    quarter_round(v, 2, 7, 8, 13, m(12), m(13));
    quarter_round(v, 3, 4, 9, 14, m(14), m(15));
  }
  FURROW_UNROLL
  for (unsigned i = 0; i < 8; ++i) {
    out[i] = v[i] ^ v[8 + i];
    out[8 + i] = v[8 + i] ^ chaining_value[i];
  }
}

/// Plain hash of a message of at most 64 bytes, given as 16 little-endian words, zero-padded.
FURROW_HD constexpr void hash_single_block(const std::uint32_t* message, std::uint32_t length,
                                           std::uint32_t* out_words) {
  std::uint32_t initial[8] = {};
  FURROW_UNROLL
  for (unsigned i = 0; i < 8; ++i) {
    initial[i] = iv(i);
  }
  std::uint32_t out[16] = {};
  compress(initial, message, 0, length, kChunkStart | kChunkEnd | kRoot, out);
  FURROW_UNROLL
  for (unsigned i = 0; i < 8; ++i) {
    out_words[i] = out[i];
  }
}

}  // namespace furrow::core::blake3
