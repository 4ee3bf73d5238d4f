// ChaCha8 keystream as bytes (docs/spec/01-primitives.md, section 6).
#pragma once

#include <cstdint>
#include <span>

namespace furrow {

/// Writes the first out.size() bytes of the keystream of the 32-byte `key`, nonce 0.
/// Pre: out.size() <= 2^38, so that the counter stays in its word.
void chacha8_keystream(std::span<const std::uint8_t, 32> key, std::span<std::uint8_t> out);

}  // namespace furrow
