// SPDX-License-Identifier: Apache-2.0
// Bytes of a segment file, seg_NNNNNN.bin (docs/formats/segment-index.md).
//
//      0  header, 4096 bytes
//           0  u64  magic 0xD15CDEADB10C0002
//           8  u32  version, 1
//          12  u32  entries
//          16  i32  min height          (of no entries: 2^31 - 1)
//          20  i32  max height          (of no entries: -2^31)
//          24  u64  number of the segment, as in its name
//          32       BLAKE3 of the tags of all blocks, in order
//          64       zeros
//        1008       tag of the 1008 bytes before
//        1024       zeros
//   4096  blocks, 1024 bytes each: as many as the entries need
//           0  18 entries of 56 bytes, in order; zeros behind the last entry of the file
//        1008       tag of the 1008 bytes before
//
// A tag is the first 16 bytes of a BLAKE3: the file is protected against damage, not against
// someone who wants to deceive. Through the tags the header covers every byte of the file. Integers
// are little-endian. Blocks are small because what is read is verified: hashing 1008 bytes is one
// BLAKE3 chunk, and 16 of them at once cost what one does.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "furrow/errors.hpp"
#include "furrow/types.hpp"

#include "host/store/segment_index/index_entry.hpp"

namespace furrow {

inline constexpr std::uint64_t kDiskSegmentMagic = 0xD15C'DEAD'B10C'0002;
inline constexpr std::uint32_t kDiskSegmentVersion = 1;
inline constexpr std::size_t kDiskSegmentHeaderSize = 4096;
inline constexpr std::size_t kEntryBlockSize = 1024;
inline constexpr std::size_t kEntryBlockTagSize = 16;
inline constexpr std::size_t kEntryBlockPayloadSize = kEntryBlockSize - kEntryBlockTagSize;
inline constexpr std::uint32_t kEntriesPerBlock = 18;
static_assert(kEntriesPerBlock * kIndexEntrySize == kEntryBlockPayloadSize);
/// What streaming readers and writers hold: 8064 entries, 448 KiB.
inline constexpr std::uint32_t kBlocksPerTransfer = 448;

constexpr std::uint32_t entry_blocks_for(std::uint32_t entries) {
  return entries / kEntriesPerBlock + (entries % kEntriesPerBlock != 0 ? 1 : 0);
}
constexpr std::uint64_t entry_block_offset(std::uint32_t block) {
  return kDiskSegmentHeaderSize + std::uint64_t{block} * kEntryBlockSize;
}
constexpr std::uint64_t segment_file_size(std::uint32_t entries) {
  return entry_block_offset(entry_blocks_for(entries));
}
/// "seg_" and the number with at least six digits, ".bin".
std::string segment_file_name(std::uint64_t number);

/// What the header says, and what a manifest repeats of it.
struct DiskSegmentHeader {
  std::uint64_t number = 0;
  std::uint32_t entry_count = 0;
  HeightRange heights;
  Hash contents;
  bool operator==(const DiskSegmentHeader&) const = default;

  /// The 4096 bytes.
  [[nodiscard]] std::vector<std::uint8_t> encode() const;
  /// Pre: bytes.size() == kDiskSegmentHeaderSize. Throws ChecksumMismatch, MalformedData, or
  /// UnsupportedSegmentVersion; `what` names the file.
  static DiskSegmentHeader decode(std::span<const std::uint8_t> bytes, const std::string& what);
};

/// Memory for blocks that are read or written together. It is a little larger than it says, so that
/// the blocks can be hashed in full vectors.
class EntryBlockBuffer {
 public:
  explicit EntryBlockBuffer(std::uint32_t n_blocks);
  [[nodiscard]] std::uint8_t* block(std::uint32_t i) { return bytes_.data() + i * kEntryBlockSize; }
  [[nodiscard]] const std::uint8_t* block(std::uint32_t i) const {
    return bytes_.data() + i * kEntryBlockSize;
  }
  [[nodiscard]] std::span<std::uint8_t> first(std::uint32_t n_blocks) {
    return std::span(bytes_).first(n_blocks * kEntryBlockSize);
  }
  [[nodiscard]] std::uint32_t size() const { return n_blocks_; }

  /// Puts the tags into the first n blocks.
  void seal(std::uint32_t n_blocks);
  /// The first of the first n blocks whose tag does not fit, or n.
  [[nodiscard]] std::uint32_t first_damaged(std::uint32_t n_blocks) const;
  /// The error to throw for damaged block i of the buffer, which is block `number` of the file.
  [[nodiscard]] ChecksumMismatch mismatch(std::uint32_t i, const std::filesystem::path& file,
                                          std::uint32_t number) const;

 private:
  std::uint32_t n_blocks_;
  std::vector<std::uint8_t> bytes_;
};

}  // namespace furrow
