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
using test::read_options;
using test::stored_space;
using test::TempDirectory;
using test::unsized_options;

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

TEST(FarmSize, ANewFarmLeavesRoomForTheCacheOfAFarmer) {
  const TempDirectory directory;
  FarmOptions options = unsized_options(directory.path());
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
    const auto farm = Farm::open(unsized_options(directory.path()));
    EXPECT_EQ(farm->target_sector_count(), 4);
    EXPECT_EQ(farm->cache_percentage(),
              Farm::open(read_options(directory.path()))->cache_percentage());
  }
  EXPECT_EQ(cache_size(directory.path()), cache);
  FarmOptions options = unsized_options(directory.path());
  options.allocated_space = 3 * space;
  const unsigned share = Farm::open(options)->cache_percentage();
  EXPECT_EQ(cache_size(directory.path()), pages(reference(3 * space, 1, share).cache));
  EXPECT_GT(cache_size(directory.path()), 2 * cache);
  expect_holds(directory.path(), 4);
}

TEST(FarmSize, WithoutACacheFileTheShareIsNone) {
  const TempDirectory directory;
  make_full_farm(directory.path(), 2, 0);
  FarmOptions options = unsized_options(directory.path());
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
  FarmOptions options = unsized_options(directory.path());
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

// What a farmer has cached is no space for sectors, also when no share explains its size.
TEST(FarmSize, APieceCacheThatIsThereIsUsedSpace) {
  const TempDirectory directory;
  FarmOptions options = unsized_options(directory.path());
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
  options = unsized_options(directory.path());
  const auto farm = Farm::open(options);
  EXPECT_EQ(without, 16);
  EXPECT_EQ(farm->target_sector_count(), 12);
  EXPECT_EQ(farm->cache_percentage(), share_that_is_shown);
  EXPECT_GE(cache_size(directory.path()), cache);
  EXPECT_LE(fs::file_size(directory.path() / kPlotFileName) +
                fs::file_size(directory.path() / kMetadataFileName) + cache_size(directory.path()),
            farm->info().allocated_space);
}

}  // namespace
}  // namespace furrow
