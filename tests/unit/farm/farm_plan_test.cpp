// SPDX-License-Identifier: Apache-2.0
// Farms whose size depends on their key, and plans of farms that change nothing.
#include <filesystem>
#include <fstream>
#include <string>

#include <gtest/gtest.h>

#include "host/farm/disk_forecast.hpp"
#include "host/farm/farm.hpp"
#include "host/farm/identity.hpp"
#include "tests/support/made_up_farm.hpp"
#include "tests/support/temp_directory.hpp"
#include "tests/unit/farm/farm_files.hpp"

namespace furrow {
namespace {

namespace fs = std::filesystem;
using test::contents_of;
using test::make_farm;
using test::plot_options;
using test::TempDirectory;

/// Options for a farm with room for so many sectors; what it has stays.
FarmOptions options_for(const fs::path& directory, std::uint16_t sectors) {
  FarmOptions options = plot_options(directory, 1);
  options.allocated_space.reset();
  options.min_sectors = sectors;
  return options;
}

TEST(FarmSizeByKey, IsAskedForWhenThereIsAKey) {
  const TempDirectory directory;
  const fs::path path = directory.path() / "farm";
  FarmOptions options = options_for(path, 1);
  options.min_sectors.reset();
  PublicKey key;
  options.sectors_of_new_farm = [&](const Identity& identity, std::uint16_t pieces_in_sector) {
    key = identity.public_key();
    EXPECT_EQ(pieces_in_sector, 1);
    return std::uint16_t{4};
  };
  const auto farm = Farm::open(options);
  EXPECT_EQ(farm->target_sector_count(), 4);
  EXPECT_EQ(farm->identity().public_key(), key);
}

TEST(FarmSizeByKey, OneThatCannotBeHadLeavesNoFarm) {
  const TempDirectory directory;
  const fs::path path = directory.path() / "farm";
  FarmOptions options = options_for(path, 1);
  options.min_sectors.reset();
  options.sectors_of_new_farm = [](const Identity&, std::uint16_t) -> std::uint16_t {
    throw InvalidArgument("it does not fit");
  };
  EXPECT_THROW(Farm::open(options), InvalidArgument);
  EXPECT_FALSE(fs::exists(path));
}

TEST(FarmSizeByKey, TheLockIsHeldFromTheKeyToTheSectors) {
  const TempDirectory directory;
  const fs::path path = directory.path() / "farm";
  FarmOptions options = options_for(path, 1);
  options.min_sectors.reset();
  options.sectors_of_new_farm = [&](const Identity&, std::uint16_t) {
    const auto before = contents_of(path);
    EXPECT_THROW(Farm::open(options_for(path, 2)), FarmInUse);
    EXPECT_EQ(contents_of(path), before) << "whoever comes second leaves it alone";
    return std::uint16_t{3};
  };
  EXPECT_EQ(Farm::open(options)->target_sector_count(), 3);
}

TEST(FarmPlan, OfANewFarmMakesNothing) {
  const TempDirectory directory;
  const fs::path path = directory.path() / "farm";
  const FarmPlan plan = plan_farm(options_for(path, 5));
  EXPECT_EQ(plan.sector_count, 5);
  EXPECT_EQ(plan.pieces_in_sector, 1);
  EXPECT_EQ(plan.allocated_space, allocated_space_for_sectors(5, 1, 0));
  EXPECT_TRUE(plan.is_plotted.empty());
  EXPECT_FALSE(fs::exists(path));

  FarmOptions never = options_for(path, 5);
  never.make_directory = MakeDirectory::kNever;
  EXPECT_THROW(plan_farm(never), FarmNotFound);
  EXPECT_THROW(plan_farm(options_for(path / "below", 5)), ParentMissing);
  fs::create_directory(path);
  std::ofstream(path / kPlotFileName) << "somebody's";
  EXPECT_THROW(plan_farm(options_for(path, 5)), FileOfNoFarm);
}

TEST(FarmPlan, RefusesWhatOpeningRefuses) {
  const TempDirectory directory;
  make_farm(directory.path(), 4, 3);
  const auto before = contents_of(directory.path());
  FarmOptions small = plot_options(directory.path(), 2);
  EXPECT_THROW(plan_farm(small), WouldLoseSectors);
  EXPECT_THROW(Farm::open(small), WouldLoseSectors);
  FarmOptions other = options_for(directory.path(), 4);
  other.pieces_in_sector = 2;
  EXPECT_THROW(plan_farm(other), PiecesInSectorMismatch);
  EXPECT_THROW(Farm::open(other), PiecesInSectorMismatch);
  EXPECT_EQ(contents_of(directory.path()), before);
}

TEST(FarmPlan, IsWhatOpeningMakes) {
  const TempDirectory directory;
  make_farm(directory.path(), 10, 9);
  for (const bool may_drop : {false, true}) {
    for (const std::uint16_t sectors : {std::uint16_t{12}, std::uint16_t{5}}) {
      SCOPED_TRACE(std::to_string(sectors) + (may_drop ? " or fewer" : ""));
      FarmOptions options = options_for(directory.path(), sectors);
      options.may_drop_sectors = may_drop;
      const auto before = contents_of(directory.path());
      const FarmPlan plan = plan_farm(options);
      EXPECT_EQ(contents_of(directory.path()), before);
      const auto farm = Farm::open(options);
      EXPECT_EQ(plan.sector_count, farm->target_sector_count());
      EXPECT_EQ(plan.allocated_space, farm->info().allocated_space);
      EXPECT_EQ(plan.is_plotted.size(), farm->sector_count());
    }
  }
}

TEST(DiskForecast, CountsOfTheWantedSectorsThoseThatArePlotted) {
  const TempDirectory directory;
  make_farm(directory.path(), 6, 6);
  const auto bytes_of = [&](std::uint16_t sectors, bool may_drop = false) {
    FarmOptions options = options_for(directory.path(), sectors);
    options.may_drop_sectors = may_drop;
    return forecast_disk(options, sectors);
  };
  const std::uint64_t all = bytes_of(6).farm_bytes;
  Farm::open(options_for(directory.path(), 6))->mark_lost(SectorIndex(1));
  EXPECT_EQ(bytes_of(6).sectors_to_plot(), 1);
  EXPECT_EQ(bytes_of(3).sectors_to_plot(), 1) << "whole ones beyond do not stand in";
  EXPECT_EQ(bytes_of(1).sectors_to_plot(), 0);
  EXPECT_EQ(bytes_of(8).sectors_to_plot(), 3);
  EXPECT_EQ(bytes_of(3).farm_bytes, all);
  EXPECT_LT(bytes_of(3, true).farm_bytes, all);
  EXPECT_EQ(bytes_of(3, true).sectors_plotted, 2);
}

}  // namespace
}  // namespace furrow
