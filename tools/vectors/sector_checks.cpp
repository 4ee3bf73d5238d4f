// SPDX-License-Identifier: Apache-2.0
#include "tools/vectors/sector_checks.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include "host/sector/sector_layout.hpp"
#include "tools/vectors/vector_input.hpp"

namespace furrow::vectors {
namespace {

void check_regions(const nlohmann::json& expected, Network network, std::uint16_t pieces,
                   std::span<const std::uint8_t> sector, const CaseChecker& check) {
  const std::uint64_t metadata_size = pieces * traits_of(network).record_metadata_size();
  const auto region = [&](std::uint64_t offset, std::uint64_t size) {
    return sector.subspan(offset, size);
  };
  check.number("sector_len", sector.size());
  check.digest("sector_blake3", sector);
  check.number("contents_map_len", contents_map_size(pieces));
  check.digest("contents_map_blake3", region(0, contents_map_size(pieces)));
  check.bytes("contents_map_checksum", region(contents_map_size(pieces) - kHashSize, kHashSize));
  check.number("record_chunks_offset", record_chunks_offset(pieces));
  check.number("record_chunks_len", pieces * kRecordSize);
  check.digest("record_chunks_blake3", region(record_chunks_offset(pieces), pieces * kRecordSize));
  check.number("record_metadata_offset", record_metadata_offset(pieces));
  check.number("record_metadata_len", metadata_size);
  check.digest("record_metadata_region_blake3",
               region(record_metadata_offset(pieces), metadata_size));
  check.bytes("sector_checksum", sector.last(kHashSize));
  for (const nlohmann::json& at : expected.at("bytes_at")) {
    const std::uint64_t offset = number(at, "offset");
    const std::vector<std::uint8_t> bytes = hex(at, "bytes");
    const bool same = offset + bytes.size() <= sector.size() &&
                      std::equal(bytes.begin(), bytes.end(),
                                 sector.begin() + static_cast<std::ptrdiff_t>(offset));
    check.is_true(same, "bytes_at " + std::to_string(offset) + " differ");
  }
}

void check_metadata(const nlohmann::json& expected, const SectorMetadata& metadata,
                    const CaseChecker& check) {
  std::vector<std::uint8_t> sizes;
  std::uint64_t sum = 0;
  for (const std::uint16_t size : metadata.s_bucket_sizes) {
    sizes.push_back(static_cast<std::uint8_t>(size));
    sizes.push_back(static_cast<std::uint8_t>(size >> 8));
    sum += size;
  }
  check.digest("s_bucket_sizes_u16le_blake3", sizes);
  check.number("s_bucket_sizes_sum", sum);
  const auto first = expected.at("s_bucket_sizes_first_16").get<std::vector<std::uint16_t>>();
  check.is_true(std::equal(first.begin(), first.end(), metadata.s_bucket_sizes.begin()),
                "s_bucket_sizes_first_16 differ");
  const std::vector<std::uint8_t> encoded = metadata.encode();
  check.number("sector_metadata_len", encoded.size());
  check.digest("sector_metadata_blake3", encoded);
  check.bytes("sector_metadata_first_64", std::span(encoded).first(64));
  check.bytes("sector_metadata_last_64", std::span(encoded).last(64));
  check.is_true(SectorMetadata::decode(metadata.network, encoded, "sector metadata") == metadata,
                "sector metadata changes when it is decoded");
}

}  // namespace

void check_sector(const nlohmann::json& expected, const SectorMetadata& metadata,
                  std::span<const std::uint8_t> sector, const CaseChecker& check) {
  check_regions(expected, metadata.network, metadata.pieces_in_sector, sector, check);
  check_metadata(expected, metadata, check);
}

}  // namespace furrow::vectors
