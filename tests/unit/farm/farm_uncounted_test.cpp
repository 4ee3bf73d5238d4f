// SPDX-License-Identifier: Apache-2.0
// The count in the header of metadata.bin has no checksum: what is done when it is not that of the
// sectors (host/farm/uncounted_sectors.hpp).
#include <array>
#include <filesystem>

#include <gtest/gtest.h>

#include "host/farm/farm.hpp"
#include "tests/support/made_up_farm.hpp"
#include "tests/support/temp_directory.hpp"
#include "tests/unit/farm/farm_files.hpp"

namespace furrow {
namespace {

namespace fs = std::filesystem;
using test::contents_of;
using test::made_up_sector;
using test::plot_options;
using test::read_options;

constexpr std::uint16_t kSectors = 5;

class FarmUncounted : public testing::Test {
 protected:
  FarmUncounted() { test::make_farm(path(), kSectors, kSectors); }

  [[nodiscard]] fs::path path() const { return directory_.path() / "farm"; }
  [[nodiscard]] FarmOptions unsized() const {
    FarmOptions options = plot_options(path(), kSectors);
    options.allocated_space.reset();
    return options;
  }
  void count(std::uint8_t sectors) const {
    test::overwrite(path() / kMetadataFileName, 1, std::array<std::uint8_t, 2>{sectors, 0});
  }
  void expect_refused(const FarmOptions& options, std::uint16_t counted) const {
    const auto before = contents_of(path());
    try {
      Farm::open(options);
      ADD_FAILURE() << "accepted";
    } catch (const UncountedSectors& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kMismatch);
      EXPECT_EQ(error.counted(), counted);
      EXPECT_EQ(error.found(), kSectors - counted);
      EXPECT_EQ(error.fields().path, path() / kMetadataFileName);
      EXPECT_EQ(error.fields().expected, std::to_string(kSectors));
      EXPECT_EQ(error.fields().actual, std::to_string(counted));
    }
    EXPECT_EQ(contents_of(path()), before);
  }
  void expect_holds(std::uint16_t sectors) const {
    const auto farm = Farm::open(read_options(path()));
    EXPECT_EQ(farm->sector_count(), sectors);
    for (std::uint16_t i = 0; i < sectors; ++i) {
      EXPECT_TRUE(test::holds(*farm, made_up_sector(i))) << i;
    }
  }

  test::TempDirectory directory_;
};

// One changed bit, and plotting wrote over everything from there on.
TEST_F(FarmUncounted, ACountThatIsTooLowIsRefused) {
  for (const std::uint8_t counted : {std::uint8_t{0}, std::uint8_t{1}, std::uint8_t{3}}) {
    SCOPED_TRACE(int{counted});
    count(counted);
    expect_refused(unsized(), counted);
    expect_refused(plot_options(path(), kSectors + 3), counted);
    if (counted != 0) {  // without a request to drop them, a smaller size does not either
      expect_refused(plot_options(path(), counted), counted);
    }
  }
  count(kSectors);  // what the message says
  EXPECT_TRUE(Farm::open(unsized())->warnings().empty());
  expect_holds(kSectors);
}

// A damaged slot in between does not hide those behind it.
TEST_F(FarmUncounted, SectorsBehindADamagedOneAreSeen) {
  count(2);
  test::flip_byte(path() / kMetadataFileName, MetadataFile::slot_offset(2) + 7);
  EXPECT_THROW(Farm::open(unsized()), UncountedSectors);
}

TEST_F(FarmUncounted, TheOneThatACrashLeavesIsPlottedAgain) {
  count(kSectors - 1);
  const auto farm = Farm::open(unsized());
  ASSERT_EQ(farm->warnings().size(), 1U);
  EXPECT_NE(farm->warnings()[0].find("sector 4"), std::string::npos) << farm->warnings()[0];
  const test::MadeUpSector sector = made_up_sector(4);
  EXPECT_EQ(farm->write_sector(SectorIndex(4), sector.bytes, sector.metadata), kSectors);
  expect_holds(kSectors);
}

// docs/manual/damaged-farm.md, "plot.bin is cut short": the slots behind the cut are still there, their bytes are
// not, and the next run finds zeros.
TEST_F(FarmUncounted, SlotsWhoseBytesAreGoneAreNoSectors) {
  fs::resize_file(path() / kPlotFileName, 2 * sector_size(Network::kAbundance, 1) + 100);
  count(2);
  Farm::open(plot_options(path(), kSectors));
  const auto farm = Farm::open(unsized());
  EXPECT_TRUE(farm->warnings().empty());
  expect_holds(2);
  for (std::uint16_t i = 2; i < kSectors; ++i) {
    const test::MadeUpSector sector = made_up_sector(i, 2);
    EXPECT_EQ(farm->write_sector(SectorIndex(i), sector.bytes, sector.metadata), i + 1);
  }
}

// Dropping counts less before anything of what is dropped goes.
TEST_F(FarmUncounted, AnInterruptedShrinkingIsCompletedByTheSameRequest) {
  count(2);
  for (const bool by_size : {true, false}) {
    const fs::path good = directory_.path() / "good";
    test::copy_farm(path(), good);
    FarmOptions options = by_size ? plot_options(path(), 2) : unsized();
    if (!by_size) {
      options.min_sectors = 2;
    }
    expect_refused(options, 2);
    options.may_drop_sectors = true;
    EXPECT_EQ(Farm::open(options)->target_sector_count(), 2);
    expect_holds(2);
    EXPECT_EQ(Farm::open(plot_options(path(), kSectors))->sector_count(), 2);
    test::copy_farm(good, path());
  }
  // A request to drop others is none to write over these.
  FarmOptions options = plot_options(path(), kSectors - 1);
  options.may_drop_sectors = true;
  EXPECT_THROW(Farm::open(options), UncountedSectors);
}

// What is counted and was never there is plotted like what is lost.
TEST_F(FarmUncounted, ACountThatIsTooHighLosesNothing) {
  const fs::path other = directory_.path() / "other";
  test::make_farm(other, kSectors, 2);
  test::copy_farm(other, path());
  count(4);
  {
    const auto farm = Farm::open(unsized());
    EXPECT_EQ(farm->sectors_in_state(SectorState::kLost).size(), 2U);
    EXPECT_TRUE(test::holds(*farm, made_up_sector(0)));
    EXPECT_TRUE(test::holds(*farm, made_up_sector(1)));
  }
  count(kSectors + 4);  // beyond the files
  EXPECT_THROW(Farm::open(unsized()), FarmFileTooShort);
}

}  // namespace
}  // namespace furrow
