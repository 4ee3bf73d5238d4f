// SPDX-License-Identifier: Apache-2.0
// Farms with made-up sectors: regions, checksums and s-bucket sizes are those of a plotted sector,
// the chunks are random.
#pragma once

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <span>
#include <string>
#include <vector>

#include "furrow/types.hpp"

#include "host/crypto/blake3.hpp"
#include "host/farm/farm.hpp"
#include "host/sector/contents_map.hpp"
#include "host/sector/sector_layout.hpp"
#include "host/sector/sector_metadata.hpp"
#include "tools/vectors/golden_stream.hpp"

namespace furrow::test {

struct MadeUpSector {
  std::vector<std::uint8_t> bytes;
  SectorMetadata metadata;
};

/// `version` tells apart several sectors of the same index.
inline MadeUpSector made_up_sector(std::uint16_t index, std::uint64_t version = 1,
                                   std::uint16_t pieces_in_sector = 1) {
  MadeUpSector sector;
  sector.bytes =
      vectors::stream(1000 * version + index, sector_size(Network::kAbundance, pieces_in_sector));
  vectors::Splitmix numbers(version << 32 | index);
  SectorContentsMap map(pieces_in_sector);
  for (FoundProofs& bitmap : map.bitmaps()) {
    // One of each two neighbouring s-buckets: 32768 in all.
    for (std::uint8_t& byte : bitmap.bytes) {
      const auto choice = static_cast<std::uint8_t>(numbers.next() & 0x55);
      byte = static_cast<std::uint8_t>(choice | (~(choice << 1) & 0xAA));
    }
  }
  const std::span<std::uint8_t> bytes(sector.bytes);
  map.write_to(bytes.first(contents_map_size(pieces_in_sector)));
  const Hash checksum = blake3(bytes.first(bytes.size() - kHashSize));
  std::copy(checksum.begin(), checksum.end(), bytes.end() - kHashSize);
  sector.metadata.sector_index = SectorIndex(index);
  sector.metadata.pieces_in_sector = pieces_in_sector;
  sector.metadata.history_size = HistorySize::from_count(10 + version);
  sector.metadata.s_bucket_sizes = map.s_bucket_sizes();
  return sector;
}

inline Hash made_up_genesis() {
  return blake3(std::vector<std::uint8_t>{'g', 'e', 'n', 'e', 's', 'i', 's'});
}

/// Options that create or grow a farm of one piece per sector.
inline FarmOptions plot_options(const std::filesystem::path& directory, std::uint16_t sectors) {
  FarmOptions options;
  options.directory = directory;
  options.mode = FarmMode::kPlot;
  options.genesis_root = made_up_genesis();
  options.pieces_in_sector = 1;
  options.allocated_space = allocated_space_for_sectors(sectors, 1);
  options.cache_percentage = 0;
  return options;
}

inline FarmOptions read_options(const std::filesystem::path& directory) {
  FarmOptions options;
  options.directory = directory;
  return options;
}

/// A closed farm with room for `target` sectors, of which the first `plotted` are plotted.
inline void make_farm(const std::filesystem::path& directory, std::uint16_t target,
                      std::uint16_t plotted) {
  const auto farm = Farm::open(plot_options(directory, target));
  for (std::uint16_t i = 0; i < plotted; ++i) {
    const MadeUpSector sector = made_up_sector(i);
    farm->write_sector(SectorIndex(i), sector.bytes, sector.metadata);
  }
}

/// Whether sector and metadata are wholly those of `expected`.
inline bool holds(const Farm& farm, const MadeUpSector& expected) {
  const SectorIndex index = expected.metadata.sector_index;
  if (farm.sector_state(index) != SectorState::kPlotted) {
    return false;
  }
  std::vector<std::uint8_t> bytes(farm.sector_size());
  farm.read_sector_bytes(index, 0, bytes);
  return bytes == expected.bytes && *farm.sector_metadata(index) == expected.metadata;
}

inline std::string file_text(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// Overwrites bytes of a file in place.
inline void overwrite(const std::filesystem::path& path, std::uint64_t offset,
                      std::span<const std::uint8_t> bytes) {
  std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
  file.seekp(static_cast<std::streamoff>(offset));
  file.write(reinterpret_cast<const char*>(bytes.data()),
             static_cast<std::streamsize>(bytes.size()));
}

/// Inverts all bits of one byte of a file.
inline void flip_byte(const std::filesystem::path& path, std::uint64_t offset) {
  std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
  file.seekg(static_cast<std::streamoff>(offset));
  const auto byte = static_cast<char>(~file.get());
  file.seekp(static_cast<std::streamoff>(offset));
  file.put(byte);
}

}  // namespace furrow::test
