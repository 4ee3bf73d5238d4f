// SPDX-License-Identifier: Apache-2.0
// The scrub finds every damaged byte of sectors and slots and names what it belongs to
// (docs/spec/06-farm-format.md, section 7), also while the farm is plotted.
#include <chrono>
#include <filesystem>
#include <functional>

#include <gtest/gtest.h>

#include "tests/unit/farm/farm_scrub_fixture.hpp"

namespace furrow {
namespace {

namespace fs = std::filesystem;
using FarmScrub = test::FarmScrubTest;

constexpr std::uint16_t kPieces = FarmScrub::kPieces;
constexpr std::uint16_t kSectors = FarmScrub::kSectors;

TEST_F(FarmScrub, AnIntactFarmIsCleanAndUnchanged) {
  std::map<std::string, std::string> before;
  for (const auto& entry : fs::directory_iterator(path())) {
    before[entry.path()] = test::file_text(entry.path());
  }
  std::vector<ScrubProgress> seen;
  const ScrubReport report =
      scrub_farm({.directory = path(), .genesis_root = test::made_up_genesis()},
                 [&](const ScrubProgress& progress) { seen.push_back(progress); });
  EXPECT_TRUE(report.broken.empty());
  EXPECT_TRUE(report.notes.empty());
  EXPECT_TRUE(report.lost.empty());
  EXPECT_FALSE(report.stopped);
  EXPECT_EQ(report.counted_sectors, kSectors);
  EXPECT_EQ(report.intact_sectors, kSectors);
  EXPECT_EQ(report.broken_sectors, 0);
  EXPECT_EQ(report.bytes_read, kSectors * sector_size(Network::kAbundance, kPieces));
  ASSERT_FALSE(seen.empty());
  EXPECT_EQ(seen.back().sectors_done, kSectors);
  EXPECT_EQ(seen.back().bytes_done, seen.back().bytes_total);
  for (std::size_t i = 1; i < seen.size(); ++i) {
    EXPECT_LE(seen[i - 1].bytes_done, seen[i].bytes_done);
    EXPECT_LE(seen[i].bytes_done - seen[i - 1].bytes_done, std::uint64_t{1} << 20);
  }
  for (const auto& [name, contents] : before) {
    EXPECT_EQ(test::file_text(name), contents);
  }
}

TEST_F(FarmScrub, EveryRegionOfASector) {
  const std::uint64_t start = sector_size(Network::kAbundance, kPieces);  // of sector 1
  const SectorIndex sector(1);
  struct Case {
    std::uint64_t offset;
    bool in_contents_map;
  };
  for (const Case& one : std::initializer_list<Case>{
           {0, true},
           {contents_map_size(kPieces) - 1, true},
           {contents_map_size(kPieces) / 2, true},
           {record_chunks_offset(kPieces), false},
           {record_metadata_offset(kPieces) - 1, false},
           {record_metadata_offset(kPieces), false},
           {sector_checksum_offset(Network::kAbundance, kPieces) - 1, false},
           {sector_checksum_offset(Network::kAbundance, kPieces), false},
           {sector_size(Network::kAbundance, kPieces) - 1, false},
       }) {
    SCOPED_TRACE("byte " + std::to_string(one.offset));
    test::flip_byte(file(kPlotFileName), start + one.offset);
    const ScrubReport report = scrub();
    ASSERT_EQ(report.broken.size(), one.in_contents_map ? 2U : 1U);
    EXPECT_EQ(report.broken.front().thing, "plot.bin: checksum of sector 1");
    EXPECT_EQ(report.broken.back().sector, sector);
    if (one.in_contents_map) {
      EXPECT_EQ(report.broken.back().thing, "plot.bin: contents map of sector 1");
    }
    EXPECT_EQ(report.broken_sectors, 1);
    EXPECT_EQ(report.intact_sectors, kSectors - 1);
    test::flip_byte(file(kPlotFileName), start + one.offset);
  }
  EXPECT_TRUE(scrub().broken.empty());
}

TEST_F(FarmScrub, EveryFieldOfASlot) {
  for (const std::uint64_t offset :
       {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{2}, std::uint64_t{4},
        std::uint64_t{70'000}, std::uint64_t{131'075}, std::uint64_t{131'076},
        std::uint64_t{131'083}, std::uint64_t{131'084}, std::uint64_t{131'115}}) {
    SCOPED_TRACE("byte " + std::to_string(offset));
    const std::uint64_t place = MetadataFile::slot_offset(2) + offset;
    test::flip_byte(file(kMetadataFileName), place);
    expect_broken("metadata.bin: slot of sector 2", SectorIndex(2));
    test::flip_byte(file(kMetadataFileName), place);
  }
}

TEST_F(FarmScrub, ASlotOfOtherContents) {
  const MetadataFile metadata(File::open_or_create(file(kMetadataFileName)));
  metadata.write_slot(test::made_up_sector(2, 2, kPieces).metadata);
  expect_broken("metadata.bin: s-bucket sizes of sector 2", SectorIndex(2));
}

TEST_F(FarmScrub, ASlotOfAnotherSectorOrSize) {
  const MetadataFile metadata(File::open_or_create(file(kMetadataFileName)));
  SectorMetadata other = test::made_up_sector(0, 1, kPieces).metadata;
  metadata.file().write_at(MetadataFile::slot_offset(1), other.encode());
  expect_broken("metadata.bin: slot of sector 1", SectorIndex(1));
  other = test::made_up_sector(1, 1, 1).metadata;
  metadata.write_slot(other);
  expect_broken("metadata.bin: slot of sector 1", SectorIndex(1));
}

// While somebody plots a farm that is mostly empty, each of its empty slots was looked at twice,
// with a pause in between.
TEST_F(FarmScrub, EmptySlotsAreNotWaitedFor) {
  constexpr std::uint16_t kSlots = 400;
  fs::resize_file(file(kMetadataFileName), MetadataFile::size_for(kSlots));
  fs::last_write_time(file(kMetadataFileName), fs::file_time_type::clock::now());
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(scrub().intact_sectors, kSectors);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(5));
}

TEST_F(FarmScrub, APlotFileThatIsCutMeanwhileIsNamed) {
  const ScrubReport report =
      scrub_farm({.directory = path(), .genesis_root = {}}, [&](const ScrubProgress& progress) {
        if (progress.sectors_done == 1) {
          fs::resize_file(file(kPlotFileName), sector_size(Network::kAbundance, kPieces));
        }
      });
  ASSERT_FALSE(report.broken.empty());
  EXPECT_EQ(report.broken.front().thing, "plot.bin: bytes of sector 1");
}

/// Writes sector 1 anew with a contents map changed by `change` and checksums that fit.
void rewrite_with_map(const fs::path& directory,
                      const std::function<void(SectorContentsMap&)>& change) {
  test::MadeUpSector sector = test::made_up_sector(1, 1, kPieces);
  const std::span<std::uint8_t> bytes(sector.bytes);
  const auto map_bytes = bytes.first(contents_map_size(kPieces));
  SectorContentsMap map = SectorContentsMap::parse(map_bytes, kPieces);
  change(map);
  map.write_to(map_bytes);
  const Hash checksum = blake3(bytes.first(bytes.size() - kHashSize));
  std::copy(checksum.begin(), checksum.end(), bytes.end() - kHashSize);
  sector.metadata.s_bucket_sizes = map.s_bucket_sizes();
  FarmOptions options = test::plot_options(directory, kSectors);
  options.pieces_in_sector.reset();
  options.allocated_space.reset();
  Farm::open(options)->write_sector(SectorIndex(1), sector.bytes, sector.metadata);
}

TEST_F(FarmScrub, RecordsWithTooManyOrTooFewChunks) {
  rewrite_with_map(path(), [](SectorContentsMap& map) { map.bitmaps()[1].bytes.fill(0xFF); });
  expect_broken("plot.bin: contents map of sector 1", SectorIndex(1));

  rewrite_with_map(path(), [](SectorContentsMap& map) { map.bitmaps()[1].bytes[0] = 0; });
  const ScrubReport report = scrub();
  EXPECT_TRUE(report.broken.empty());
  EXPECT_EQ(report.intact_sectors, kSectors);
  ASSERT_EQ(report.notes.size(), 1U);
  EXPECT_EQ(report.notes.front().sector, SectorIndex(1));
  EXPECT_NE(report.notes.front().reason.find("piece offset 1"), std::string::npos);
}

TEST_F(FarmScrub, LostSectorsAreNotBroken) {
  FarmOptions options = test::plot_options(path(), kSectors);
  options.pieces_in_sector.reset();
  options.allocated_space.reset();
  Farm::open(options)->mark_lost(SectorIndex(1));
  const ScrubReport report = scrub();
  EXPECT_TRUE(report.broken.empty());
  EXPECT_EQ(report.lost, std::vector{SectorIndex(1)});
  EXPECT_EQ(report.intact_sectors, kSectors - 1);
  EXPECT_EQ(report.broken_sectors, 0);
}

/// Scrubs the farm while it is open for plotting; `plot` gets that farm once, in the middle of the
/// contents of sector 1, which is the largest part of its first half.
ScrubReport scrub_beside(const fs::path& directory, const std::function<void(Farm&)>& plot) {
  FarmOptions options = test::plot_options(directory, kSectors);
  options.pieces_in_sector.reset();
  options.allocated_space.reset();
  const auto plotter = Farm::open(options);
  bool is_done = false;
  return scrub_farm({.directory = directory}, [&](const ScrubProgress& progress) {
    if (!is_done && progress.bytes_done > sector_size(Network::kAbundance, kPieces) * 3 / 2) {
      is_done = true;
      plot(*plotter);
    }
  });
}

TEST_F(FarmScrub, ASectorThatIsPlottedMeanwhileIsNotBroken) {
  const test::MadeUpSector again = test::made_up_sector(1, 2, kPieces);
  ScrubReport report = scrub_beside(
      path(), [&](Farm& farm) { farm.write_sector(SectorIndex(1), again.bytes, again.metadata); });
  EXPECT_TRUE(report.broken.empty()) << report.broken.front().reason;
  EXPECT_EQ(report.intact_sectors, kSectors);

  // Of the same history as before, so that nothing of the slot shows that the bytes were others.
  test::flip_byte(file(kPlotFileName), sector_size(Network::kAbundance, kPieces) + 100);
  report = scrub_beside(
      path(), [&](Farm& farm) { farm.write_sector(SectorIndex(1), again.bytes, again.metadata); });
  EXPECT_TRUE(report.broken.empty()) << report.broken.front().reason;
  EXPECT_EQ(report.intact_sectors, kSectors);

  // In the middle of it: the slot says that it is lost, and some bytes are others already.
  report = scrub_beside(path(), [&](Farm& farm) {
    farm.mark_lost(SectorIndex(1));
    test::overwrite(file(kPlotFileName), 2 * sector_size(Network::kAbundance, kPieces) - 5'000,
                    std::vector<std::uint8_t>(4'000, 7));
  });
  EXPECT_TRUE(report.broken.empty()) << report.broken.front().reason;
  EXPECT_EQ(report.lost, std::vector{SectorIndex(1)});
  EXPECT_EQ(report.intact_sectors, kSectors - 1);
}

TEST_F(FarmScrub, DamageIsSaidOnceAlsoInAFarmThatIsPlotted) {
  test::flip_byte(file(kPlotFileName), sector_size(Network::kAbundance, kPieces) + 100);
  const ScrubReport report = scrub_beside(path(), [](Farm&) {});
  ASSERT_EQ(report.broken.size(), 2U);
  EXPECT_EQ(report.broken[0].thing, "plot.bin: checksum of sector 1");
  EXPECT_EQ(report.broken[1].thing, "plot.bin: contents map of sector 1");
  EXPECT_EQ(report.broken_sectors, 1);
  EXPECT_EQ(report.intact_sectors, kSectors - 1);
}

TEST_F(FarmScrub, WithoutContentsNothingOfThePlotIsRead) {
  test::flip_byte(file(kPlotFileName), 12'345);
  const ScrubReport report =
      scrub_farm({.directory = path(), .genesis_root = {}, .with_contents = false});
  EXPECT_TRUE(report.broken.empty());
  EXPECT_EQ(report.intact_sectors, kSectors);
  EXPECT_EQ(report.bytes_read, 0U);
}

TEST_F(FarmScrub, AnObserverThatThrowsEndsNothing) {
  const ScrubReport report = scrub_farm({.directory = path()}, [](const ScrubProgress&) {
    throw Error(ErrorKind::kIo, "the terminal is gone");
  });
  EXPECT_EQ(report.intact_sectors, kSectors);
  EXPECT_TRUE(report.broken.empty());
}

TEST_F(FarmScrub, StopsWithinOneRead) {
  std::stop_source stop;
  std::uint64_t reads_after_stop = 0;
  const ScrubReport report = scrub_farm(
      {.directory = path(), .genesis_root = {}},
      [&](const ScrubProgress& progress) {
        reads_after_stop += stop.stop_requested() ? 1U : 0U;
        if (progress.sectors_done == 1 &&
            progress.bytes_done > sector_size(Network::kAbundance, kPieces)) {
          stop.request_stop();
        }
      },
      stop.get_token());
  EXPECT_TRUE(report.stopped);
  EXPECT_EQ(reads_after_stop, 0U);
  EXPECT_EQ(report.intact_sectors, 1);
  EXPECT_EQ(report.broken_sectors, 0);
  EXPECT_EQ(report.bytes_read,
            sector_size(Network::kAbundance, kPieces) + (std::uint64_t{1} << 20));
}

}  // namespace
}  // namespace furrow
