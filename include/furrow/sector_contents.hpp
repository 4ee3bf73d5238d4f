// SPDX-License-Identifier: Apache-2.0
// What the bitmaps of encoded records say.
#pragma once

#include <bit>
#include <cstddef>

#include "furrow/core/bits.hpp"
#include "furrow/types.hpp"

namespace furrow {

/// Set bits of a bitmap.
[[nodiscard]] inline std::size_t count_s_buckets(const FoundProofs& bitmap) {
  std::size_t n = 0;
  for (std::size_t i = 0; i < bitmap.size(); i += 8) {
    n += static_cast<std::size_t>(std::popcount(core::load_le64(bitmap.data() + i)));
  }
  return n;
}

}  // namespace furrow
