// SPDX-License-Identifier: Apache-2.0
// Reads all entries of a segment file in order, 448 KiB at a time.
#pragma once

#include <functional>

#include "host/base/file.hpp"
#include "host/store/segment_index/entry_source.hpp"
#include "host/store/segment_index/segment_format.hpp"

namespace furrow {

/// Every block is verified before an entry of it is given out; damage is a ChecksumMismatch or
/// MalformedData. Several readers may read one file.
class DiskSegmentReader : public EntrySource {
 public:
  /// Sees verified blocks before their entries are given out.
  using BlockObserver = std::function<void(const EntryBlockBuffer& blocks, std::uint32_t n_blocks)>;

  /// `file` must outlive the reader.
  DiskSegmentReader(const File& file, const DiskSegmentHeader& header, BlockObserver observer = {});
  const IndexEntry* peek() override;
  void advance() override;

 private:
  void read_on();

  const File* file_;
  BlockObserver observer_;
  std::uint32_t entry_count_;
  std::uint64_t next_entry_ = 0;
  std::uint32_t next_block_ = 0;
  /// Number of the first entry in the buffer.
  std::uint64_t buffer_begin_ = 0;
  EntryBlockBuffer buffer_;
  IndexEntry entry_;
  bool has_entry_ = false;
};

}  // namespace furrow
