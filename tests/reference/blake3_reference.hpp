// BLAKE3 as docs/spec/01-primitives.md, section 5, writes it down: recursion over the tree, one
// block at a time.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

namespace furrow::reference {

/// Plain hash, 32 bytes.
std::array<std::uint8_t, 32> blake3(const std::vector<std::uint8_t>& message);

}  // namespace furrow::reference
