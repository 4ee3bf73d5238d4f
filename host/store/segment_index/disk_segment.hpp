// SPDX-License-Identifier: Apache-2.0
// An immutable sorted run of entries on disk (docs/spec/08-storage-components.md, part 3). Filter
// and directory in memory make a miss free and a hit one read.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "host/base/file.hpp"
#include "host/store/segment_index/bloom_filter.hpp"
#include "host/store/segment_index/bucket_directory.hpp"
#include "host/store/segment_index/key_versions.hpp"
#include "host/store/segment_index/segment_format.hpp"

namespace furrow {

class DiskSegmentReader;

/// A key of a batch, with what the filters see of it and its place among the answers.
struct KeyQuery {
  const IndexKey* key;
  std::uint64_t hash;
  std::size_t slot;
};

/// A version found for the key with that slot.
struct FoundVersion {
  std::size_t slot;
  KeyVersion version;
};

/// What a batch took from disk.
struct BatchReads {
  std::size_t reads = 0;
  std::size_t blocks = 0;
};

/// Thread-safe without locks: reads are positioned, nothing changes. What is read is verified each
/// time it is; damage is a ChecksumMismatch or MalformedData that names file and block, never an
/// answer.
class DiskSegment {
 public:
  /// Blocks that one entry of the directory stands for.
  static constexpr std::uint32_t kBlocksPerBucket = 4;
  /// A merged read of a batch takes no more than this.
  static constexpr std::uint32_t kMaxBlocksPerRead = 256;

  /// Opens a segment file and reads all of it once: verifies header, length, every checksum, the
  /// order of entries and their heights, and makes filter and directory. Throws IoError,
  /// InvalidBytesLength, ChecksumMismatch, MalformedData or UnsupportedSegmentVersion.
  static std::shared_ptr<const DiskSegment> open(const std::filesystem::path& path);

  /// For the writer, which has all of it already.
  DiskSegment(File file, const DiskSegmentHeader& header, BloomFilter filter,
              BucketDirectory directory);

  [[nodiscard]] const DiskSegmentHeader& header() const { return header_; }
  [[nodiscard]] std::uint32_t entry_count() const { return header_.entry_count; }
  [[nodiscard]] const HeightRange& heights() const { return header_.heights; }
  [[nodiscard]] const std::filesystem::path& path() const { return file_.path(); }
  /// Filter and directory.
  [[nodiscard]] std::size_t memory_bytes() const {
    return filter_.memory_bytes() + directory_.memory_bytes();
  }

  /// Appends the versions of the key in the window to `out`.
  void collect(const IndexKey& key, std::uint64_t hash, HeightWindow window,
               std::vector<KeyVersion>& out) const;
  /// The same for many keys in any order: every bucket is read once, neighbours in one read (only
  /// where a read would become too long, a bucket may be read again).
  BatchReads collect_batch(std::span<const KeyQuery> queries, HeightWindow window,
                           std::vector<FoundVersion>& out) const;
  /// The answer of this segment alone.
  [[nodiscard]] std::optional<EntryId> lookup(const IndexKey& key, HeightWindow window = {}) const;

  /// Reads and verifies blocks first to first + n - 1. Pre: they exist, and the buffer has room.
  void read_blocks(std::uint32_t first, std::uint32_t n, EntryBlockBuffer& buffer) const;
  /// All entries in order, a few at a time. The segment must outlive the reader.
  [[nodiscard]] DiskSegmentReader read() const;
  /// All entries, in memory.
  [[nodiscard]] std::vector<IndexEntry> read_all() const;

 private:
  [[nodiscard]] std::uint32_t block_count() const { return entry_blocks_for(header_.entry_count); }
  [[nodiscard]] std::uint32_t entries_in(std::uint32_t first_block, std::uint32_t n_blocks) const;
  /// Block `at + i` of the buffer was read as block `first + i` of the file, for i < n, and its tag
  /// fits. Checks that it is the one that belongs there.
  void check_place(const EntryBlockBuffer& buffer, std::uint32_t at, std::uint32_t first,
                   std::uint32_t n) const;

  File file_;
  DiskSegmentHeader header_;
  BloomFilter filter_;
  BucketDirectory directory_;
};

}  // namespace furrow
