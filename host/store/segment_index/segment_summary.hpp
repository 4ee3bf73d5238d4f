// SPDX-License-Identifier: Apache-2.0
// What is known of a segment when all of its entries have gone by once, whether they were written
// or read: order and heights, filter, directory, and the hash over all tags.
#pragma once

#include <cstdint>
#include <optional>

#include "host/crypto/blake3.hpp"
#include "host/store/segment_index/bloom_filter.hpp"
#include "host/store/segment_index/bucket_directory.hpp"
#include "host/store/segment_index/segment_format.hpp"

namespace furrow {

class SegmentSummary {
 public:
  /// `capacity` is an upper bound of the number of entries.
  SegmentSummary(std::uint64_t capacity, std::uint32_t entries_per_bucket)
      : filter_(capacity), entries_per_bucket_(entries_per_bucket) {}

  /// Returns false, and takes nothing, when the entry does not come behind the one before it.
  [[nodiscard]] bool add(const IndexEntry& entry) {
    if (last_ && !comes_before(*last_, entry)) {
      return false;
    }
    if (!last_ || last_->key != entry.key) {
      filter_.insert(BloomFilter::hash(entry.key));
    }
    if (header_.entry_count % entries_per_bucket_ == 0) {
      directory_.add_bucket(entry.key);
    }
    header_.heights.include(entry.height);
    ++header_.entry_count;
    last_ = entry;
    return true;
  }
  /// Blocks in the order of the file, tags in place.
  void add_blocks(const EntryBlockBuffer& blocks, std::uint32_t n_blocks) {
    for (std::uint32_t i = 0; i < n_blocks; ++i) {
      tags_.update({blocks.block(i) + kEntryBlockPayloadSize, kEntryBlockTagSize});
    }
  }

  [[nodiscard]] std::uint32_t entry_count() const { return header_.entry_count; }
  [[nodiscard]] DiskSegmentHeader header(std::uint64_t number) const {
    DiskSegmentHeader header = header_;
    header.number = number;
    header.contents = tags_.finalize();
    return header;
  }
  [[nodiscard]] BloomFilter take_filter() { return std::move(filter_); }
  [[nodiscard]] BucketDirectory take_directory() {
    directory_.shrink();
    return std::move(directory_);
  }

 private:
  BloomFilter filter_;
  BucketDirectory directory_;
  Blake3Hasher tags_;
  DiskSegmentHeader header_;
  std::uint32_t entries_per_bucket_;
  std::optional<IndexEntry> last_;
};

}  // namespace furrow
