// SPDX-License-Identifier: Apache-2.0
// BLAKE3 of many equal-sized inputs at once: the form in which SIMD pays.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "furrow/types.hpp"

#include "host/base/simd_mode.hpp"

namespace furrow {

/// Plain hashes of `out.size()` messages of `length` bytes each, back to back in `messages`.
/// Pre: 1 <= length <= 1024 and length is a multiple of 4, messages.size() == length * out.size().
void blake3_many(SimdMode mode, std::span<const std::uint8_t> messages, std::size_t length,
                 std::span<Hash> out);
/// Plain hashes of messages that begin `stride` bytes apart; between them may stand anything, and
/// behind the last one nothing. Pre: as above, stride >= length, and `messages` has the last one.
void blake3_many_strided(SimdMode mode, std::span<const std::uint8_t> messages, std::size_t length,
                         std::size_t stride, std::span<Hash> out);
/// Keyed form. `out` may be the start of `messages` (each hash is written after its input was
/// read).
void blake3_many_keyed(SimdMode mode, const Hash& key, std::span<const std::uint8_t> messages,
                       std::size_t length, std::span<Hash> out);

/// Widest vector of any target in 32-bit lanes.
inline constexpr std::size_t kMaxLanes = 16;

namespace detail {

/// One layer of work inside BLAKE3 trees: `count` inputs of `n_blocks` whole blocks, `input_stride`
/// bytes apart, the last block `last_block_length` bytes long, to chaining values of 32 bytes back
/// to back.
struct Blake3Batch {
  const std::uint8_t* inputs;
  std::size_t input_stride;
  std::size_t n_blocks;
  std::uint32_t last_block_length;
  const std::uint32_t* key;  // 8 words
  std::uint64_t counter;     // of the first input
  bool increment_counter;
  std::uint32_t flags;  // of every block
  std::uint32_t flags_start;
  std::uint32_t flags_end;
  std::uint8_t* out;
  /// Inputs and output have room for whole vectors of kMaxLanes, which may be read and written.
  bool padded = false;
};
void blake3_batch(SimdMode mode, const Blake3Batch& batch, std::size_t count);

}  // namespace detail

}  // namespace furrow
