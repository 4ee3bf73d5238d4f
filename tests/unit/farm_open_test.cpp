// Creating, opening, growing and refusing farms (docs/spec/06-farm-format.md, section 5).
#include <fstream>
#include <map>

#include <gtest/gtest.h>

#include "host/farm/farm.hpp"
#include "tests/support/made_up_farm.hpp"
#include "tests/support/temp_directory.hpp"
#include "tests/unit/farm_files.hpp"

namespace furrow {
namespace {

namespace fs = std::filesystem;
using test::contents_of;
using test::copy_farm;
using test::FaultHook;
using test::make_farm;
using test::plot_options;
using test::read_options;
using test::TempDirectory;

FarmInfo stored_info(const fs::path& directory) {
  return FarmInfo::parse(test::file_text(directory / kFarmInfoFileName), "info");
}

void store_info(const fs::path& directory, const FarmInfo& info) {
  std::ofstream(directory / kFarmInfoFileName, std::ios::binary) << info.to_text();
}

TEST(FarmOpen, CreatesAllFilesWithTheirFullSize) {
  const TempDirectory directory;
  const fs::path path = directory.path() / "a" / "b" / "farm";
  const auto farm = Farm::open(plot_options(path, 3));
  const SpaceDistribution space = SpaceDistribution::compute(farm->info().allocated_space, 1);
  EXPECT_EQ(farm->target_sector_count(), 3);
  EXPECT_EQ(farm->sector_count(), 0);
  EXPECT_TRUE(farm->warnings().empty());
  EXPECT_EQ(fs::file_size(path / "metadata.bin"), round_up_to_page(space.metadata_file_size));
  EXPECT_EQ(fs::file_size(path / "plot.bin"), space.plot_file_size);
  EXPECT_EQ(fs::file_size(path / "identity.bin"), 32U);
  EXPECT_EQ(contents_of(path).size(), 4U);

  const FarmInfo info = stored_info(path);
  EXPECT_EQ(info, farm->info());
  EXPECT_EQ(info.genesis_root, test::made_up_genesis());
  EXPECT_EQ(info.public_key, farm->identity().public_key());
  EXPECT_EQ(info.shard_commitments_seed, farm->identity().shard_commitments_seed());
  EXPECT_EQ(info.pieces_in_sector, 1);
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

TEST(FarmOpen, KeepsAKeyThatIsThereAlready) {
  const TempDirectory directory;
  const PublicKey key = Identity::create(directory.path() / kIdentityFileName).public_key();
  EXPECT_EQ(Farm::open(plot_options(directory.path(), 1))->info().public_key, key);
}

TEST(FarmOpen, NewFarmGetsTheLargestSectors) {
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

TEST(FarmOpen, BadRequestsLeaveNothingBehind) {
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

TEST(FarmOpen, SecondOpenerIsRefused) {
  const TempDirectory directory;
  make_farm(directory.path(), 1, 0);
  const auto first = Farm::open(read_options(directory.path()));
  for (const FarmMode mode : {FarmMode::kReadOnly, FarmMode::kPlot}) {
    FarmOptions options = plot_options(directory.path(), 1);
    options.mode = mode;
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

    // A count beyond what the info file has room for.
    info = stored_info(directory.path() / "good");
    test::overwrite(path / kMetadataFileName, 1, std::array<std::uint8_t, 2>{4, 0});
    fs::resize_file(path / kMetadataFileName, 2'000'000);
    fs::resize_file(path / kPlotFileName, 5'000'000);
    refused_as(MalformedData(""));

    // Stored space in which no farm fits.
    info.allocated_space = 1000;
    store_info(path, info);
    options.allocated_space.reset();
    refused_as(MalformedData(""));
  }
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

TEST(FarmOpen, TruncatedFilesAreRefusedWithTheirSizes) {
  const TempDirectory directory;
  const fs::path path = directory.path() / "farm";
  make_farm(directory.path() / "good", 3, 2);
  const std::map<std::string, std::uint64_t> needed = {
      {kMetadataFileName, MetadataFile::size_for(2)}, {kPlotFileName, 2 * sector_size(1)}};
  for (const FarmMode mode : {FarmMode::kReadOnly, FarmMode::kPlot}) {
    for (const auto& [name, size] : needed) {
      for (const std::uint64_t length :
           {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{2}, std::uint64_t{3},
            std::uint64_t{4096}, size / 2, size - kHashSize, size - 1}) {
        copy_farm(directory.path() / "good", path);
        fs::resize_file(path / name, length);
        const auto before = contents_of(path);
        FarmOptions options = plot_options(path, 3);
        options.mode = mode;
        try {
          Farm::open(options);
          ADD_FAILURE() << name << " of " << length << " bytes was accepted";
        } catch (const FarmFileTooShort& error) {
          const bool has_header = name == kPlotFileName || length >= MetadataFile::kHeaderSize;
          EXPECT_EQ(error.expected(), has_header ? size : MetadataFile::kHeaderSize);
          EXPECT_EQ(error.actual(), length);
          EXPECT_NE(std::string(error.what()).find(name), std::string::npos);
        }
        EXPECT_EQ(contents_of(path), before);
      }
      // Just long enough: what is missing belongs to sectors that are not plotted.
      copy_farm(directory.path() / "good", path);
      fs::resize_file(path / name, size);
      FarmOptions options = plot_options(path, 3);
      options.mode = mode;
      const auto farm = Farm::open(options);
      EXPECT_TRUE(test::holds(*farm, test::made_up_sector(1)));
      if (mode == FarmMode::kPlot) {
        EXPECT_EQ(fs::file_size(path / name), fs::file_size(directory.path() / "good" / name));
      }
    }
  }
}

TEST(FarmOpen, DamagedSlotsAreNamedOrReplaced) {
  const TempDirectory directory;
  make_farm(directory.path(), 5, 5);
  const fs::path metadata_path = directory.path() / kMetadataFileName;
  const SectorMetadata good = test::made_up_sector(1).metadata;
  {
    const MetadataFile file(File::open_or_create(metadata_path));
    SectorMetadata other = good;  // in the slot of sector 1, but of sector 4
    other.sector_index = SectorIndex(4);
    file.file().write_at(MetadataFile::slot_offset(1), other.encode());
    other = test::made_up_sector(2).metadata;
    other.pieces_in_sector = 2;
    file.write_slot(other);
    other = test::made_up_sector(3).metadata;
    other.s_bucket_sizes[100] = 2;  // with one piece in the sector
    file.write_slot(other);
  }
  test::flip_byte(metadata_path, MetadataFile::slot_offset(4) + 70'000);
  const auto before = contents_of(directory.path());

  {
    const auto farm = Farm::open(read_options(directory.path()));
    EXPECT_EQ(farm->sector_count(), 5);
    EXPECT_EQ(farm->sector_state(SectorIndex(0)), SectorState::kPlotted);
    const std::vector<SectorIndex> damaged = farm->sectors_in_state(SectorState::kDamaged);
    ASSERT_EQ(damaged.size(), 4U);
    for (const SectorIndex index : damaged) {
      EXPECT_THROW((void)farm->sector_metadata(index), DamagedSlot);
      EXPECT_THROW((void)farm->sector_id(index), DamagedSlot);
    }
  }
  EXPECT_EQ(contents_of(directory.path()), before);

  {
    const auto farm = Farm::open(plot_options(directory.path(), 5));
    EXPECT_EQ(farm->warnings().size(), 4U);
    EXPECT_NE(farm->warnings().back().find("sector 4"), std::string::npos);
    EXPECT_EQ(farm->sectors_in_state(SectorState::kLost).size(), 4U);
    EXPECT_TRUE(test::holds(*farm, test::made_up_sector(0)));
  }
  const auto farm = Farm::open(plot_options(directory.path(), 5));
  EXPECT_TRUE(farm->warnings().empty());
  for (std::uint16_t i = 1; i < 5; ++i) {
    EXPECT_EQ(*farm->sector_metadata(SectorIndex(i)),
              SectorMetadata::expired_dummy(SectorIndex(i), 1));
  }
}

TEST(FarmOpen, ALostInfoFileIsNoReasonForANewFarm) {
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

TEST(FarmOpen, AnInterruptedCreationIsResumed) {
  const TempDirectory directory;
  make_farm(directory.path(), 2, 0);
  const FarmInfo before = stored_info(directory.path());
  fs::resize_file(directory.path() / kFarmInfoFileName, 0);
  const auto farm = Farm::open(plot_options(directory.path(), 2));
  EXPECT_EQ(farm->info().public_key, before.public_key);
  EXPECT_EQ(farm->target_sector_count(), 2);
}

}  // namespace
}  // namespace furrow
