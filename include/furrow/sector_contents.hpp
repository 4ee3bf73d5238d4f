// SPDX-License-Identifier: Apache-2.0
// What a sector consists of once its records are encoded.
#pragma once

#include <bit>
#include <span>

#include "furrow/core/bits.hpp"
#include "furrow/piece.hpp"
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

/// All three by piece offset and of the same length, 1 to 65535. Chunk k of a record belongs to the
/// k-th s-bucket of its bitmap, which has at most 32768 bits set.
struct SectorContents {
  std::span<const FoundProofs> found_proofs;
  std::span<const Record> records;  ///< encoded
  std::span<const RecordMetadata> metadata;
};

}  // namespace furrow
