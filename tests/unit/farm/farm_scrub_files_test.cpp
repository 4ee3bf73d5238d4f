// SPDX-License-Identifier: Apache-2.0
// The scrub finds what is wrong with the files of a farm as a whole: header, key, info file, sizes,
// and bytes that belong to no sector (docs/spec/06-farm-format.md, section 7).
#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "tests/unit/farm/farm_scrub_fixture.hpp"

namespace furrow {
namespace {

namespace fs = std::filesystem;
using FarmScrub = test::FarmScrubTest;

constexpr std::uint16_t kPieces = FarmScrub::kPieces;
constexpr std::uint16_t kSectors = FarmScrub::kSectors;

// What all slots contradict is wrong itself; the sectors are not.
TEST_F(FarmScrub, AnInfoFileOfSectorsOfAnotherSize) {
  FarmInfo info = FarmInfo::parse(test::file_text(file(kFarmInfoFileName)), "info");
  for (const std::uint16_t pieces : std::initializer_list<std::uint16_t>{1, 3}) {
    info.pieces_in_sector = pieces;
    std::ofstream(file(kFarmInfoFileName)) << info.to_text();
    const ScrubReport report = scrub();
    ASSERT_EQ(report.broken.size(), 1U);
    EXPECT_EQ(report.broken[0].thing, "single_disk_farm.json");
    EXPECT_NE(report.broken[0].reason.find("piecesInSector"), std::string::npos);
    EXPECT_EQ(report.broken_sectors, 0);
  }
}

// No checksum covers them and nothing is lost with them.
TEST_F(FarmScrub, BytesThatMeanNothingAreNoted) {
  const SpaceDistribution space =
      SpaceDistribution::compute(allocated_space_for_sectors(kSectors, kPieces), kPieces);
  struct Case {
    const char* name;
    std::uint64_t offset;
    const char* thing;
  };
  for (const Case& one : std::initializer_list<Case>{
           {kMetadataFileName, 3, "metadata.bin: reserved bytes"},
           {kMetadataFileName, kReservedPlotMetadata - 1, "metadata.bin: reserved bytes"},
           {kMetadataFileName, MetadataFile::size_for(kSectors), "metadata.bin: padding"},
           {kMetadataFileName, round_up_to_page(space.metadata_file_size) - 1,
            "metadata.bin: padding"},
           {kPlotFileName, kSectors * sector_size(Network::kAbundance, kPieces),
            "plot.bin: padding"},
           {kPlotFileName, space.plot_file_size - 1, "plot.bin: padding"}}) {
    SCOPED_TRACE(std::string(one.name) + ", byte " + std::to_string(one.offset));
    test::flip_byte(file(one.name), one.offset);
    const ScrubReport report = scrub();
    EXPECT_TRUE(report.broken.empty());
    EXPECT_EQ(report.intact_sectors, kSectors);
    ASSERT_EQ(report.notes.size(), 1U);
    EXPECT_EQ(report.notes[0].thing, one.thing);
    EXPECT_NE(report.notes[0].reason.find(std::to_string(one.offset)), std::string::npos);
    test::flip_byte(file(one.name), one.offset);
  }
}

// Also when the info file has no room for them.
TEST_F(FarmScrub, SectorsThatTheHeaderDoesNotCountAreNoted) {
  FarmInfo info = FarmInfo::parse(test::file_text(file(kFarmInfoFileName)), "info");
  for (const std::uint64_t space :
       {info.allocated_space, allocated_space_for_sectors(1, kPieces), std::uint64_t{1000}}) {
    info.allocated_space = space;
    std::ofstream(file(kFarmInfoFileName)) << info.to_text();
    for (const std::uint8_t count : {std::uint8_t{0}, std::uint8_t{1}}) {
      test::overwrite(file(kMetadataFileName), 1, std::array<std::uint8_t, 2>{count, 0});
      const ScrubReport report = scrub();
      const auto n_uncounted =
          std::count_if(report.notes.begin(), report.notes.end(),
                        [](const ScrubFinding& finding) { return finding.sector.has_value(); });
      EXPECT_EQ(n_uncounted, kSectors - count) << "space " << space;
    }
  }
}

TEST_F(FarmScrub, TheHeader) {
  test::flip_byte(file(kMetadataFileName), 0);
  expect_broken("metadata.bin");
  test::flip_byte(file(kMetadataFileName), 0);

  // A larger count, beyond the allocated space and both files.
  test::flip_byte(file(kMetadataFileName), 2);
  ScrubReport report = scrub();
  ASSERT_EQ(report.broken.size(), 3U);
  EXPECT_EQ(report.broken[0].thing, "metadata.bin: size");
  EXPECT_EQ(report.broken[1].thing, "metadata.bin: header");
  EXPECT_EQ(report.broken[2].thing, "plot.bin: size");
  EXPECT_EQ(report.intact_sectors, kSectors);
  EXPECT_EQ(report.broken_sectors, 0xFF00);
  test::flip_byte(file(kMetadataFileName), 2);

  // A smaller count: the sectors behind it are still there to be seen.
  test::overwrite(file(kMetadataFileName), 1, std::array<std::uint8_t, 2>{1, 0});
  report = scrub();
  EXPECT_TRUE(report.broken.empty());
  EXPECT_EQ(report.intact_sectors, 1);
  ASSERT_EQ(report.notes.size(), 2U);
  EXPECT_EQ(report.notes[0].sector, SectorIndex(1));
  EXPECT_EQ(report.notes[1].sector, SectorIndex(2));
}

TEST_F(FarmScrub, TheKey) {
  for (const std::uint64_t offset : {0UL, 15UL, 31UL}) {
    test::flip_byte(file(kIdentityFileName), offset);
    expect_broken("identity.bin");
    test::flip_byte(file(kIdentityFileName), offset);
  }
  fs::resize_file(file(kIdentityFileName), 31);
  expect_broken("identity.bin");
  fs::remove(file(kIdentityFileName));
  expect_broken("identity.bin");
  EXPECT_EQ(scrub().intact_sectors, kSectors);  // they can be read all the same
}

TEST_F(FarmScrub, TheInfoFile) {
  const std::string good = test::file_text(file(kFarmInfoFileName));
  std::size_t unnoticed = 0;
  for (std::size_t i = 0; i < good.size(); ++i) {
    // Inverting the lowest bit keeps most digits digits.
    for (const char change : {char{1}, static_cast<char>(0x80)}) {
      std::string bad = good;
      bad[i] = static_cast<char>(bad[i] ^ change);
      std::ofstream(file(kFarmInfoFileName)) << bad;
      const ScrubReport report = scrub_farm(
          {.directory = path(), .genesis_root = test::made_up_genesis(), .with_contents = false});
      if (report.broken.empty() && report.notes.empty()) {
        ++unnoticed;
        const std::size_t id = good.find("\"id\":\"") + 6;
        const std::size_t space = good.find("\"allocatedSpace\":") + 17;
        // Any ULID is as good as another, and some sizes give the same number of sectors.
        EXPECT_TRUE((i >= id && i < id + 26) || i >= space) << "byte " << i << ": " << bad;
      }
    }
  }
  EXPECT_LT(unnoticed, 26U + 8U);
  std::ofstream(file(kFarmInfoFileName)) << "";
  expect_broken("single_disk_farm.json");
  fs::remove(file(kFarmInfoFileName));
  EXPECT_THROW(scrub(), FarmNotFound);
}

TEST_F(FarmScrub, FilesThatAreTooShort) {
  struct Case {
    const char* name;
    std::uint64_t length;
    std::uint16_t intact;
  };
  const std::uint64_t sector = sector_size(Network::kAbundance, kPieces);
  for (const Case& one : std::initializer_list<Case>{
           {kPlotFileName, 3 * sector - 1, 2},
           {kPlotFileName, 2 * sector, 2},
           {kPlotFileName, 2 * sector - 1, 1},
           {kPlotFileName, 0, 0},
           {kMetadataFileName, MetadataFile::size_for(3) - 1, 2},
           {kMetadataFileName, MetadataFile::size_for(1), 1},
           {kMetadataFileName, 3, 0},
       }) {
    SCOPED_TRACE(std::string(one.name) + " of " + std::to_string(one.length) + " bytes");
    const std::string good = test::file_text(file(one.name));
    fs::resize_file(file(one.name), one.length);
    const ScrubReport report = scrub();
    ASSERT_EQ(report.broken.size(), 1U);
    EXPECT_EQ(report.broken.front().thing, std::string(one.name) + ": size");
    EXPECT_EQ(report.intact_sectors, one.intact);
    EXPECT_EQ(report.broken_sectors, kSectors - one.intact);
    std::ofstream(file(one.name), std::ios::binary) << good;
  }
  fs::resize_file(file(kMetadataFileName), 2);
  expect_broken("metadata.bin");
  fs::remove(file(kMetadataFileName));
  expect_broken("metadata.bin");
}

TEST_F(FarmScrub, AMissingPlot) {
  fs::remove(file(kPlotFileName));
  expect_broken("plot.bin");
}

TEST_F(FarmScrub, AnotherChain) {
  const ScrubReport report = scrub_farm({.directory = path(), .genesis_root = Hash{}});
  ASSERT_EQ(report.broken.size(), 1U);
  EXPECT_NE(report.broken.front().reason.find("wrong chain"), std::string::npos);
  EXPECT_EQ(report.intact_sectors, kSectors);
}

}  // namespace
}  // namespace furrow
