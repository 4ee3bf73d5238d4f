// SPDX-License-Identifier: Apache-2.0
// Opening, growing and refusing farms that are whole (docs/spec/06-farm-format.md, section 5).
#include <fstream>
#include <map>

#include <gtest/gtest.h>

#include "host/farm/farm.hpp"
#include "host/farm/farm_create.hpp"
#include "host/pieces/piece_cache.hpp"
#include "tests/support/made_up_farm.hpp"
#include "tests/support/temp_directory.hpp"
#include "tests/unit/farm/farm_files.hpp"

namespace furrow {
namespace {

namespace fs = std::filesystem;
using test::contents_of;
using test::copy_farm;
using test::make_farm;
using test::plot_options;
using test::read_options;
using test::stored_info;
using test::TempDirectory;

void store_info(const fs::path& directory, const FarmInfo& info) {
  std::ofstream(directory / kFarmInfoFileName, std::ios::binary) << info.to_text();
}

TEST(FarmOpen, OpenCloseOpenKeepsEveryByte) {
  const TempDirectory directory;
  make_farm(directory.path(), 3, 2);
  const auto before = contents_of(directory.path());
  FarmOptions options = plot_options(directory.path(), 3);
  Farm::open(options);
  options.pieces_in_sector.reset();
  options.allocated_space.reset();
  options.genesis_root.reset();
  Farm::open(options);
  const auto farm = Farm::open(read_options(directory.path()));
  EXPECT_EQ(farm->sector_count(), 2);
  EXPECT_EQ(farm->target_sector_count(), 3);
  EXPECT_EQ(contents_of(directory.path()), before);
}

TEST(FarmOpen, SecondOpenerIsRefused) {
  const TempDirectory directory;
  make_farm(directory.path(), 1, 0);
  FarmOptions options = plot_options(directory.path(), 1);
  const auto first = Farm::open(options);
  try {
    Farm::open(options);
    ADD_FAILURE() << "opened twice";
  } catch (const FarmInUse& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUnavailable);
    EXPECT_NE(std::string(error.what()).find("likely already in use"), std::string::npos);
  }
  options.lock = false;
  EXPECT_NE(Farm::open(options), nullptr);
}

TEST(FarmOpen, LookingNeedsNoLockAndKeepsNobodyOut) {
  const TempDirectory directory;
  make_farm(directory.path(), 1, 0);
  const auto plotter = Farm::open(plot_options(directory.path(), 1));
  const auto reader = Farm::open(read_options(directory.path()));
  EXPECT_NE(Farm::open(read_options(directory.path())), nullptr);
}

TEST(FarmOpen, MismatchesAreTypedAndChangeNothing) {
  const TempDirectory directory;
  const fs::path path = directory.path() / "farm";
  make_farm(directory.path() / "good", 2, 1);
  for (const FarmMode mode : {FarmMode::kReadOnly, FarmMode::kPlot}) {
    FarmOptions options = plot_options(path, 2);
    options.mode = mode;
    const auto refused_as = [&](auto error) {
      const auto before = contents_of(path);
      try {
        Farm::open(options);
        ADD_FAILURE() << "accepted";
      } catch (const decltype(error)& caught) {
        EXPECT_EQ(caught.kind(), error.kind()) << caught.what();
      }
      EXPECT_EQ(contents_of(path), before);
      copy_farm(directory.path() / "good", path);
      options = plot_options(path, 2);
      options.mode = mode;
    };
    copy_farm(directory.path() / "good", path);
    options.genesis_root = Hash{};
    refused_as(WrongChain("", Hash{}, Hash{}));

    options.pieces_in_sector = 2;
    refused_as(PiecesInSectorMismatch("", "", 1));

    fs::remove(path / kIdentityFileName);
    refused_as(IdentityMissing(""));

    test::flip_byte(path / kIdentityFileName, 3);
    refused_as(IdentityMismatch("", PublicKey{}, PublicKey{}));

    fs::resize_file(path / kIdentityFileName, 31);
    refused_as(InvalidBytesLength("", 0, 0));

    test::overwrite(path / kMetadataFileName, 0, std::array<std::uint8_t, 1>{1});
    refused_as(UnsupportedMetadataVersion("", 1));

    FarmInfo info = stored_info(path);
    info.pieces_in_sector = 1001;
    store_info(path, info);
    options.pieces_in_sector.reset();
    refused_as(PiecesInSectorMismatch("", "", 1));

    info.pieces_in_sector = 0;
    store_info(path, info);
    options.pieces_in_sector.reset();
    refused_as(MalformedData(""));

    fs::resize_file(path / kFarmInfoFileName, 100);
    refused_as(MalformedData(""));

    fs::remove(path / kMetadataFileName);
    refused_as(IoError("", "", ENOENT));

    fs::remove(path / kPlotFileName);
    refused_as(IoError("", "", ENOENT));

    info = stored_info(directory.path() / "good");
    info.shard_commitments_seed = Hash{};
    store_info(path, info);
    refused_as(ShardCommitmentsSeedMismatch("", Hash{}, Hash{}));

    info = stored_info(directory.path() / "good");
    info.pieces_in_sector = 2;
    store_info(path, info);
    options.pieces_in_sector.reset();
    refused_as(SlotMismatch(SectorIndex(0), "", 0, 0));
  }
}

// What a size that is not that of the files means only a size that is asked for can tell.
TEST(FarmOpen, AStoredSizeThatTheFilesDoNotHaveIsRefusedUnlessASizeIsAskedFor) {
  const TempDirectory directory;
  const fs::path path = directory.path() / "farm";
  const fs::path good = directory.path() / "good";
  make_farm(good, 4, 2);
  FarmOptions unsized = plot_options(path, 4);
  unsized.allocated_space.reset();
  const std::uint64_t sector = sector_size(Network::kAbundance, 1);
  const auto stored = [&](const fs::path& farm) { return stored_info(farm).allocated_space; };
  const SpaceDistribution grown = SpaceDistribution::compute(allocated_space_for_sectors(7, 1), 1);
  struct Case {
    std::uint64_t allocated_space;
    std::uint64_t plot_size;
  };
  const std::uint64_t plot_size = fs::file_size(good / kPlotFileName);
  for (const Case& one : std::initializer_list<Case>{
           {stored(good) + 2 * sector, plot_size},   // too large
           {stored(good) - sector, plot_size},       // too small
           {stored(good) - 3 * sector, plot_size},   // too small for what is plotted
           {1000, plot_size},                        // for any farm
           {std::uint64_t{1} << 63, plot_size},      // too large for any farm
           {stored(good), grown.plot_file_size}}) {  // an interrupted growth
    SCOPED_TRACE(std::to_string(one.allocated_space) + ", " + std::to_string(one.plot_size));
    copy_farm(good, path);
    FarmInfo info = stored_info(path);
    info.allocated_space = one.allocated_space;
    store_info(path, info);
    fs::resize_file(path / kPlotFileName, one.plot_size);
    const auto before = contents_of(path);
    std::uint64_t mending = 0;
    try {
      Farm::open(unsized);
      ADD_FAILURE() << "accepted";
    } catch (const StoredSizeMismatch& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kMismatch);
      mending = std::stoull(error.fields().expected);
      EXPECT_EQ(error.mending_size(), mending);
    }
    // Room for fewer sectors than the files have is no reason to give up any of it.
    FarmOptions least = unsized;
    least.min_sectors = 3;
    EXPECT_THROW(Farm::open(least), StoredSizeMismatch);
    EXPECT_EQ(contents_of(path), before);
    {
      const auto farm = Farm::open(read_options(path));
      EXPECT_TRUE(test::holds(*farm, test::made_up_sector(1)));
      EXPECT_EQ(farm->warnings().size(), 1U);
    }
    FarmOptions sized = unsized;
    sized.allocated_space = mending;
    Farm::open(sized);
    EXPECT_EQ(stored(path), mending);
    const auto farm = Farm::open(unsized);
    EXPECT_TRUE(test::holds(*farm, test::made_up_sector(0)));
    EXPECT_TRUE(test::holds(*farm, test::made_up_sector(1)));
    EXPECT_EQ(fs::file_size(path / kPlotFileName), one.plot_size);
  }
}

TEST(FarmOpen, RoomForAtLeastSoManySectors) {
  const TempDirectory directory;
  const fs::path path = directory.path();
  FarmOptions options = plot_options(path, 3);
  options.allocated_space.reset();
  options.min_sectors = 3;
  EXPECT_EQ(Farm::open(options)->target_sector_count(), 3);
  const auto before = contents_of(path);
  options.min_sectors = 2;
  EXPECT_EQ(Farm::open(options)->target_sector_count(), 3);
  EXPECT_EQ(contents_of(path), before);
  // A growth that was interrupted before the info file was written is completed by the same
  // request.
  const SpaceDistribution grown = SpaceDistribution::compute(allocated_space_for_sectors(5, 1), 1);
  fs::resize_file(path / kMetadataFileName, round_up_to_page(grown.metadata_file_size));
  options.min_sectors = 5;
  EXPECT_EQ(Farm::open(options)->target_sector_count(), 5);
  EXPECT_EQ(stored_info(path).allocated_space, allocated_space_for_sectors(5, 1));
  EXPECT_EQ(fs::file_size(path / kPlotFileName), grown.plot_file_size);
}

// A farm of the reference farmer, whose share for a piece cache nobody stores.
TEST(FarmOpen, TheShareForAPieceCacheIsSeenInTheSizes) {
  const TempDirectory directory;
  FarmOptions options = plot_options(directory.path(), 3);
  options.cache_percentage = 1;
  const FarmInfo info = Farm::open(options)->info();
  const SpaceDistribution space = SpaceDistribution::compute(info.allocated_space, 1, 1);
  EXPECT_EQ(space.sector_count, 2);
  std::ofstream(directory.path() / kPieceCacheFileName) << "";
  fs::resize_file(directory.path() / kPieceCacheFileName,
                  round_up_to_page(space.piece_cache_file_size));
  const auto before = contents_of(directory.path());
  options.cache_percentage.reset();
  options.allocated_space.reset();
  EXPECT_EQ(Farm::open(options)->target_sector_count(), space.sector_count);
  EXPECT_EQ(Farm::open(read_options(directory.path()))->target_sector_count(), space.sector_count);
  EXPECT_EQ(contents_of(directory.path()), before);
}

TEST(FarmOpen, GrowingKeepsSectorsAndShrinkingNeverDropsOne) {
  const TempDirectory directory;
  make_farm(directory.path(), 2, 2);
  const FarmInfo first = stored_info(directory.path());
  {
    const auto farm = Farm::open(plot_options(directory.path(), 4));
    EXPECT_EQ(farm->target_sector_count(), 4);
    EXPECT_EQ(farm->sector_count(), 2);
    EXPECT_TRUE(test::holds(*farm, test::made_up_sector(0)));
    EXPECT_TRUE(test::holds(*farm, test::made_up_sector(1)));
    const test::MadeUpSector added = test::made_up_sector(2);
    EXPECT_EQ(farm->write_sector(SectorIndex(2), added.bytes, added.metadata), 3);
  }
  FarmInfo expected = first;
  expected.allocated_space = allocated_space_for_sectors(4, 1);
  EXPECT_EQ(stored_info(directory.path()), expected);

  const auto before = contents_of(directory.path());
  for (const std::uint16_t sectors : std::initializer_list<std::uint16_t>{1, 2}) {
    try {
      Farm::open(plot_options(directory.path(), sectors));
      ADD_FAILURE() << "shrunk to " << sectors;
    } catch (const WouldLoseSectors& error) {
      EXPECT_EQ(error.lost(), 3 - sectors);
    }
    EXPECT_EQ(contents_of(directory.path()), before);
  }

  {
    const auto farm = Farm::open(plot_options(directory.path(), 3));
    EXPECT_EQ(farm->target_sector_count(), 3);
    for (std::uint16_t i = 0; i < 3; ++i) {
      EXPECT_TRUE(test::holds(*farm, test::made_up_sector(i)));
    }
  }
  const SpaceDistribution space = SpaceDistribution::compute(allocated_space_for_sectors(3, 1), 1);
  EXPECT_EQ(fs::file_size(directory.path() / kPlotFileName), space.plot_file_size);
  EXPECT_EQ(fs::file_size(directory.path() / kMetadataFileName),
            round_up_to_page(space.metadata_file_size));
}

}  // namespace
}  // namespace furrow
