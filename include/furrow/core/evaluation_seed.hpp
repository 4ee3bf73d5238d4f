// SPDX-License-Identifier: Apache-2.0
// Seed of the proof of space of one record (docs/spec/01-primitives.md, section 9).
#pragma once

#include "furrow/core/blake3.hpp"
#include "furrow/core/params.hpp"

namespace furrow::core {

/// BLAKE3 of the sector id (32 bytes) and the piece offset as two bytes, which is one block. `seed`
/// gets 32 bytes.
FURROW_HD constexpr void evaluation_seed(const std::uint8_t* sector_id, std::uint16_t piece_offset,
                                         std::uint8_t* seed) {
  std::uint32_t message[16] = {};
  for (unsigned i = 0; i < 8; ++i) {
    message[i] = load_le32(sector_id + 4 * i);
  }
  message[8] = piece_offset;
  std::uint32_t hash[8] = {};
  blake3::hash_single_block(message, kHashSize + 2, hash);
  for (unsigned i = 0; i < 8; ++i) {
    store_le32(seed + 4 * i, hash[i]);
  }
}

}  // namespace furrow::core
