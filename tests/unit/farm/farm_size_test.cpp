// SPDX-License-Identifier: Apache-2.0
// How large farms are made, held against the formula of the reference farmer as it stands in
// docs/spec/06-farm-format.md, section 4, written down here once more.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "host/farm/farm.hpp"
#include "host/farm/farm_consistency.hpp"
#include "host/pieces/piece_cache.hpp"
#include "tests/support/made_up_farm.hpp"
#include "tests/support/temp_directory.hpp"

namespace furrow {
namespace {

namespace fs = std::filesystem;
using test::made_up_sector;
using test::plot_options;
using test::read_options;
using test::TempDirectory;

constexpr std::uint64_t kElement = 1'049'600;
constexpr std::uint64_t kFixed = 1'048'576 + 1'048'576 + 32 + 961'284;

struct Reference {
  std::uint64_t sectors = 0;
  std::uint64_t plot = 0;
  std::uint64_t metadata = 0;
  std::uint64_t cache = 0;
};

Reference reference(std::uint64_t space, std::uint64_t pieces, unsigned share) {
  const std::uint64_t sector = pieces * (1'048'576 + 1016 + 8192) + 64;
  const std::uint64_t variable = space < kFixed ? 0 : space - kFixed;
  const std::uint64_t usable = variable / 100 * (100 - share);
  Reference result;
  result.sectors = usable < 4096 ? 0 : (usable - 4096) / (sector + 131'116);
  result.plot = (result.sectors * sector + 4095) / 4096 * 4096;
  result.metadata = 1'048'576 + 131'116 * result.sectors;
  const std::uint64_t elements =
      share == 0 ? 0 : (variable - result.plot - 131'116 * result.sectors) / kElement;
  // The reference keeps the low 32 bits of what is more; that is one of its defects.
  result.cache = std::min<std::uint64_t>(elements, 0xFFFF'FFFF) * kElement;
  return result;
}

std::uint64_t pages(std::uint64_t size) {
  return (size + 4095) / 4096 * 4096;
}

/// Sectors, pieces and share that are drawn, and the ends of their ranges.
std::vector<std::array<std::uint64_t, 3>> cases(unsigned seed) {
  std::mt19937_64 random(seed);
  std::vector<std::array<std::uint64_t, 3>> result;
  for (const std::uint64_t sectors : {1ULL, 2ULL, 945ULL, 65'534ULL}) {
    for (const std::uint64_t pieces : {1ULL, 1000ULL}) {
      for (const std::uint64_t share : {0ULL, 1ULL, 50ULL, 99ULL}) {
        result.push_back({sectors, pieces, share});
      }
    }
  }
  for (int i = 0; i < 300; ++i) {
    const std::uint64_t most = i % 2 == 0 ? 65'534 : 20;  // small farms are special
    result.push_back({1 + random() % most, 1 + random() % 1000, random() % 100});
  }
  return result;
}

TEST(FarmSize, SpaceForSomeSectorsGivesThoseSectorsAndTheSmallestDoes) {
  const unsigned seed = std::random_device{}();
  for (const auto& [sectors, pieces, share] : cases(seed)) {
    SCOPED_TRACE("seed " + std::to_string(seed) + ", " + std::to_string(sectors) + " sectors of " +
                 std::to_string(pieces) + " pieces, " + std::to_string(share) + " %");
    const auto of_sector = static_cast<std::uint16_t>(pieces);
    const auto percentage = static_cast<unsigned>(share);
    const std::uint64_t space =
        allocated_space_for_sectors(static_cast<std::uint16_t>(sectors), of_sector, percentage);
    EXPECT_EQ(reference(space, pieces, percentage).sectors, sectors);
    EXPECT_LT(reference(space - 1, pieces, percentage).sectors, sectors);
    const SpaceDistribution ours = SpaceDistribution::compute(space, of_sector, percentage);
    EXPECT_EQ(ours.sector_count, sectors);
    // All files, rounded up as they are on disk, lie in the space.
    EXPECT_LE(
        ours.plot_file_size + pages(ours.metadata_file_size) + pages(ours.piece_cache_file_size),
        space);
  }
}

TEST(FarmSize, TheFilesOfAnySpaceTellAShareThatGivesThemAgain) {
  const unsigned seed = std::random_device{}();
  std::mt19937_64 random(seed);
  for (const auto& [sectors, pieces, share] : cases(seed)) {
    const auto of_sector = static_cast<std::uint16_t>(pieces);
    const auto percentage = static_cast<unsigned>(share);
    const std::uint64_t least =
        allocated_space_for_sectors(static_cast<std::uint16_t>(sectors), of_sector, percentage);
    const std::uint64_t space = least + (sectors < 65'534 ? random() % (least / 10) : 0);
    SCOPED_TRACE("seed " + std::to_string(seed) + ", " + std::to_string(space) + " bytes for " +
                 std::to_string(pieces) + " pieces, " + std::to_string(share) + " %");
    const Reference expected = reference(space, pieces, percentage);
    if (expected.sectors > kMaxSectors) {
      continue;
    }
    const SpaceDistribution ours = SpaceDistribution::compute(space, of_sector, percentage);
    EXPECT_EQ(ours.sector_count, expected.sectors);
    EXPECT_EQ(ours.plot_file_size, expected.plot);
    EXPECT_EQ(ours.metadata_file_size, expected.metadata);
    EXPECT_EQ(ours.piece_cache_file_size, expected.cache);
    const FarmFileSizes sizes{.metadata = pages(expected.metadata),
                              .plot = expected.plot,
                              .piece_cache = pages(expected.cache)};
    const std::optional<unsigned> told = cache_percentage_of(space, of_sector, sizes);
    ASSERT_TRUE(told.has_value());
    EXPECT_LE(*told, percentage);
    const Reference again = reference(space, pieces, *told);
    EXPECT_EQ(again.plot, expected.plot);
    EXPECT_EQ(again.cache, expected.cache);
  }
}

/// A farm with room for `sectors` and a share, all of them plotted.
void make_full_farm(const fs::path& directory, std::uint16_t sectors, unsigned share) {
  FarmOptions options = plot_options(directory, 1);
  options.allocated_space.reset();
  options.min_sectors = sectors;
  options.cache_percentage = share;
  const auto farm = Farm::open(options);
  ASSERT_EQ(farm->target_sector_count(), sectors);
  for (std::uint16_t i = 0; i < sectors; ++i) {
    const test::MadeUpSector sector = made_up_sector(i);
    farm->write_sector(SectorIndex(i), sector.bytes, sector.metadata);
  }
}

FarmOptions options_of(const fs::path& directory) {
  FarmOptions options = plot_options(directory, 1);
  options.allocated_space.reset();
  options.cache_percentage.reset();
  return options;
}

void expect_holds(const fs::path& directory, std::uint16_t sectors) {
  const auto farm = Farm::open(read_options(directory));
  EXPECT_EQ(farm->sector_count(), sectors);
  for (std::uint16_t i = 0; i < sectors; ++i) {
    EXPECT_TRUE(test::holds(*farm, made_up_sector(i))) << i;
  }
}

std::uint64_t stored_space(const fs::path& directory) {
  return Farm::open(read_options(directory))->info().allocated_space;
}

std::uint64_t cache_size(const fs::path& directory) {
  std::error_code absent;
  const std::uintmax_t size = fs::file_size(directory / kPieceCacheFileName, absent);
  return absent ? 0 : size;
}

TEST(FarmSize, ANewFarmLeavesRoomForTheCacheOfAFarmer) {
  const TempDirectory directory;
  FarmOptions options = options_of(directory.path());
  options.allocated_space = kFixed + 300'000'000;
  const auto farm = Farm::open(options);
  const Reference expected = reference(*options.allocated_space, 1, 1);
  EXPECT_EQ(farm->cache_percentage(), 1U);
  EXPECT_EQ(farm->target_sector_count(), expected.sectors);
  ASSERT_GT(expected.cache, 0U);
  const std::string cache = test::file_text(directory.path() / kPieceCacheFileName);
  EXPECT_EQ(cache.size(), pages(expected.cache));
  EXPECT_EQ(cache.find_first_not_of('\0'), std::string::npos) << "elements that are not empty";
}

TEST(FarmSize, AnExistingFarmKeepsTheShareThatItsFilesTell) {
  const TempDirectory directory;
  make_full_farm(directory.path(), 4, 40);
  const std::uint64_t space = stored_space(directory.path());
  const std::uint64_t cache = cache_size(directory.path());
  EXPECT_EQ(cache, pages(reference(space, 1, 40).cache));
  ASSERT_GT(cache, kElement);
  {
    const auto farm = Farm::open(options_of(directory.path()));
    EXPECT_EQ(farm->target_sector_count(), 4);
    EXPECT_EQ(farm->cache_percentage(),
              Farm::open(read_options(directory.path()))->cache_percentage());
  }
  EXPECT_EQ(cache_size(directory.path()), cache);
  FarmOptions options = options_of(directory.path());
  options.allocated_space = 3 * space;
  const unsigned share = Farm::open(options)->cache_percentage();
  EXPECT_EQ(cache_size(directory.path()), pages(reference(3 * space, 1, share).cache));
  EXPECT_GT(cache_size(directory.path()), 2 * cache);
  expect_holds(directory.path(), 4);
}

TEST(FarmSize, WithoutACacheFileTheShareIsNone) {
  const TempDirectory directory;
  make_full_farm(directory.path(), 2, 0);
  FarmOptions options = options_of(directory.path());
  options.allocated_space = 40'000'000;
  EXPECT_EQ(Farm::open(options)->cache_percentage(), 0U);
  EXPECT_EQ(cache_size(directory.path()), 0U);
}

TEST(FarmSize, ASizeOrShareThatWouldDropSectorsIsRefused) {
  const TempDirectory directory;
  make_full_farm(directory.path(), 4, 0);
  const std::uint64_t space = stored_space(directory.path());
  const auto refuses = [&](FarmOptions options) {
    try {
      Farm::open(options);
      ADD_FAILURE() << "sectors were dropped";
    } catch (const WouldLoseSectors& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kInvalidArgument);
      EXPECT_GT(error.lost(), 0);
      // The size that it names keeps them all.
      const std::uint64_t size = std::stoull(error.fields().expected);
      EXPECT_EQ(reference(size, 1, options.cache_percentage.value_or(0)).sectors, 4U);
    }
    EXPECT_EQ(stored_space(directory.path()), space);
    expect_holds(directory.path(), 4);
  };
  FarmOptions options = options_of(directory.path());
  options.allocated_space = space - 1'000'000;
  refuses(options);
  options.allocated_space.reset();
  options.cache_percentage = 1;
  refuses(options);
  options.cache_percentage = 60;
  refuses(options);
  options.allocated_space = space;
  refuses(options);

  // As many sectors as there are, with another share: the space grows.
  options.allocated_space.reset();
  options.cache_percentage = 50;
  options.min_sectors = 1;
  EXPECT_EQ(Farm::open(options)->target_sector_count(), 4);
  EXPECT_EQ(stored_space(directory.path()), allocated_space_for_sectors(4, 1, 50));
  EXPECT_EQ(cache_size(directory.path()),
            pages(reference(stored_space(directory.path()), 1, 50).cache));
  expect_holds(directory.path(), 4);
}

TEST(FarmSize, SectorsAreDroppedWhenThatIsAskedFor) {
  const TempDirectory directory;
  make_full_farm(directory.path(), 4, 0);
  FarmOptions options = options_of(directory.path());
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
  EXPECT_TRUE(Farm::open(options_of(directory.path()))->warnings().empty());
}

// Whatever step of dropping fails: the farm opens afterwards, and all sectors that it counts are
// there.
TEST(FarmSize, DroppingThatFailsLeavesAFarm) {
  for (int failing = 0;; ++failing) {
    SCOPED_TRACE("operation " + std::to_string(failing));
    const TempDirectory directory;
    make_full_farm(directory.path(), 3, 0);
    FarmOptions options = options_of(directory.path());
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
    options = options_of(directory.path());
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

// What a farmer has cached is no space for sectors, also when no share explains its size.
TEST(FarmSize, APieceCacheThatIsThereIsUsedSpace) {
  const TempDirectory directory;
  FarmOptions options = options_of(directory.path());
  options.allocated_space = kFixed + 20'000'000;
  options.cache_percentage = 0;
  const std::uint16_t without = Farm::open(options)->target_sector_count();
  const std::uint64_t cache = pages(5 * kElement);
  std::ofstream(directory.path() / kPieceCacheFileName).close();
  fs::resize_file(directory.path() / kPieceCacheFileName, cache);

  unsigned share_that_is_shown = 0;
  {  // what is only looked at is shown as plotting will have it
    const auto farm = Farm::open(read_options(directory.path()));
    EXPECT_EQ(farm->target_sector_count(), 12);
    EXPECT_TRUE(farm->warnings().empty());
    share_that_is_shown = farm->cache_percentage();
  }
  options = options_of(directory.path());
  const auto farm = Farm::open(options);
  EXPECT_EQ(without, 16);
  EXPECT_EQ(farm->target_sector_count(), 12);
  EXPECT_EQ(farm->cache_percentage(), share_that_is_shown);
  EXPECT_GE(cache_size(directory.path()), cache);
  EXPECT_LE(fs::file_size(directory.path() / kPlotFileName) +
                fs::file_size(directory.path() / kMetadataFileName) + cache_size(directory.path()),
            farm->info().allocated_space);
}

TEST(FarmSize, AShareOfNoneGivesTheSpaceOfTheCacheToSectors) {
  const TempDirectory directory;
  make_full_farm(directory.path(), 4, 50);
  ASSERT_GT(cache_size(directory.path()), 0U);
  FarmOptions options = options_of(directory.path());
  options.cache_percentage = 0;
  EXPECT_GT(Farm::open(options)->target_sector_count(), 4);
  EXPECT_FALSE(fs::exists(directory.path() / kPieceCacheFileName));
  EXPECT_EQ(Farm::open(options_of(directory.path()))->cache_percentage(), 0U);
  expect_holds(directory.path(), 4);
}

// The space is right then, and must not be called wrong.
TEST(FarmSize, ARemovedPieceCacheIsMadeAnewByItsShare) {
  const TempDirectory directory;
  make_full_farm(directory.path(), 4, 40);
  const std::uint64_t space = stored_space(directory.path());
  const std::uint64_t cache = cache_size(directory.path());
  fs::remove(directory.path() / kPieceCacheFileName);
  std::string message;
  try {
    Farm::open(options_of(directory.path()));
    ADD_FAILURE() << "accepted";
  } catch (const StoredSizeMismatch& error) {
    message = error.what();
  }
  const std::string option = "--cache-percentage ";
  ASSERT_NE(message.find(option), std::string::npos) << message;
  EXPECT_NE(message.find(kPieceCacheFileName), std::string::npos) << message;
  FarmOptions options = options_of(directory.path());
  options.cache_percentage =
      static_cast<unsigned>(std::stoul(message.substr(message.find(option) + option.size())));
  Farm::open(options);
  EXPECT_EQ(stored_space(directory.path()), space);
  EXPECT_EQ(cache_size(directory.path()), cache);
  Farm::open(options_of(directory.path()));
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
  FarmOptions options = options_of(path);
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
  EXPECT_EQ(Farm::open(options_of(directory.path()))->target_sector_count(), 3);
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
    EXPECT_THROW(Farm::open(options_of(directory.path())), StoredSizeMismatch);
    EXPECT_EQ(cache_size(directory.path()), 0U);
  }
}

}  // namespace
}  // namespace furrow
