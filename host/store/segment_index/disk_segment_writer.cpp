// SPDX-License-Identifier: Apache-2.0
#include "host/store/segment_index/disk_segment_writer.hpp"

#include <algorithm>
#include <string>
#include <system_error>

namespace furrow {
DiskSegmentWriter::DiskSegmentWriter(const std::filesystem::path& directory, std::uint64_t number,
                                     std::uint64_t capacity, std::uint32_t max_entries)
    : path_(directory / segment_file_name(number)),
      number_(number),
      max_entries_(max_entries),
      file_(path_, PendingFile::Publish::kReplace),
      summary_(capacity, DiskSegment::kBlocksPerBucket * kEntriesPerBlock) {}

DiskSegmentWriter::~DiskSegmentWriter() {
  std::error_code ignored;
  if (has_final_name_ && !is_finished_) {
    std::filesystem::remove(path_, ignored);
  }
}

void DiskSegmentWriter::append(const IndexEntry& entry) {
  check_storable(entry);
  if (entry_count() == max_entries_) {
    throw InvalidArgument(path_.native() + ": a segment holds at most " +
                          std::to_string(max_entries_) + " entries");
  }
  if (!summary_.add(entry)) {
    throw InvalidArgument(path_.native() + ": entry " + std::to_string(entry_count()) +
                          " does not come behind the one before it");
  }
  encode_entry(entry, buffer_.block(buffered_ / kEntriesPerBlock) +
                          (buffered_ % kEntriesPerBlock) * kIndexEntrySize);
  if (++buffered_ == kBlocksPerTransfer * kEntriesPerBlock) {
    write_out();
  }
}

void DiskSegmentWriter::write_out() {
  const std::uint32_t n_blocks = entry_blocks_for(buffered_);
  if (const std::uint32_t in_last = buffered_ % kEntriesPerBlock; in_last != 0) {
    std::uint8_t* last = buffer_.block(n_blocks - 1);
    std::fill(last + in_last * kIndexEntrySize, last + kEntryBlockPayloadSize, std::uint8_t{0});
  }
  buffer_.seal(n_blocks);
  file_.file().write_at(entry_block_offset(next_block_), buffer_.first(n_blocks));
  summary_.add_blocks(buffer_, n_blocks);
  next_block_ += n_blocks;
  buffered_ = 0;
}

std::shared_ptr<const DiskSegment> DiskSegmentWriter::finish() {
  write_out();
  const DiskSegmentHeader header = summary_.header(number_);
  file_.file().write_at(0, header.encode());
  has_final_name_ = true;  // also when only the sync behind the rename fails
  file_.publish();
  auto segment = std::make_shared<const DiskSegment>(
      File::open_read(path_), header, summary_.take_filter(), summary_.take_directory());
  is_finished_ = true;
  return segment;
}

}  // namespace furrow
