// SPDX-License-Identifier: Apache-2.0
// A farm to be damaged and scrubbed.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include <gtest/gtest.h>

#include "host/farm/farm.hpp"
#include "host/farm/scrub.hpp"
#include "tests/support/made_up_farm.hpp"
#include "tests/support/temp_directory.hpp"

namespace furrow::test {

/// A farm of three sectors of two pieces each.
class FarmScrubTest : public testing::Test {
 public:
  static constexpr std::uint16_t kPieces = 2;
  static constexpr std::uint16_t kSectors = 3;

 protected:
  void SetUp() override {
    FarmOptions options = plot_options(path(), kSectors);
    options.pieces_in_sector = kPieces;
    options.allocated_space = allocated_space_for_sectors(kSectors, kPieces);
    const auto farm = Farm::open(options);
    for (std::uint16_t i = 0; i < kSectors; ++i) {
      const MadeUpSector sector = made_up_sector(i, 1, kPieces);
      farm->write_sector(SectorIndex(i), sector.bytes, sector.metadata);
    }
  }

  [[nodiscard]] const std::filesystem::path& path() const { return directory_.path(); }
  [[nodiscard]] std::filesystem::path file(const char* name) const { return path() / name; }
  [[nodiscard]] ScrubReport scrub() const {
    return scrub_farm({.directory = path(), .genesis_root = made_up_genesis()});
  }

  /// Exactly one thing is broken, and it is this one.
  void expect_broken(const std::string& thing, std::optional<SectorIndex> sector = {}) const {
    const ScrubReport report = scrub();
    ASSERT_EQ(report.broken.size(), 1U) << thing;
    EXPECT_EQ(report.broken.front().thing, thing);
    EXPECT_EQ(report.broken.front().sector, sector);
    EXPECT_FALSE(report.broken.front().reason.empty());
    if (sector) {
      EXPECT_EQ(report.broken_sectors, 1);
      EXPECT_EQ(report.intact_sectors, kSectors - 1);
    }
  }

 private:
  TempDirectory directory_;
};

}  // namespace furrow::test
