// SPDX-License-Identifier: Apache-2.0
#include "host/sector/sector_check.hpp"

#include <algorithm>
#include <bit>
#include <vector>

#include "furrow/core/bits.hpp"

#include "host/crypto/blake3.hpp"
#include "host/sector/contents_map.hpp"
#include "host/sector/sector_layout.hpp"

namespace furrow {
namespace {

/// Set bits before that of an s-bucket.
std::size_t bits_before(const FoundProofs& bitmap, SBucket s_bucket) {
  std::size_t n = 0;
  const std::size_t whole = s_bucket.value() / 64;
  for (std::size_t word = 0; word < whole; ++word) {
    n += static_cast<std::size_t>(std::popcount(core::load_le64(bitmap.data() + 8 * word)));
  }
  const std::uint64_t rest = core::load_le64(bitmap.data() + 8 * whole) &
                             ((std::uint64_t{1} << (s_bucket.value() % 64)) - 1);
  return n + static_cast<std::size_t>(std::popcount(rest));
}

bool contents_map_agrees(std::span<const FoundProofs> bitmaps, std::span<const std::uint8_t> map) {
  const std::span<const std::uint8_t> bytes = {
      reinterpret_cast<const std::uint8_t*>(bitmaps.data()), bitmaps.size_bytes()};
  const Hash checksum = blake3(bytes);
  return std::equal(bytes.begin(), bytes.end(), map.begin()) &&
         std::equal(checksum.begin(), checksum.end(), map.last(kHashSize).begin());
}

/// Chunks before those of each of the 65536 s-buckets.
std::vector<std::size_t> first_chunks(std::span<const FoundProofs> bitmaps) {
  std::vector<std::size_t> first(kNumSBuckets + 1);
  for (const FoundProofs& bitmap : bitmaps) {
    for_each_s_bucket(bitmap, [&](SBucket s) { ++first[s.value() + std::size_t{1}]; });
  }
  for (std::size_t s = 0; s < kNumSBuckets; ++s) {
    first[s + 1] += first[s];
  }
  return first;
}

}  // namespace

bool sector_agrees(const SectorContents& contents, std::span<const std::uint8_t> sector,
                   std::span<const SBucket> sample) {
  const auto pieces = static_cast<std::uint16_t>(contents.records.size());
  if (sector.size() != sector_size(pieces) ||
      !contents_map_agrees(contents.found_proofs, sector.first(contents_map_size(pieces)))) {
    return false;
  }
  const std::span<const std::uint8_t> metadata = {
      reinterpret_cast<const std::uint8_t*>(contents.metadata.data()),
      contents.metadata.size_bytes()};
  if (!std::equal(metadata.begin(), metadata.end(),
                  sector.subspan(record_metadata_offset(pieces)).begin())) {
    return false;
  }
  const auto fits = [](const FoundProofs& bitmap) { return count_s_buckets(bitmap) <= kNumChunks; };
  if (!std::all_of(contents.found_proofs.begin(), contents.found_proofs.end(), fits)) {
    return false;
  }
  const std::vector<std::size_t> first = first_chunks(contents.found_proofs);
  const std::span<const std::uint8_t> chunks = sector.subspan(record_chunks_offset(pieces));
  return std::all_of(sample.begin(), sample.end(), [&](SBucket s_bucket) {
    std::size_t place = first[s_bucket.value()];
    for (std::size_t p = 0; p < pieces; ++p) {
      const FoundProofs& bitmap = contents.found_proofs[p];
      if (has_s_bucket(bitmap, s_bucket)) {
        const RecordChunk& chunk = contents.records[p][bits_before(bitmap, s_bucket)];
        if (!std::equal(chunk.begin(), chunk.end(), chunks.subspan(kChunkSize * place++).begin())) {
          return false;
        }
      }
    }
    return true;
  });
}

}  // namespace furrow
