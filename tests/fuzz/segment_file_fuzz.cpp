// SPDX-License-Identifier: Apache-2.0
// Arbitrary bytes as a segment file: opening either throws a typed error, or every way of reading
// the segment gives the same entries, in order.
//
// The first byte says how the rest becomes a file. Bit 0 clear: as it is. Set: 64 bytes of header
// and then payloads of blocks, to which all checksums are computed, since no fuzzer guesses them;
// with bit 1 also magic, version and number of entries are made to fit.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <map>
#include <string>
#include <vector>

#include <sys/mman.h>
#include <unistd.h>

#include "furrow/core/bits.hpp"

#include "host/crypto/blake3.hpp"
#include "host/store/segment_index/disk_segment.hpp"

namespace {

using namespace furrow;

constexpr std::size_t kHeaderFields = 64;

void require(bool condition) {
  if (!condition) {
    std::abort();
  }
}

void put_tag(std::uint8_t* block) {
  const Hash hash = blake3({block, kEntryBlockPayloadSize});
  std::copy_n(hash.begin(), kEntryBlockTagSize, block + kEntryBlockPayloadSize);
}

std::vector<std::uint8_t> with_checksums(std::span<const std::uint8_t> bytes, bool is_header_made) {
  const std::size_t n_fields = std::min(bytes.size(), kHeaderFields);
  const std::span<const std::uint8_t> payloads = bytes.subspan(n_fields);
  const std::size_t n_blocks =
      (payloads.size() + kEntryBlockPayloadSize - 1) / kEntryBlockPayloadSize;
  std::vector<std::uint8_t> file(kDiskSegmentHeaderSize + n_blocks * kEntryBlockSize);
  std::copy_n(bytes.begin(), n_fields, file.begin());
  Blake3Hasher tags;
  for (std::size_t i = 0; i < n_blocks; ++i) {
    std::uint8_t* block = file.data() + kDiskSegmentHeaderSize + i * kEntryBlockSize;
    const auto payload = payloads.subspan(i * kEntryBlockPayloadSize);
    std::memcpy(block, payload.data(), std::min(payload.size(), kEntryBlockPayloadSize));
    put_tag(block);
    tags.update({block + kEntryBlockPayloadSize, kEntryBlockTagSize});
  }
  if (is_header_made) {
    core::store_le64(file.data(), kDiskSegmentMagic);
    core::store_le32(file.data() + 8, kDiskSegmentVersion);
    core::store_le32(file.data() + 12,
                     static_cast<std::uint32_t>(payloads.size() / kIndexEntrySize));
  }
  const Hash contents = tags.finalize();
  std::copy(contents.begin(), contents.end(), file.begin() + 32);
  put_tag(file.data());
  return file;
}

/// A file in memory with a path.
class MemoryFile {
 public:
  explicit MemoryFile(std::span<const std::uint8_t> bytes)
      : descriptor_(::memfd_create("segment", 0)) {
    require(descriptor_ >= 0);
    require(::write(descriptor_, bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()));
  }
  ~MemoryFile() { ::close(descriptor_); }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;
  [[nodiscard]] std::string path() const { return "/proc/self/fd/" + std::to_string(descriptor_); }

 private:
  int descriptor_;
};

void check_answers(const DiskSegment& segment) {
  const std::vector<IndexEntry> entries = segment.read_all();
  require(entries.size() == segment.entry_count());
  require(std::is_sorted(entries.begin(), entries.end(), comes_before));
  std::map<IndexKey, std::vector<KeyVersion>> versions;
  HeightRange heights;
  for (const IndexEntry& entry : entries) {
    versions[entry.key].push_back({entry.height, entry.kind, entry.id});
    heights.include(entry.height);
  }
  require(heights == segment.heights());
  versions[IndexKey()];  // most often absent
  std::vector<KeyQuery> queries;
  queries.reserve(versions.size());
  for (auto& [key, of_key] : versions) {
    queries.push_back({&key, BloomFilter::hash(key), queries.size()});
  }
  std::vector<FoundVersion> found;
  segment.collect_batch(queries, {}, found);
  std::vector<std::vector<KeyVersion>> by_slot(queries.size());
  for (const FoundVersion& each : found) {
    by_slot[each.slot].push_back(each.version);
  }
  std::size_t slot = 0;
  for (auto& [key, of_key] : versions) {
    const std::optional<EntryId> expected = decide(of_key);
    require(segment.lookup(key) == expected);
    require(decide(by_slot[slot++]) == expected);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) {
    return 0;
  }
  const std::span<const std::uint8_t> rest(data + 1, size - 1);
  const std::vector<std::uint8_t> bytes = (data[0] & 1) != 0
                                              ? with_checksums(rest, (data[0] & 2) != 0)
                                              : std::vector<std::uint8_t>(rest.begin(), rest.end());
  const MemoryFile file(bytes);
  std::shared_ptr<const DiskSegment> segment;
  try {
    segment = DiskSegment::open(file.path());
  } catch (const Error&) {
    return 0;
  }
  check_answers(*segment);
  return 0;
}
