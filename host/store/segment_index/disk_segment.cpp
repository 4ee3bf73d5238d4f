// SPDX-License-Identifier: Apache-2.0
#include "host/store/segment_index/disk_segment.hpp"

#include <algorithm>
#include <cstring>
#include <string>

#include "host/base/hex.hpp"
#include "host/store/segment_index/block_search.hpp"
#include "host/store/segment_index/disk_segment_reader.hpp"
#include "host/store/segment_index/segment_summary.hpp"

namespace furrow {
namespace {

constexpr std::uint32_t kEntriesPerBucket = DiskSegment::kBlocksPerBucket * kEntriesPerBlock;
}  // namespace

std::shared_ptr<const DiskSegment> DiskSegment::open(const std::filesystem::path& path) {
  File file = File::open_read(path);
  const std::uint64_t size = file.size();
  if (size < kDiskSegmentHeaderSize) {
    throw InvalidBytesLength(path.native() + ": header", kDiskSegmentHeaderSize, size);
  }
  std::vector<std::uint8_t> header_bytes(kDiskSegmentHeaderSize);
  file.read_at(0, header_bytes);
  const DiskSegmentHeader header = DiskSegmentHeader::decode(header_bytes, path.native());
  if (const std::uint64_t expected = segment_file_size(header.entry_count); size != expected) {
    throw InvalidBytesLength(path.native(), expected, size);
  }
  SegmentSummary summary(header.entry_count, kEntriesPerBucket);
  DiskSegmentReader reader(file, header,
                           [&](const EntryBlockBuffer& blocks, std::uint32_t n_blocks) {
                             summary.add_blocks(blocks, n_blocks);
                           });
  while (const IndexEntry* entry = reader.peek()) {
    if (!summary.add(*entry)) {
      throw MalformedData(path.native() + ": entry " + std::to_string(summary.entry_count()) +
                          " does not come behind the one before it");
    }
    reader.advance();
  }
  const DiskSegmentHeader actual = summary.header(header.number);
  if (actual.contents != header.contents) {
    throw ChecksumMismatch(path.native() + ": tags of all blocks", to_hex(header.contents),
                           to_hex(actual.contents));
  }
  if (actual.heights != header.heights) {
    throw MalformedData(
        path.native() + ": heights: expected " + std::to_string(header.heights.min) + " to " +
        std::to_string(header.heights.max) + ", actual " + std::to_string(actual.heights.min) +
        " to " + std::to_string(actual.heights.max));
  }
  return std::make_shared<const DiskSegment>(std::move(file), header, summary.take_filter(),
                                             summary.take_directory());
}

DiskSegment::DiskSegment(File file, const DiskSegmentHeader& header, BloomFilter filter,
                         BucketDirectory directory)
    : file_(std::move(file)),
      header_(header),
      filter_(std::move(filter)),
      directory_(std::move(directory)) {}

std::uint32_t DiskSegment::entries_in(std::uint32_t first_block, std::uint32_t n_blocks) const {
  const std::uint64_t begin = std::uint64_t{first_block} * kEntriesPerBlock;
  const std::uint64_t end = begin + std::uint64_t{n_blocks} * kEntriesPerBlock;
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(end, entry_count()) - begin);
}

// Fitting tags say that the blocks are whole, this says that they are the right ones: a disk can
// give a sound block of another place, or an old one.
void DiskSegment::check_place(const EntryBlockBuffer& buffer, std::uint32_t at, std::uint32_t first,
                              std::uint32_t n) const {
  const auto key_at = [](const std::uint8_t* entry) {
    IndexKey key;
    std::memcpy(key.data(), entry, IndexKey::size());
    return key;
  };
  constexpr std::size_t kLastEntryAt = (kEntriesPerBlock - 1) * kIndexEntrySize;
  for (std::uint32_t i = 0; i < n; ++i) {
    const std::uint8_t* block = buffer.block(at + i);
    const std::uint32_t bucket = (first + i) / kBlocksPerBucket;
    const std::uint32_t place = (first + i) % kBlocksPerBucket;
    bool is_right = true;
    if (place == 0) {
      is_right = directory_.compare_with_first(key_at(block), bucket) == 0;
    } else if (i > 0) {
      is_right = std::memcmp(buffer.block(at + i - 1) + kLastEntryAt, block, IndexKey::size()) <= 0;
    }
    if (place + 1 == kBlocksPerBucket && bucket + 1 < directory_.size()) {
      is_right =
          is_right && directory_.compare_with_first(key_at(block + kLastEntryAt), bucket + 1) <= 0;
    }
    if (!is_right) {
      throw MalformedData(path().native() + ": block " + std::to_string(first + i) +
                          " holds other keys than expected");
    }
  }
}

void DiskSegment::read_blocks(std::uint32_t first, std::uint32_t n,
                              EntryBlockBuffer& buffer) const {
  file_.read_at(entry_block_offset(first), buffer.first(n));
  if (const std::uint32_t damaged = buffer.first_damaged(n); damaged != n) {
    throw buffer.mismatch(damaged, path(), first + damaged);
  }
  check_place(buffer, 0, first, n);
}

void DiskSegment::collect(const IndexKey& key, std::uint64_t hash, HeightWindow window,
                          std::vector<KeyVersion>& out) const {
  if (!window.overlaps(heights()) || !filter_.may_contain(hash)) {
    return;
  }
  static thread_local EntryBlockBuffer buffer(kBlocksPerBucket);
  const BucketRange buckets = directory_.find(key);
  for (std::uint32_t bucket = buckets.first; bucket < buckets.end; ++bucket) {
    const std::uint32_t first = bucket * kBlocksPerBucket;
    const std::uint32_t n = std::min(kBlocksPerBucket, block_count() - first);
    read_blocks(first, n, buffer);
    search_blocks(buffer, 0, entries_in(first, n), key, window,
                  [&](const KeyVersion& version) { out.push_back(version); });
  }
}

std::optional<EntryId> DiskSegment::lookup(const IndexKey& key, HeightWindow window) const {
  std::vector<KeyVersion> versions;
  collect(key, BloomFilter::hash(key), window, versions);
  return decide(versions);
}

DiskSegmentReader DiskSegment::read() const {
  return DiskSegmentReader(file_, header_);
}

std::vector<IndexEntry> DiskSegment::read_all() const {
  std::vector<IndexEntry> entries;
  entries.reserve(entry_count());
  DiskSegmentReader reader = read();
  for (; const IndexEntry* entry = reader.peek(); reader.advance()) {
    entries.push_back(*entry);
  }
  return entries;
}

}  // namespace furrow
