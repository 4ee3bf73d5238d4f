// SPDX-License-Identifier: Apache-2.0
// The files of a farm as tests compare, copy and break them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <system_error>

#include <gtest/gtest.h>

#include "host/base/file.hpp"
#include "host/pieces/piece_cache.hpp"
#include "tests/support/made_up_farm.hpp"

namespace furrow::test {

/// Every file of a directory with its contents.
inline std::map<std::string, std::string> contents_of(const std::filesystem::path& directory) {
  std::map<std::string, std::string> contents;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    contents[entry.path().filename()] = file_text(entry.path());
  }
  return contents;
}

inline FarmInfo stored_info(const std::filesystem::path& directory) {
  return FarmInfo::parse(file_text(directory / kFarmInfoFileName), "info");
}

/// A copy of the same farm in another directory.
inline void copy_farm(const std::filesystem::path& from, const std::filesystem::path& to) {
  std::filesystem::remove_all(to);
  std::filesystem::copy(from, to);
}

/// A farm with room for `sectors` and a share, all of them plotted.
inline void make_full_farm(const std::filesystem::path& directory, std::uint16_t sectors,
                           unsigned share) {
  FarmOptions options = plot_options(directory, 1);
  options.allocated_space.reset();
  options.min_sectors = sectors;
  options.cache_percentage = share;
  const auto farm = Farm::open(options);
  ASSERT_EQ(farm->target_sector_count(), sectors);
  for (std::uint16_t i = 0; i < sectors; ++i) {
    const MadeUpSector sector = made_up_sector(i);
    farm->write_sector(SectorIndex(i), sector.bytes, sector.metadata);
  }
}

/// Options that plot a farm of one piece per sector as it is, whatever its size and its share.
inline FarmOptions unsized_options(const std::filesystem::path& directory) {
  FarmOptions options = plot_options(directory, 1);
  options.allocated_space.reset();
  options.cache_percentage.reset();
  return options;
}

inline void expect_holds(const std::filesystem::path& directory, std::uint16_t sectors) {
  const auto farm = Farm::open(read_options(directory));
  EXPECT_EQ(farm->sector_count(), sectors);
  for (std::uint16_t i = 0; i < sectors; ++i) {
    EXPECT_TRUE(holds(*farm, made_up_sector(i))) << i;
  }
}

inline std::uint64_t stored_space(const std::filesystem::path& directory) {
  return Farm::open(read_options(directory))->info().allocated_space;
}

inline std::uint64_t cache_size(const std::filesystem::path& directory) {
  std::error_code absent;
  const std::uintmax_t size = std::filesystem::file_size(directory / kPieceCacheFileName, absent);
  return absent ? 0 : size;
}

/// Resets the hook when a test leaves early.
struct FaultHook {
  explicit FaultHook(FileFaultHook hook) { set_file_fault_hook(std::move(hook)); }
  FaultHook(const FaultHook&) = delete;
  FaultHook& operator=(const FaultHook&) = delete;
  ~FaultHook() { set_file_fault_hook(nullptr); }
};

}  // namespace furrow::test
