// SPDX-License-Identifier: Apache-2.0
// Bloom filter of keys (docs/spec/08-storage-components.md, section 3.4): about 12 bits an entry, 7
// probes. All probes of a key fall into one cache line of 512 bits, so that a question costs one
// cache miss; for that the share of false positives is about 0.5 % instead of 0.3 %.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "host/store/segment_index/index_entry.hpp"

namespace furrow {

/// Never says no to a key that was inserted. Lives in memory only, so its hash is no format.
/// Thread-compatible; questions may run at once.
class BloomFilter {
 public:
  /// For up to `capacity` keys; more of them only raise the share of false positives.
  explicit BloomFilter(std::uint64_t capacity);

  /// What a filter sees of a key; compute it once to ask several filters.
  [[nodiscard]] static std::uint64_t hash(const IndexKey& key);

  void insert(std::uint64_t hash);
  [[nodiscard]] bool may_contain(std::uint64_t hash) const {
    const Line& line = line_of(hash);
    std::uint64_t probes = probes_of(hash);
    std::uint64_t all = 1;
    for (unsigned i = 0; i < kProbes; ++i) {
      all &= line.words[(probes >> 6) & 7] >> (probes & 63);
      probes >>= kProbeBits;
    }
    return (all & 1) != 0;
  }
  /// Asks for the memory that may_contain(hash) will read.
  void prefetch(std::uint64_t hash) const { __builtin_prefetch(&line_of(hash)); }

  [[nodiscard]] std::size_t memory_bytes() const { return lines_.size() * sizeof(Line); }

 private:
  static constexpr unsigned kBitsPerEntry = 12;
  static constexpr unsigned kProbes = 7;
  static constexpr unsigned kProbeBits = 9;  // of a place in a line
  struct alignas(64) Line {
    std::array<std::uint64_t, 8> words{};
  };

  /// The upper half of the hash, scaled to the number of lines.
  [[nodiscard]] const Line& line_of(std::uint64_t hash) const {
    return lines_[((hash >> 32) * lines_.size()) >> 32];
  }
  /// 63 bits for the probes from all of the hash, so that keys of one line differ in them.
  [[nodiscard]] static std::uint64_t probes_of(std::uint64_t hash) {
    return (hash * 0x9E3779B97F4A7C15U) ^ (hash >> 29);
  }

  std::vector<Line> lines_;
};

}  // namespace furrow
