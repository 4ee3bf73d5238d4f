// SPDX-License-Identifier: Apache-2.0
// The manifest of an age-tiered index: which segments exist, oldest first, and below which height
// nothing comes any more (docs/formats/segment-index.md).
//
//     0  u64  magic 0xD15CDEADB10C4D46
//     8  u32  version, 1
//    12  u32  number of segments n
//    16  u64  number of the next segment, greater than all below
//    24  i32  horizon
//    28  u32  zero
//    32  n x 56:
//          0  u64  number
//          8  u32  entries, at least 1
//         12  i32  min height
//         16  i32  max height
//         20  u32  zero
//         24       hash over the tags of the segment, as in its header, 32 bytes
//    ..       BLAKE3 of all bytes before, 32 bytes
//
// Integers are little-endian.
#pragma once

#include <cstdint>
#include <filesystem>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include "host/store/segment_index/segment_format.hpp"

namespace furrow {

inline constexpr const char* kIndexManifestName = "segments.manifest";
/// More segments than that are no index, but damage.
inline constexpr std::uint32_t kMaxDiskSegments = 65536;

struct IndexManifest {
  std::uint64_t next_number = 0;
  /// No entry is added below this height, no window ends below it.
  std::int32_t horizon = std::numeric_limits<std::int32_t>::min();
  /// Oldest first.
  std::vector<DiskSegmentHeader> segments;
  bool operator==(const IndexManifest&) const = default;

  [[nodiscard]] std::vector<std::uint8_t> encode() const;
  /// Throws InvalidBytesLength, ChecksumMismatch, MalformedData or UnsupportedSegmentVersion;
  /// `what` names the file.
  static IndexManifest decode(std::span<const std::uint8_t> bytes, const std::string& what);

  /// Reads and decodes a file; IoError when there is none.
  static IndexManifest read(const std::filesystem::path& path);
  /// Replaces the file; a crash leaves the old one or the new one.
  void write(const std::filesystem::path& path) const;
};

}  // namespace furrow
