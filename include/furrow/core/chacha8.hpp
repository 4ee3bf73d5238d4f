// SPDX-License-Identifier: Apache-2.0
// ChaCha8 keystream, IETF layout, nonce 0 (docs/spec/01-primitives.md, section 6).
#pragma once

#include "furrow/core/bits.hpp"
#include "furrow/core/config.hpp"

namespace furrow::core::chacha8 {

inline constexpr std::size_t kBlockSize = 64;

FURROW_HD constexpr void quarter_round(std::uint32_t* v, unsigned a, unsigned b, unsigned c,
                                       unsigned d) {
  v[a] += v[b];
  v[d] = rotate_left(v[d] ^ v[a], 16);
  v[c] += v[d];
  v[b] = rotate_left(v[b] ^ v[c], 12);
  v[a] += v[b];
  v[d] = rotate_left(v[d] ^ v[a], 8);
  v[c] += v[d];
  v[b] = rotate_left(v[b] ^ v[c], 7);
}

/// Block number `counter` of the keystream of `key` (8 little-endian words) as 16 little-endian
/// words.
FURROW_HD constexpr void keystream_block(const std::uint32_t* key, std::uint32_t counter,
                                         std::uint32_t* out) {
  std::uint32_t initial[16] = {0x61707865, 0x3320646E, 0x79622D32, 0x6B206574};
  FURROW_UNROLL
  for (unsigned i = 0; i < 8; ++i) {
    initial[4 + i] = key[i];
  }
  initial[12] = counter;
  std::uint32_t v[16] = {};
  FURROW_UNROLL
  for (unsigned i = 0; i < 16; ++i) {
    v[i] = initial[i];
  }
  FURROW_UNROLL
  for (unsigned double_round = 0; double_round < 4; ++double_round) {
    quarter_round(v, 0, 4, 8, 12);
    quarter_round(v, 1, 5, 9, 13);
    quarter_round(v, 2, 6, 10, 14);
    quarter_round(v, 3, 7, 11, 15);
    quarter_round(v, 0, 5, 10, 15);
    quarter_round(v, 1, 6, 11, 12);
    quarter_round(v, 2, 7, 8, 13);
    quarter_round(v, 3, 4, 9, 14);
  }
  FURROW_UNROLL
  for (unsigned i = 0; i < 16; ++i) {
    out[i] = v[i] + initial[i];
  }
}

}  // namespace furrow::core::chacha8
