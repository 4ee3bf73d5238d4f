// SPDX-License-Identifier: Apache-2.0
#include "host/farm/scrub_contents.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include "furrow/errors.hpp"

#include "host/base/counted.hpp"
#include "host/base/hex.hpp"
#include "host/crypto/blake3.hpp"
#include "host/sector/contents_map.hpp"
#include "host/sector/sector_layout.hpp"

namespace furrow {
namespace {

constexpr std::size_t kReadSize = std::size_t{1} << 20;

bool check_contents_map(const SectorMetadata& metadata, std::span<const std::uint8_t> bytes,
                        ScrubReport& report) {
  const SectorIndex index = metadata.sector_index;
  const std::string thing = "contents map of sector " + std::to_string(index.value());
  try {
    const auto map = SectorContentsMap::parse(bytes, metadata.pieces_in_sector, metadata.network);
    const std::vector<std::uint16_t> sizes = map.s_bucket_sizes();
    const auto [in_map, in_slot] =
        std::mismatch(sizes.begin(), sizes.end(), metadata.s_bucket_sizes.begin());
    if (in_map != sizes.end()) {
      report.broken.push_back(
          {"metadata.bin: s-bucket sizes of sector " + std::to_string(index.value()),
           "s-bucket " + std::to_string(in_map - sizes.begin()) + ", expected " +
               counted(*in_map, "chunk") + " as in the contents map, actual " +
               std::to_string(*in_slot),
           index});
      return false;
    }
    for (std::uint16_t p = 0; p < metadata.pieces_in_sector; ++p) {
      std::size_t n_chunks = 0;
      for_each_s_bucket(map.bitmaps()[p], [&](SBucket) { ++n_chunks; });
      const std::string reason = "piece offset " + std::to_string(p) + ", expected " +
                                 std::to_string(kNumChunks) + " chunks, actual " +
                                 std::to_string(n_chunks);
      if (n_chunks > kNumChunks) {
        report.broken.push_back({"plot.bin: " + thing, reason, index});
        return false;
      }
      if (n_chunks < kNumChunks && !traits_of(metadata.network).plain_chunks_fill_up) {
        report.notes.push_back(
            {"plot.bin: " + thing, reason + "; this piece cannot be read back", index});
      }
    }
  } catch (const Error& error) {
    report.broken.push_back({"plot.bin: " + thing, error.what(), index});
    return false;
  }
  return true;
}

}  // namespace

/// Reads the sector once, for its checksum and for its contents map.
bool check_sector_contents(const SectorMetadata& metadata, const SectorRead& read,
                           ScrubReport& report) {
  const SectorIndex index = metadata.sector_index;
  const std::string sector = " of sector " + std::to_string(index.value());
  const std::uint64_t hashed_size =
      sector_checksum_offset(metadata.network, metadata.pieces_in_sector);
  std::vector<std::uint8_t> contents_map(contents_map_size(metadata.pieces_in_sector));
  std::vector<std::uint8_t> buffer(kReadSize);
  Blake3Hasher hasher;
  Hash stored;
  try {
    for (std::uint64_t offset = 0; offset < hashed_size;) {
      const auto bytes =
          std::span(buffer).first(std::min<std::uint64_t>(kReadSize, hashed_size - offset));
      read(offset, bytes);
      hasher.update(bytes);
      if (offset < contents_map.size()) {
        std::copy_n(bytes.begin(), std::min(bytes.size(), contents_map.size() - offset),
                    contents_map.begin() + static_cast<std::ptrdiff_t>(offset));
      }
      offset += bytes.size();
    }
    read(hashed_size, stored.bytes);
  } catch (const Error& error) {  // also that the file was cut short meanwhile
    report.broken.push_back({"plot.bin: bytes" + sector, error.what(), index});
    return false;
  }
  bool is_intact = true;
  const Hash actual = hasher.finalize();
  if (actual != stored) {
    report.broken.push_back(
        {"plot.bin: checksum" + sector,
         "expected " + to_hex(stored.bytes) + ", actual " + to_hex(actual.bytes), index});
    is_intact = false;
  }
  return check_contents_map(metadata, contents_map, report) && is_intact;
}

}  // namespace furrow
