// SPDX-License-Identifier: Apache-2.0
// Farms that are made smaller or larger, or are given another share for the piece cache
// (docs/spec/06-farm-format.md, section 4).
#include <filesystem>
#include <fstream>
#include <string>

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "host/farm/farm.hpp"
#include "host/farm/farm_consistency.hpp"
#include "host/pieces/piece_cache.hpp"
#include "tests/support/made_up_farm.hpp"
#include "tests/support/temp_directory.hpp"
#include "tests/unit/farm/farm_files.hpp"

namespace furrow {
namespace {

namespace fs = std::filesystem;
using test::cache_size;
using test::expect_holds;
using test::make_full_farm;
using test::plot_options;
using test::read_options;
using test::stored_space;
using test::TempDirectory;
using test::unsized_options;

TEST(FarmSize, SectorsAreDroppedWhenThatIsAskedFor) {
  const TempDirectory directory;
  make_full_farm(directory.path(), 4, 0);
  FarmOptions options = unsized_options(directory.path());
  options.may_drop_sectors = true;
  options.min_sectors = 3;
  {
    const auto farm = Farm::open(options);
    EXPECT_EQ(farm->sector_count(), 3);
    EXPECT_EQ(farm->target_sector_count(), 3);
    ASSERT_EQ(farm->warnings().size(), 1U);
    EXPECT_NE(farm->warnings()[0].find("3 to 3"), std::string::npos) << farm->warnings()[0];
  }
  expect_holds(directory.path(), 3);
  EXPECT_EQ(stored_space(directory.path()), allocated_space_for_sectors(3, 1));
  options.min_sectors.reset();
  options.cache_percentage = 50;  // of the same space
  EXPECT_EQ(Farm::open(options)->sector_count(), 1);
  expect_holds(directory.path(), 1);
  EXPECT_TRUE(Farm::open(unsized_options(directory.path()))->warnings().empty());
}

// Whatever step of dropping fails: the farm opens afterwards, and all sectors that it counts are
// there.
TEST(FarmSize, DroppingThatFailsLeavesAFarm) {
  for (int failing = 0;; ++failing) {
    SCOPED_TRACE("operation " + std::to_string(failing));
    const TempDirectory directory;
    make_full_farm(directory.path(), 3, 0);
    FarmOptions options = unsized_options(directory.path());
    options.may_drop_sectors = true;
    options.min_sectors = 1;
    options.cache_percentage = 30;
    int done = 0;
    bool has_failed = false;
    set_file_fault_hook([&](FileOperation, const fs::path& path) {
      if (done++ == failing) {
        has_failed = true;
        throw IoError("fail", path.native(), EIO);
      }
    });
    try {
      Farm::open(options);
    } catch (const IoError&) {
    }
    set_file_fault_hook({});
    const std::uint16_t count = Farm::open(read_options(directory.path()))->sector_count();
    EXPECT_TRUE(count == 1 || count == 3) << count;
    expect_holds(directory.path(), count);
    options = unsized_options(directory.path());
    options.cache_percentage = 30;
    options.allocated_space = allocated_space_for_sectors(count, 1, 30);
    options.may_drop_sectors = true;  // what is not counted any more may still be there
    EXPECT_EQ(Farm::open(options)->sector_count(), count);
    expect_holds(directory.path(), count);
    if (!has_failed) {
      EXPECT_EQ(count, 1);
      break;
    }
  }
}

TEST(FarmSize, AShareOfNoneGivesTheSpaceOfTheCacheToSectors) {
  const TempDirectory directory;
  make_full_farm(directory.path(), 4, 50);
  ASSERT_GT(cache_size(directory.path()), 0U);
  FarmOptions options = unsized_options(directory.path());
  options.cache_percentage = 0;
  EXPECT_GT(Farm::open(options)->target_sector_count(), 4);
  EXPECT_FALSE(fs::exists(directory.path() / kPieceCacheFileName));
  EXPECT_EQ(Farm::open(unsized_options(directory.path()))->cache_percentage(), 0U);
  expect_holds(directory.path(), 4);
}

// The space is right then, and must not be called wrong.
TEST(FarmSize, ARemovedPieceCacheIsMadeAnewByItsShare) {
  const TempDirectory directory;
  make_full_farm(directory.path(), 4, 40);
  const std::uint64_t space = stored_space(directory.path());
  const std::uint64_t cache = cache_size(directory.path());
  fs::remove(directory.path() / kPieceCacheFileName);
  FarmOptions options = unsized_options(directory.path());
  try {
    Farm::open(unsized_options(directory.path()));
    ADD_FAILURE() << "accepted";
  } catch (const StoredSizeMismatch& error) {
    const std::string message = error.what();
    EXPECT_NE(message.find(kPieceCacheFileName), std::string::npos) << message;
    EXPECT_GT(error.cache_percentage(), 0U);
    options.cache_percentage = error.cache_percentage();
  }
  Farm::open(options);
  EXPECT_EQ(stored_space(directory.path()), space);
  EXPECT_EQ(cache_size(directory.path()), cache);
  Farm::open(unsized_options(directory.path()));
  expect_holds(directory.path(), 4);
}

std::uint64_t blocks_of(const fs::path& file) {
  struct stat status {};
  EXPECT_EQ(::stat(file.c_str(), &status), 0);
  return static_cast<std::uint64_t>(status.st_blocks);
}

// On a full disk what grows has only the room of what goes. A crash in between leaves sizes that
// are those of the info file.
TEST(FarmSize, WhatGoesMakesRoomForWhatGrows) {
  const TempDirectory directory;
  const fs::path path = directory.path() / "farm";
  const fs::path crashed = directory.path() / "crashed";
  make_full_farm(path, 4, 50);
  const std::uint64_t cache = cache_size(path);
  ASSERT_GT(blocks_of(path / kPieceCacheFileName), 0U);
  bool has_grown = false;
  set_file_fault_hook([&](FileOperation operation, const fs::path& file) {
    if (operation == FileOperation::kPreallocate && file.filename() == kPlotFileName) {
      has_grown = true;
      EXPECT_EQ(blocks_of(path / kPieceCacheFileName), 0U);
      fs::copy(path, crashed);
    }
  });
  FarmOptions options = unsized_options(path);
  options.cache_percentage = 0;
  const std::uint16_t target = Farm::open(options)->target_sector_count();
  set_file_fault_hook({});
  EXPECT_TRUE(has_grown);
  EXPECT_GT(target, 4);
  EXPECT_FALSE(fs::exists(path / kPieceCacheFileName));
  expect_holds(path, 4);
  expect_holds(crashed, 4);
  EXPECT_EQ(cache_size(crashed), cache);
  // The copy was made after metadata.bin had grown.
  options.directory = crashed;
  options.allocated_space = stored_space(crashed);
  EXPECT_EQ(Farm::open(options)->target_sector_count(), target);
}

// A size that was given up is not taken back: the files are no longer those of the old one.
TEST(FarmSize, AShrinkingThatFailsInTheMiddleIsCompletedByTheSameRequest) {
  const TempDirectory directory;
  make_full_farm(directory.path(), 2, 0);
  Farm::open(plot_options(directory.path(), 40));
  FarmOptions options = plot_options(directory.path(), 3);
  set_file_fault_hook([&](FileOperation operation, const fs::path& file) {
    if (operation == FileOperation::kResize && file.filename() == kPlotFileName) {
      throw IoError("resize", file.native(), EIO);
    }
  });
  EXPECT_THROW(Farm::open(options), IoError);
  set_file_fault_hook({});
  EXPECT_EQ(stored_space(directory.path()), *options.allocated_space);
  EXPECT_EQ(Farm::open(options)->target_sector_count(), 3);
  EXPECT_EQ(Farm::open(unsized_options(directory.path()))->target_sector_count(), 3);
  expect_holds(directory.path(), 2);

  // What cannot be removed is said.
  fs::create_directory(directory.path() / kPieceCacheFileName);
  std::ofstream(directory.path() / kPieceCacheFileName / "file") << "";
  EXPECT_THROW(Farm::open(options), IoError);
}

// Another allocated space is not taken for another share: that would make a cache of the rest.
TEST(FarmSize, AChangedSpaceIsNotExplainedByAShare) {
  const TempDirectory directory;
  make_full_farm(directory.path(), 4, 0);
  FarmInfo info = Farm::open(read_options(directory.path()))->info();
  for (const std::uint64_t factor : {2ULL, 9ULL}) {
    FarmInfo changed = info;
    changed.allocated_space *= factor;
    changed.write_to(File::open_or_create(directory.path() / kFarmInfoFileName));
    EXPECT_THROW(Farm::open(unsized_options(directory.path())), StoredSizeMismatch);
    EXPECT_EQ(cache_size(directory.path()), 0U);
  }
}

}  // namespace
}  // namespace furrow
