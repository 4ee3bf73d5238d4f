// SPDX-License-Identifier: Apache-2.0
// BLAKE3 as docs/spec/01-primitives.md, section 5, describes it: block after block, trees by
// recursion.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

namespace furrow::reference {

std::array<std::uint8_t, 32> blake3(const std::vector<std::uint8_t>& message);

std::array<std::uint8_t, 32> blake3_keyed(const std::array<std::uint8_t, 32>& key,
                                          const std::vector<std::uint8_t>& message);

}  // namespace furrow::reference
