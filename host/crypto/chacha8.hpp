// SPDX-License-Identifier: Apache-2.0
// ChaCha8 keystream as bytes (docs/spec/01-primitives.md, section 6).
#pragma once

#include <cstdint>
#include <span>

#include "host/base/simd_mode.hpp"

namespace furrow {

/// Writes the first out.size() bytes of the keystream of the 32-byte `key`, nonce 0.
/// Pre: out.size() <= 2^38, so that the counter stays in its word.
void chacha8_keystream(std::span<const std::uint8_t, 32> key, std::span<std::uint8_t> out);

/// Writes `n_blocks` blocks of 64 bytes of the same keystream, from block `first` on.
/// Pre: first + n_blocks <= 2^32.
void chacha8_blocks(SimdMode mode, std::span<const std::uint8_t, 32> key, std::uint32_t first,
                    std::size_t n_blocks, std::uint8_t* out);

}  // namespace furrow
