// SPDX-License-Identifier: Apache-2.0
// How many bitmaps of s-buckets have each bit.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "furrow/core/bits.hpp"
#include "furrow/types.hpp"

namespace furrow {

/// Counts of all 65536 s-buckets, kept for 64 of them at a time as numbers of one bit in each of 16
/// words: adding a bitmap costs a few steps for 64 s-buckets. At most 65535 bitmaps.
class SBucketCounts {
 public:
  /// Pre: fewer than 65535 bitmaps were added.
  void add(const FoundProofs& bitmap) {
    for (std::size_t word = 0; word < planes_.size(); ++word) {
      std::uint64_t carry = core::load_le64(bitmap.data() + 8 * word);
      for (std::size_t plane = 0; carry != 0; ++plane) {
        const std::uint64_t sum = planes_[word][plane] ^ carry;
        carry &= planes_[word][plane];
        planes_[word][plane] = sum;
      }
    }
  }

  [[nodiscard]] std::uint16_t of(std::size_t s_bucket) const {
    std::uint64_t count = 0;
    for (std::size_t plane = 0; plane < kPlanes; ++plane) {
      count |= (planes_[s_bucket / 64][plane] >> (s_bucket % 64) & 1) << plane;
    }
    return static_cast<std::uint16_t>(count);
  }

 private:
  static constexpr std::size_t kPlanes = 16;
  // Bit i of plane j of a word is bit j of the count of the word's s-bucket i.
  std::vector<std::array<std::uint64_t, kPlanes>> planes_ =
      std::vector<std::array<std::uint64_t, kPlanes>>(kNumSBuckets / 64);
};

}  // namespace furrow
