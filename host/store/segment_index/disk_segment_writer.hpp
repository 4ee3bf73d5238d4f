// SPDX-License-Identifier: Apache-2.0
// Writes a segment from a stream of sorted entries, without ever holding all of them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <limits>
#include <memory>
#include <optional>

#include "host/base/pending_file.hpp"
#include "host/store/segment_index/disk_segment.hpp"
#include "host/store/segment_index/segment_summary.hpp"

namespace furrow {

/// Writes a PendingFile, which becomes seg_NNNNNN.bin when it is whole and durable: readers see the
/// whole file or none. Holds 448 KiB, the filter and the directory. Without finish(), or when that
/// fails, no file is left. Thread-compatible.
class DiskSegmentWriter {
 public:
  static constexpr std::uint32_t kMaxEntries = std::numeric_limits<std::uint32_t>::max();

  /// `capacity`: an upper bound of the number of entries; too large costs memory of the filter.
  DiskSegmentWriter(const std::filesystem::path& directory, std::uint64_t number,
                    std::uint64_t capacity, std::uint32_t max_entries = kMaxEntries);
  DiskSegmentWriter(const DiskSegmentWriter&) = delete;
  DiskSegmentWriter& operator=(const DiskSegmentWriter&) = delete;
  ~DiskSegmentWriter();

  /// Throws InvalidArgument when the entry does not come behind the one before, cannot be stored
  /// (check_storable), or is one too many; IoError when the system refuses.
  void append(const IndexEntry& entry);
  [[nodiscard]] std::uint32_t entry_count() const { return summary_.entry_count(); }
  /// Writes the header, makes the file durable, gives it its name and opens it. To be called once.
  std::shared_ptr<const DiskSegment> finish();

 private:
  void write_out();

  std::filesystem::path path_;
  std::uint64_t number_;
  std::uint32_t max_entries_;
  PendingFile file_;
  SegmentSummary summary_;
  EntryBlockBuffer buffer_{kBlocksPerTransfer};
  std::uint32_t buffered_ = 0;  // entries
  std::uint32_t next_block_ = 0;
  bool has_final_name_ = false;
  bool is_finished_ = false;
};

}  // namespace furrow
