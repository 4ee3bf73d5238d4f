// SPDX-License-Identifier: Apache-2.0
// Creating farms, and going on where a creation was interrupted (docs/spec/06-farm-format.md,
// section 5).
#include "host/farm/farm_create.hpp"

#include <fstream>
#include <string>

#include <gtest/gtest.h>

#include "host/farm/farm.hpp"
#include "host/pieces/piece_cache.hpp"
#include "tests/support/made_up_farm.hpp"
#include "tests/support/temp_directory.hpp"
#include "tests/unit/farm/farm_files.hpp"

namespace furrow {
namespace {

namespace fs = std::filesystem;
using test::contents_of;
using test::FaultHook;
using test::make_farm;
using test::plot_options;
using test::read_options;
using test::stored_info;
using test::TempDirectory;

TEST(FarmCreate, CreatesAllFilesWithTheirFullSize) {
  const TempDirectory directory;
  const fs::path path = directory.path() / "a" / "b" / "farm";
  FarmOptions options = plot_options(path, 3);
  options.make_directory = MakeDirectory::kParents;
  const auto farm = Farm::open(options);
  const SpaceDistribution space = SpaceDistribution::compute(farm->info().allocated_space, 1);
  EXPECT_EQ(farm->target_sector_count(), 3);
  EXPECT_EQ(farm->sector_count(), 0);
  EXPECT_TRUE(farm->warnings().empty());
  EXPECT_EQ(fs::file_size(path / "metadata.bin"), round_up_to_page(space.metadata_file_size));
  EXPECT_EQ(fs::file_size(path / "plot.bin"), space.plot_file_size);
  EXPECT_EQ(fs::file_size(path / "identity.bin"), 32U);
  EXPECT_EQ(contents_of(path).size(), 5U) << "with furrow.json and the info file";

  const FarmInfo info = stored_info(path);
  EXPECT_EQ(info, farm->info());
  EXPECT_EQ(info.genesis_root, test::made_up_genesis());
  EXPECT_EQ(info.public_key, farm->identity().public_key());
  EXPECT_EQ(info.shard_commitments_seed, farm->identity().shard_commitments_seed());
  EXPECT_EQ(info.pieces_in_sector, 1);
}

TEST(FarmCreate, NewFarmGetsTheLargestSectors) {
  const TempDirectory directory;
  FarmOptions options = plot_options(directory.path(), 1);
  options.pieces_in_sector.reset();
  options.allocated_space = allocated_space_for_sectors(1, 1000);
  // A gigabyte of real blocks is more than this test is worth: stop where they would be reserved.
  std::uint64_t reservations = 0;
  const FaultHook hook([&](FileOperation operation, const fs::path& path) {
    if (operation == FileOperation::kPreallocate && path.filename() == kPlotFileName) {
      ++reservations;
      throw IoError("reserve", path.native(), ENOSPC);
    }
  });
  EXPECT_THROW(Farm::open(options), IoError);
  EXPECT_EQ(reservations, 1U);
  options.allocated_space = *options.allocated_space - 100;
  EXPECT_THROW(Farm::open(options), InsufficientSpace);
}

TEST(FarmCreate, BadRequestsLeaveNothingBehind) {
  const TempDirectory directory;
  const fs::path path = directory.path() / "farm";
  const FarmOptions good = plot_options(path, 1);
  const auto refuses_and_leaves_nothing = [&](const FarmOptions& options, auto error) {
    EXPECT_THROW(Farm::open(options), decltype(error));
    EXPECT_FALSE(fs::exists(path));
  };
  const InvalidArgument invalid("");
  for (const std::uint16_t pieces : std::initializer_list<std::uint16_t>{0, 1001, 65535}) {
    FarmOptions options = good;
    options.pieces_in_sector = pieces;
    refuses_and_leaves_nothing(options, invalid);
  }
  FarmOptions options = good;
  options.genesis_root.reset();
  refuses_and_leaves_nothing(options, invalid);
  options = good;
  options.allocated_space.reset();
  refuses_and_leaves_nothing(options, invalid);
  options = good;
  options.cache_percentage = 100;
  refuses_and_leaves_nothing(options, invalid);
  options = good;
  options.allocated_space = *good.allocated_space - 1;
  refuses_and_leaves_nothing(options, InsufficientSpace(0, 0));
  options.allocated_space = allocated_space_for_sectors(65534, 1) + 2'000'000;
  refuses_and_leaves_nothing(options, FarmTooLarge(0, 0));
  options = read_options(path);
  refuses_and_leaves_nothing(options, FarmNotFound(""));
}

TEST(FarmCreate, ALostInfoFileIsNoReasonForANewFarm) {
  const TempDirectory directory;
  make_farm(directory.path(), 2, 1);
  fs::resize_file(directory.path() / kFarmInfoFileName, 0);
  EXPECT_THROW(Farm::open(plot_options(directory.path(), 2)), MalformedData);
  EXPECT_THROW(Farm::open(read_options(directory.path())), MalformedData);
  fs::remove(directory.path() / kFarmInfoFileName);
  EXPECT_THROW(Farm::open(plot_options(directory.path(), 2)), MalformedData);
  EXPECT_THROW(Farm::open(read_options(directory.path())), FarmNotFound);
  EXPECT_FALSE(fs::exists(directory.path() / kFarmInfoFileName));
}

TEST(FarmCreate, AnInterruptedCreationGoesOnOnlyWhereNothingIsCounted) {
  const TempDirectory directory;
  make_farm(directory.path(), 2, 1);
  fs::remove(directory.path() / kFarmInfoFileName);
  std::ofstream(directory.path() / kCreationMarkName) << "";
  test::overwrite(directory.path() / kMetadataFileName, 0, std::array<std::uint8_t, 1>{1});
  const auto before = contents_of(directory.path());
  EXPECT_THROW(Farm::open(plot_options(directory.path(), 2)), UnsupportedMetadataVersion);
  EXPECT_EQ(contents_of(directory.path()), before);
}

TEST(FarmCreate, AnInterruptedCreationIsResumed) {
  const TempDirectory directory;
  make_farm(directory.path(), 2, 0);
  const FarmInfo before = stored_info(directory.path());
  std::ofstream(directory.path() / kCreationMarkName) << "";
  for (const std::uint64_t length : {0U, 1U, 100U}) {  // of the text of the info file
    SCOPED_TRACE(length);
    fs::resize_file(directory.path() / kFarmInfoFileName, length);
    std::ofstream(directory.path() / kCreationMarkName) << "";
    const auto farm = Farm::open(plot_options(directory.path(), 2));
    EXPECT_EQ(farm->info().public_key, before.public_key);
    EXPECT_EQ(farm->target_sector_count(), 2);
    EXPECT_EQ(contents_of(directory.path()).size(), 5U);
  }
}

TEST(FarmCreate, AFileOfNoFarmIsNoPlaceForANewOne) {
  for (const char* name :
       {kPlotFileName, kMetadataFileName, kChainFileName, kIdentityFileName, kFarmInfoFileName,
        kPieceCacheFileName, kStateDirectoryName, kIndexDirectoryName}) {
    SCOPED_TRACE(name);
    const TempDirectory directory;
    const fs::path path = directory.path();
    const auto refused = [&] {
      const auto before = contents_of(path);
      try {
        Farm::open(plot_options(path, 1));
        ADD_FAILURE() << "accepted";
      } catch (const FileOfNoFarm& error) {
        EXPECT_EQ(error.kind(), ErrorKind::kInvalidArgument);
        EXPECT_EQ(error.fields().path, path / name);
      }
      EXPECT_EQ(contents_of(path), before);
    };
    std::ofstream(path / name) << (std::string(name) == kFarmInfoFileName ? "" : "precious");
    refused();
    fs::remove(path / name);
    if (std::string(name) != kFarmInfoFileName) {
      fs::create_symlink("nowhere", path / name);
      refused();
      fs::remove(path / name);
      fs::create_directory(path / name);
      EXPECT_THROW(Farm::open(plot_options(path, 1)), FileOfNoFarm);
      fs::remove(path / name);
    }
    std::ofstream(path / "lost+found") << "of no matter";
    EXPECT_EQ(Farm::open(plot_options(path, 1))->target_sector_count(), 1);
  }
}

}  // namespace
}  // namespace furrow
