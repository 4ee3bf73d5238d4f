// SPDX-License-Identifier: Apache-2.0
#include "host/store/segment_index/disk_segment_reader.hpp"

#include <algorithm>

namespace furrow {

DiskSegmentReader::DiskSegmentReader(const File& file, const DiskSegmentHeader& header,
                                     BlockObserver observer)
    : file_(&file),
      observer_(std::move(observer)),
      entry_count_(header.entry_count),
      buffer_(std::min(entry_blocks_for(header.entry_count), kBlocksPerTransfer)) {}

const IndexEntry* DiskSegmentReader::peek() {
  if (has_entry_) {
    return &entry_;
  }
  if (next_entry_ == entry_count_) {
    return nullptr;
  }
  if (next_entry_ == std::uint64_t{next_block_} * kEntriesPerBlock) {
    read_on();
  }
  const auto i = static_cast<std::uint32_t>(next_entry_ - buffer_begin_);
  entry_ =
      decode_entry(buffer_.block(i / kEntriesPerBlock) + (i % kEntriesPerBlock) * kIndexEntrySize,
                   file_->path().native());
  has_entry_ = true;
  return &entry_;
}

void DiskSegmentReader::advance() {
  ++next_entry_;
  has_entry_ = false;
}

void DiskSegmentReader::read_on() {
  const std::uint32_t n = std::min(entry_blocks_for(entry_count_) - next_block_, buffer_.size());
  file_->read_at(entry_block_offset(next_block_), buffer_.first(n));
  if (const std::uint32_t damaged = buffer_.first_damaged(n); damaged != n) {
    throw buffer_.mismatch(damaged, file_->path(), next_block_ + damaged);
  }
  if (observer_) {
    observer_(buffer_, n);
  }
  buffer_begin_ = std::uint64_t{next_block_} * kEntriesPerBlock;
  next_block_ += n;
  const std::uint32_t entries_in_last = entry_count_ % kEntriesPerBlock;
  if (next_block_ == entry_blocks_for(entry_count_) && entries_in_last != 0) {
    const std::uint8_t* last = buffer_.block(n - 1);
    if (std::any_of(last + entries_in_last * kIndexEntrySize, last + kEntryBlockPayloadSize,
                    [](std::uint8_t byte) { return byte != 0; })) {
      throw MalformedData(file_->path().native() + ": something stands behind the last entry");
    }
  }
}

}  // namespace furrow
