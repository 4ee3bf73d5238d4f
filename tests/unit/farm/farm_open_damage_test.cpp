// SPDX-License-Identifier: Apache-2.0
// Opening farms of which something is cut off, damaged or contradicts the rest
// (docs/spec/06-farm-format.md, section 5).
#include <array>
#include <map>

#include <gtest/gtest.h>

#include "host/farm/farm.hpp"
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
using test::TempDirectory;

TEST(FarmOpen, NothingIsPlottedOnTruncatedFiles) {
  const TempDirectory directory;
  const fs::path path = directory.path() / "farm";
  make_farm(directory.path() / "good", 3, 2);
  const std::map<std::string, std::uint64_t> needed = {
      {kMetadataFileName, MetadataFile::size_for(2)},
      {kPlotFileName, 2 * sector_size(Network::kAbundance, 1)}};
  for (const auto& [name, size] : needed) {
    for (const std::uint64_t length :
         {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{2}, std::uint64_t{3},
          std::uint64_t{4096}, size / 2, size - kHashSize, size - 1}) {
      copy_farm(directory.path() / "good", path);
      fs::resize_file(path / name, length);
      const auto before = contents_of(path);
      try {
        Farm::open(plot_options(path, 3));
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
    const auto farm = Farm::open(plot_options(path, 3));
    EXPECT_TRUE(test::holds(*farm, test::made_up_sector(1)));
    EXPECT_EQ(fs::file_size(path / name), fs::file_size(directory.path() / "good" / name));
  }
}

TEST(FarmOpen, WhatIsWholeInTruncatedFilesIsRead) {
  const TempDirectory directory;
  const fs::path path = directory.path() / "farm";
  make_farm(directory.path() / "good", 3, 3);
  for (const auto& [name, length] : std::map<std::string, std::uint64_t>{
           {kMetadataFileName, MetadataFile::size_for(2) + 5},
           {kPlotFileName, 3 * sector_size(Network::kAbundance, 1) - 1}}) {
    copy_farm(directory.path() / "good", path);
    fs::resize_file(path / name, length);
    const auto before = contents_of(path);
    {
      const auto farm = Farm::open(read_options(path));
      EXPECT_EQ(farm->sector_count(), 3);
      EXPECT_TRUE(test::holds(*farm, test::made_up_sector(0)));
      EXPECT_TRUE(test::holds(*farm, test::made_up_sector(1)));
      EXPECT_EQ(farm->sectors_in_state(SectorState::kDamaged), std::vector{SectorIndex(2)});
      EXPECT_THROW((void)farm->sector_metadata(SectorIndex(2)), FarmFileTooShort);
      EXPECT_FALSE(farm->reload_slot(SectorIndex(2)));  // however sound its slot is
      EXPECT_EQ(farm->sector_state(SectorIndex(2)), SectorState::kDamaged);
    }
    EXPECT_EQ(contents_of(path), before);
  }
  for (const std::uint64_t length : {0, 2}) {  // nothing says how many sectors there are
    copy_farm(directory.path() / "good", path);
    fs::resize_file(path / kMetadataFileName, length);
    EXPECT_THROW(Farm::open(read_options(path)), FarmFileTooShort);
  }
}

// What the header counts, but no file has, is missing like the end of a file that was cut off.
TEST(FarmOpen, ACountThatIsTooHigh) {
  const TempDirectory directory;
  make_farm(directory.path(), 3, 2);
  test::overwrite(directory.path() / kMetadataFileName, 1, std::array<std::uint8_t, 2>{9, 0});
  EXPECT_THROW(Farm::open(plot_options(directory.path(), 3)), FarmFileTooShort);
  const auto farm = Farm::open(read_options(directory.path()));
  EXPECT_EQ(farm->sectors_in_state(SectorState::kPlotted).size(), 2U);
  EXPECT_TRUE(test::holds(*farm, test::made_up_sector(1)));
}

TEST(FarmOpen, DamagedSlotsAreNamedOrReplaced) {
  const TempDirectory directory;
  make_farm(directory.path(), 3, 3);
  const fs::path metadata_path = directory.path() / kMetadataFileName;
  {
    const MetadataFile file(File::open_or_create(metadata_path));
    SectorMetadata other = test::made_up_sector(1).metadata;
    other.s_bucket_sizes[100] = 2;  // with one piece in the sector
    file.write_slot(other);
  }
  test::flip_byte(metadata_path, MetadataFile::slot_offset(2) + 70'000);
  const auto before = contents_of(directory.path());

  {
    const auto farm = Farm::open(read_options(directory.path()));
    EXPECT_EQ(farm->sector_count(), 3);
    EXPECT_EQ(farm->sector_state(SectorIndex(0)), SectorState::kPlotted);
    const std::vector<SectorIndex> damaged = farm->sectors_in_state(SectorState::kDamaged);
    ASSERT_EQ(damaged.size(), 2U);
    for (const SectorIndex index : damaged) {
      EXPECT_THROW((void)farm->sector_metadata(index), DamagedSlot);
      EXPECT_THROW((void)farm->sector_id(index), DamagedSlot);
    }
  }
  EXPECT_EQ(contents_of(directory.path()), before);

  {
    const auto farm = Farm::open(plot_options(directory.path(), 3));
    EXPECT_EQ(farm->warnings().size(), 2U);
    EXPECT_NE(farm->warnings().back().find("sector 2"), std::string::npos);
    EXPECT_EQ(farm->sectors_in_state(SectorState::kLost).size(), 2U);
    EXPECT_TRUE(test::holds(*farm, test::made_up_sector(0)));
  }
  const auto farm = Farm::open(plot_options(directory.path(), 3));
  EXPECT_TRUE(farm->warnings().empty());
  for (std::uint16_t i = 1; i < 3; ++i) {
    EXPECT_EQ(*farm->sector_metadata(SectorIndex(i)),
              SectorMetadata::expired_dummy(Network::kAbundance, SectorIndex(i), 1));
  }
}

// A slot that has its checksum is not damaged, whatever it disagrees with: nothing is written over
// the sector that it describes.
TEST(FarmOpen, SoundSlotsThatDisagreeAreNeverReplaced) {
  const TempDirectory directory;
  make_farm(directory.path(), 3, 3);
  const fs::path metadata_path = directory.path() / kMetadataFileName;
  const MetadataFile file(File::open_or_create(metadata_path));
  SectorMetadata other = test::made_up_sector(1).metadata;
  other.sector_index = SectorIndex(2);  // in the slot of sector 1
  const std::vector<std::uint8_t> of_another_sector = other.encode();
  other = test::made_up_sector(1).metadata;
  other.pieces_in_sector = 2;
  const std::vector<std::uint8_t> of_another_size = other.encode();
  for (const auto& slot : {of_another_sector, of_another_size}) {
    file.file().write_at(MetadataFile::slot_offset(1), slot);
    const auto before = contents_of(directory.path());
    try {
      Farm::open(plot_options(directory.path(), 3));
      ADD_FAILURE() << "accepted";
    } catch (const SlotMismatch& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kMismatch);
      EXPECT_EQ(error.fields().sector_index, 1);
    }
    // The others agree with the info file, so they are what it says.
    const auto farm = Farm::open(read_options(directory.path()));
    EXPECT_TRUE(test::holds(*farm, test::made_up_sector(0)));
    EXPECT_TRUE(test::holds(*farm, test::made_up_sector(2)));
    EXPECT_THROW((void)farm->sector_metadata(SectorIndex(1)), SlotMismatch);
    EXPECT_EQ(contents_of(directory.path()), before);
  }
}

TEST(FarmOpen, AnObserverOfWarningsThatThrowsIsOfNoMatter) {
  const TempDirectory directory;
  make_farm(directory.path(), 2, 2);
  test::flip_byte(directory.path() / kMetadataFileName, MetadataFile::slot_offset(1));
  FarmOptions options = plot_options(directory.path(), 2);
  int told = 0;
  options.on_warning = [&](const std::string&) {
    ++told;
    throw Error(ErrorKind::kIo, "no terminal");
  };
  EXPECT_EQ(Farm::open(options)->warnings().size(), 1U);
  EXPECT_EQ(told, 1);
}

}  // namespace
}  // namespace furrow
