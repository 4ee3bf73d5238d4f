// SPDX-License-Identifier: Apache-2.0
// Size of an array in bytes, for owners of memory.
#pragma once

#include <cstddef>
#include <limits>

namespace furrow::cuda {

/// Bytes of `size` elements. A product that does not fit is more than any memory has, so asking for
/// it fails as it should.
template <class T>
constexpr std::size_t array_bytes(std::size_t size) {
  constexpr std::size_t kMost = std::numeric_limits<std::size_t>::max();
  return size > kMost / sizeof(T) ? kMost : size * sizeof(T);
}

}  // namespace furrow::cuda
