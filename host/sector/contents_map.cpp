// SPDX-License-Identifier: Apache-2.0
#include "host/sector/contents_map.hpp"

#include <algorithm>
#include <string>

#include "furrow/errors.hpp"
#include "furrow/sector_contents.hpp"

#include "host/base/hex.hpp"
#include "host/crypto/blake3.hpp"
#include "host/sector/plain_chunks.hpp"
#include "host/sector/s_bucket_counts.hpp"
#include "host/sector/sector_layout.hpp"

namespace furrow {
namespace {

std::span<const std::uint8_t> raw(std::span<const FoundProofs> bitmaps) {
  return {reinterpret_cast<const std::uint8_t*>(bitmaps.data()), bitmaps.size_bytes()};
}

}  // namespace

SectorContentsMap SectorContentsMap::parse(std::span<const std::uint8_t> bytes,
                                           std::uint16_t pieces_in_sector, Network network) {
  const std::uint64_t expected_size = contents_map_size(pieces_in_sector);
  if (bytes.size() != expected_size) {
    throw InvalidBytesLength("sector contents map", expected_size, bytes.size());
  }
  const std::span<const std::uint8_t> stored = bytes.last(kHashSize);
  bytes = bytes.first(bytes.size() - kHashSize);
  const Hash actual = blake3(bytes);
  if (!std::equal(stored.begin(), stored.end(), actual.begin())) {
    throw ChecksumMismatch("sector contents map", to_hex(stored), to_hex(actual.bytes));
  }
  SectorContentsMap map(pieces_in_sector, network);
  std::copy(bytes.begin(), bytes.end(), reinterpret_cast<std::uint8_t*>(map.bitmaps_.data()));
  for (std::size_t p = 0; network == Network::kAutonomys && p < pieces_in_sector; ++p) {
    if (const std::size_t used = count_s_buckets(map.bitmaps_[p]); used > kNumChunks) {
      throw MalformedData("sector contents map: expected at most " + std::to_string(kNumChunks) +
                              " s-buckets of the record at piece offset " + std::to_string(p) +
                              ", actual " + std::to_string(used),
                          {.piece_offset = static_cast<std::uint16_t>(p),
                           .expected = "at most " + std::to_string(kNumChunks),
                           .actual = std::to_string(used)});
    }
  }
  return map;
}

std::vector<std::uint16_t> SectorContentsMap::s_bucket_sizes() const {
  SBucketCounts counts;
  for (const FoundProofs& bitmap : bitmaps_) {
    count_chunks(network_, bitmap, counts);
  }
  std::vector<std::uint16_t> sizes(kNumSBuckets);
  for (std::size_t s = 0; s < sizes.size(); ++s) {
    sizes[s] = counts.of(s);
  }
  return sizes;
}

void SectorContentsMap::write_to(std::span<std::uint8_t> out) const {
  const std::uint64_t expected_size = contents_map_size(pieces_in_sector());
  if (out.size() != expected_size) {
    throw InvalidBytesLength("buffer for the sector contents map", expected_size, out.size());
  }
  const std::span<const std::uint8_t> bytes = raw(bitmaps_);
  std::copy(bytes.begin(), bytes.end(), out.begin());
  const Hash checksum = blake3(bytes);
  std::copy(checksum.begin(), checksum.end(), out.end() - kHashSize);
}

}  // namespace furrow
