// SPDX-License-Identifier: Apache-2.0
#include "host/store/segment_index/index_manifest.hpp"

#include <algorithm>
#include <set>

#include "furrow/core/bits.hpp"

#include "host/base/file.hpp"
#include "host/base/hex.hpp"
#include "host/crypto/blake3.hpp"
#include "host/store/segment_index/index_errors.hpp"

namespace furrow {
namespace {

constexpr std::uint64_t kMagic = 0xD15C'DEAD'B10C'4D46;
constexpr std::uint32_t kVersion = 1;
constexpr std::size_t kFixedSize = 32;
constexpr std::size_t kRecordOfSegmentSize = 56;
constexpr std::size_t kContentsAt = 24;

constexpr std::size_t size_with(std::size_t n_segments) {
  return kFixedSize + n_segments * kRecordOfSegmentSize + Hash::size();
}

void encode_segment(const DiskSegmentHeader& segment, std::uint8_t* out) {
  core::store_le64(out, segment.number);
  core::store_le32(out + 8, segment.entry_count);
  core::store_le32(out + 12, static_cast<std::uint32_t>(segment.heights.min));
  core::store_le32(out + 16, static_cast<std::uint32_t>(segment.heights.max));
  std::copy(segment.contents.begin(), segment.contents.end(), out + kContentsAt);
}

DiskSegmentHeader decode_segment(const std::uint8_t* bytes) {
  DiskSegmentHeader segment;
  segment.number = core::load_le64(bytes);
  segment.entry_count = core::load_le32(bytes + 8);
  segment.heights.min = static_cast<std::int32_t>(core::load_le32(bytes + 12));
  segment.heights.max = static_cast<std::int32_t>(core::load_le32(bytes + 16));
  std::copy_n(bytes + kContentsAt, Hash::size(), segment.contents.begin());
  return segment;
}

}  // namespace

std::vector<std::uint8_t> IndexManifest::encode() const {
  std::vector<std::uint8_t> bytes(size_with(segments.size()));
  core::store_le64(bytes.data(), kMagic);
  core::store_le32(bytes.data() + 8, kVersion);
  core::store_le32(bytes.data() + 12, static_cast<std::uint32_t>(segments.size()));
  core::store_le64(bytes.data() + 16, next_number);
  core::store_le32(bytes.data() + 24, static_cast<std::uint32_t>(horizon));
  for (std::size_t i = 0; i < segments.size(); ++i) {
    encode_segment(segments[i], bytes.data() + kFixedSize + i * kRecordOfSegmentSize);
  }
  const std::size_t covered = bytes.size() - Hash::size();
  const Hash hash = blake3(std::span(bytes).first(covered));
  std::copy(hash.begin(), hash.end(), bytes.begin() + static_cast<std::ptrdiff_t>(covered));
  return bytes;
}

IndexManifest IndexManifest::decode(std::span<const std::uint8_t> bytes, const std::string& what) {
  if (bytes.size() < size_with(0)) {
    throw InvalidBytesLength(what, size_with(0), bytes.size());
  }
  if (const std::uint64_t magic = core::load_le64(bytes.data()); magic != kMagic) {
    throw MalformedData(what + ": magic: expected " + std::to_string(kMagic) + ", actual " +
                        std::to_string(magic));
  }
  const auto covered = bytes.first(bytes.size() - Hash::size());
  const Hash hash = blake3(covered);
  const auto expected = bytes.last(Hash::size());
  if (!std::equal(expected.begin(), expected.end(), hash.begin())) {
    throw ChecksumMismatch(what, to_hex(expected), to_hex(hash));
  }
  if (const std::uint32_t version = core::load_le32(bytes.data() + 8); version != kVersion) {
    throw UnsupportedSegmentVersion(what, kVersion, version);
  }
  const std::uint32_t count = core::load_le32(bytes.data() + 12);
  if (count > kMaxDiskSegments || bytes.size() != size_with(count)) {
    throw InvalidBytesLength(what + " of " + std::to_string(count) + " segments", size_with(count),
                             bytes.size());
  }
  IndexManifest manifest;
  manifest.next_number = core::load_le64(bytes.data() + 16);
  manifest.horizon = static_cast<std::int32_t>(core::load_le32(bytes.data() + 24));
  bool is_well_formed = core::load_le32(bytes.data() + 28) == 0;
  std::set<std::uint64_t> numbers;
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::uint8_t* at = bytes.data() + kFixedSize + i * kRecordOfSegmentSize;
    const DiskSegmentHeader segment = decode_segment(at);
    is_well_formed = is_well_formed && segment.number < manifest.next_number &&
                     numbers.insert(segment.number).second && segment.entry_count > 0 &&
                     segment.heights.min <= segment.heights.max && core::load_le32(at + 20) == 0;
    manifest.segments.push_back(segment);
  }
  if (!is_well_formed) {
    throw MalformedData(what + ": a field has a value that no manifest has");
  }
  return manifest;
}

IndexManifest IndexManifest::read(const std::filesystem::path& path) {
  return decode(read_whole_file(path, size_with(kMaxDiskSegments)), path.native());
}

void IndexManifest::write(const std::filesystem::path& path) const {
  write_file_atomically(path, encode());
}

}  // namespace furrow
