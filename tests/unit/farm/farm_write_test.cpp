// SPDX-License-Identifier: Apache-2.0
// Writing and reading sectors of a farm (docs/spec/06-farm-format.md, sections 6.2 to 6.5).
#include <atomic>
#include <numeric>
#include <random>
#include <thread>

#include <gtest/gtest.h>

#include "host/farm/farm.hpp"
#include "host/primitives/sector_id.hpp"
#include "tests/support/made_up_farm.hpp"
#include "tests/support/temp_directory.hpp"
#include "tests/unit/farm/farm_files.hpp"

namespace furrow {
namespace {

using test::FaultHook;
using test::made_up_sector;
using test::MadeUpSector;
using test::plot_options;
using test::read_options;
using test::TempDirectory;

std::uint16_t write(Farm& farm, const MadeUpSector& sector) {
  return farm.write_sector(sector.metadata.sector_index, sector.bytes, sector.metadata);
}

/// What the header on disk counts.
std::uint16_t count_on_disk(const Farm& farm) {
  return MetadataFile(File::open_read(farm.directory() / kMetadataFileName))
      .read_plotted_sector_count();
}

TEST(FarmWrite, SectorsComeBackAfterReopening) {
  const TempDirectory directory;
  {
    const auto farm = Farm::open(plot_options(directory.path(), 4));
    for (std::uint16_t i = 0; i < 3; ++i) {
      EXPECT_EQ(farm->sector_state(SectorIndex(i)), SectorState::kNotPlotted);
      EXPECT_THROW((void)farm->sector_metadata(SectorIndex(i)), InvalidArgument);
      EXPECT_EQ(write(*farm, made_up_sector(i)), i + 1);
      EXPECT_EQ(farm->sector_count(), i + 1);
      EXPECT_EQ(count_on_disk(*farm), i + 1);
      EXPECT_TRUE(test::holds(*farm, made_up_sector(i)));
    }
  }
  const auto farm = Farm::open(read_options(directory.path()));
  EXPECT_EQ(farm->sector_count(), 3);
  for (std::uint16_t i = 0; i < 3; ++i) {
    EXPECT_TRUE(test::holds(*farm, made_up_sector(i)));
  }
  EXPECT_EQ(farm->sector_state(SectorIndex(3)), SectorState::kNotPlotted);
}

TEST(FarmWrite, NeighboursAreNotTouched) {
  const TempDirectory directory;
  const auto farm = Farm::open(plot_options(directory.path(), 3));
  for (std::uint16_t i = 0; i < 3; ++i) {
    write(*farm, made_up_sector(i));
  }
  write(*farm, made_up_sector(1, 2));
  EXPECT_TRUE(test::holds(*farm, made_up_sector(0)));
  EXPECT_TRUE(test::holds(*farm, made_up_sector(1, 2)));
  EXPECT_TRUE(test::holds(*farm, made_up_sector(2)));
  const MetadataFile metadata(File::open_read(directory.path() / kMetadataFileName));
  for (const auto& [index, version] : {std::pair{0, 1}, std::pair{1, 2}, std::pair{2, 1}}) {
    EXPECT_EQ(metadata.read_slot(SectorIndex(static_cast<std::uint16_t>(index)), 1),
              made_up_sector(static_cast<std::uint16_t>(index), static_cast<std::uint64_t>(version))
                  .metadata);
  }
}

TEST(FarmWrite, LargerSectorsLieWhereTheFormatSays) {
  const TempDirectory directory;
  FarmOptions options = plot_options(directory.path(), 2);
  options.pieces_in_sector = 2;
  options.allocated_space = allocated_space_for_sectors(2, 2);
  const auto farm = Farm::open(options);
  const MadeUpSector first = made_up_sector(0, 1, 2);
  const MadeUpSector second = made_up_sector(1, 1, 2);
  write(*farm, first);
  write(*farm, second);
  const std::string plot = test::file_text(directory.path() / kPlotFileName);
  const auto at = [&](std::uint64_t offset) {
    return std::vector<std::uint8_t>(
        plot.begin() + static_cast<std::ptrdiff_t>(offset),
        plot.begin() + static_cast<std::ptrdiff_t>(offset + 2'115'632));
  };
  EXPECT_EQ(at(0), first.bytes);
  EXPECT_EQ(at(2'115'632), second.bytes);
}

TEST(FarmWrite, WhatIsPassedOverIsLostUntilItIsWritten) {
  const TempDirectory directory;
  auto farm = Farm::open(plot_options(directory.path(), 4));
  EXPECT_EQ(write(*farm, made_up_sector(2)), 3);
  EXPECT_EQ(count_on_disk(*farm), 3);
  EXPECT_TRUE(test::holds(*farm, made_up_sector(2)));
  const std::vector<SectorIndex> passed_over = {SectorIndex(0), SectorIndex(1)};
  EXPECT_EQ(farm->sectors_in_state(SectorState::kLost), passed_over);
  farm.reset();
  farm = Farm::open(plot_options(directory.path(), 4));
  EXPECT_EQ(farm->sectors_in_state(SectorState::kLost), passed_over);
  EXPECT_EQ(write(*farm, made_up_sector(0)), 3);
  EXPECT_EQ(write(*farm, made_up_sector(1)), 3);
  for (std::uint16_t i = 0; i < 3; ++i) {
    EXPECT_TRUE(test::holds(*farm, made_up_sector(i)));
  }
}

TEST(FarmWrite, RequestsThatDoNotFitAreRefused) {
  const TempDirectory directory;
  const MadeUpSector sector = made_up_sector(0);
  {
    const auto farm = Farm::open(plot_options(directory.path(), 2));
    const auto refused = [&](std::uint16_t index, std::span<const std::uint8_t> bytes,
                             const SectorMetadata& metadata) {
      EXPECT_THROW(farm->write_sector(SectorIndex(index), bytes, metadata), InvalidArgument);
      EXPECT_EQ(count_on_disk(*farm), 0);
    };
    refused(1, sector.bytes, sector.metadata);
    refused(2, sector.bytes, made_up_sector(2).metadata);
    refused(65535, sector.bytes, made_up_sector(65535).metadata);
    refused(0, std::span(sector.bytes).first(sector.bytes.size() - 1), sector.metadata);
    refused(0, std::vector<std::uint8_t>(sector.bytes.size() + 1), sector.metadata);
    SectorMetadata metadata = sector.metadata;
    metadata.pieces_in_sector = 2;
    refused(0, sector.bytes, metadata);
    metadata = sector.metadata;
    metadata.s_bucket_sizes.pop_back();
    refused(0, sector.bytes, metadata);

    std::vector<std::uint8_t> buffer(10);
    EXPECT_THROW(farm->read_sector_bytes(SectorIndex(2), 0, buffer), InvalidArgument);
    EXPECT_THROW(farm->read_sector_bytes(SectorIndex(0), farm->sector_size() - 9, buffer),
                 InvalidArgument);
    EXPECT_THROW(farm->read_sector_bytes(SectorIndex(0), ~std::uint64_t{0}, buffer),
                 InvalidArgument);
    EXPECT_THROW((void)farm->sector_state(SectorIndex(2)), InvalidArgument);
    EXPECT_THROW(farm->mark_lost(SectorIndex(0)), InvalidArgument);
  }
  const auto farm = Farm::open(read_options(directory.path()));
  EXPECT_THROW(farm->write_sector(SectorIndex(0), sector.bytes, sector.metadata), InvalidArgument);
}

TEST(FarmWrite, MarkLostLasts) {
  const TempDirectory directory;
  {
    const auto farm = Farm::open(plot_options(directory.path(), 2));
    write(*farm, made_up_sector(0));
    write(*farm, made_up_sector(1));
    farm->mark_lost(SectorIndex(0));
    EXPECT_EQ(farm->sector_state(SectorIndex(0)), SectorState::kLost);
  }
  const auto farm = Farm::open(plot_options(directory.path(), 2));
  EXPECT_EQ(farm->sectors_in_state(SectorState::kLost), std::vector{SectorIndex(0)});
  EXPECT_EQ(farm->sector_count(), 2);
  write(*farm, made_up_sector(0, 2));
  EXPECT_TRUE(test::holds(*farm, made_up_sector(0, 2)));
  EXPECT_TRUE(test::holds(*farm, made_up_sector(1)));
}

TEST(FarmWrite, MarksOfModification) {
  const TempDirectory directory;
  const auto farm = Farm::open(plot_options(directory.path(), 2));
  const SectorIndex index(1);
  {
    auto mark = farm->begin_modifying(index);
    ASSERT_TRUE(mark.has_value());
    EXPECT_TRUE(farm->is_being_modified(index));
    EXPECT_FALSE(farm->is_being_modified(SectorIndex(0)));
    EXPECT_FALSE(farm->begin_modifying(index).has_value());
    const ModificationMark moved = std::move(*mark);
    mark.reset();
    EXPECT_TRUE(farm->is_being_modified(index));
    write(*farm, made_up_sector(1));
    EXPECT_TRUE(farm->is_being_modified(index));
  }
  EXPECT_FALSE(farm->is_being_modified(index));
  EXPECT_TRUE(farm->begin_modifying(index).has_value());
}

TEST(FarmWrite, ASectorHasOneWriterAtATime) {
  const TempDirectory directory;
  const auto farm = Farm::open(plot_options(directory.path(), 1));
  const MadeUpSector sector = made_up_sector(0);
  bool was_tried = false;
  set_file_fault_hook([&](FileOperation, const std::filesystem::path&) {
    if (!std::exchange(was_tried, true)) {
      EXPECT_TRUE(farm->is_being_modified(SectorIndex(0)));
      EXPECT_THROW(write(*farm, sector), InvalidArgument);
    }
  });
  write(*farm, sector);
  set_file_fault_hook(nullptr);
  EXPECT_TRUE(was_tried);
  EXPECT_FALSE(farm->is_being_modified(SectorIndex(0)));
}

TEST(FarmWrite, AFailedWriteOfACountedSectorLeavesItLost) {
  const TempDirectory directory;
  const auto farm = Farm::open(plot_options(directory.path(), 2));
  write(*farm, made_up_sector(0));
  write(*farm, made_up_sector(1));
  set_file_fault_hook([&](FileOperation operation, const std::filesystem::path& path) {
    if (operation == FileOperation::kWrite && path.filename() == kPlotFileName) {
      throw IoError("write", path.native(), ENOSPC);
    }
  });
  EXPECT_THROW(write(*farm, made_up_sector(0, 2)), IoError);
  set_file_fault_hook(nullptr);
  EXPECT_EQ(farm->sector_state(SectorIndex(0)), SectorState::kLost);
  EXPECT_TRUE(test::holds(*farm, made_up_sector(1)));
  EXPECT_EQ(write(*farm, made_up_sector(0, 3)), 2);
  EXPECT_TRUE(test::holds(*farm, made_up_sector(0, 3)));
}

// A sector whose count could not be written is there; the next one to be written counts it, too.
TEST(FarmWrite, ASectorWhoseCountFailedIsNotPassedOver) {
  const TempDirectory directory;
  const auto farm = Farm::open(plot_options(directory.path(), 2));
  int metadata_writes = 0;
  set_file_fault_hook([&](FileOperation operation, const std::filesystem::path& path) {
    if (operation == FileOperation::kWrite && path.filename() == kMetadataFileName &&
        ++metadata_writes == 2) {  // the slot, then the count
      throw IoError("write", path.native(), ENOSPC);
    }
  });
  EXPECT_THROW(write(*farm, made_up_sector(0)), IoError);
  set_file_fault_hook(nullptr);
  EXPECT_EQ(count_on_disk(*farm), 0);
  EXPECT_EQ(write(*farm, made_up_sector(1)), 2);
  EXPECT_TRUE(test::holds(*farm, made_up_sector(0)));
  EXPECT_TRUE(test::holds(*farm, made_up_sector(1)));
}

TEST(FarmWrite, ThreadsWriteAndReadDistinctSectors) {
  constexpr std::uint16_t kSectors = 12;
  const TempDirectory directory;
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::vector<std::uint16_t> order(2 * kSectors);  // each is written, then written once more
  std::iota(order.begin(), order.begin() + kSectors, std::uint16_t{0});
  std::iota(order.begin() + kSectors, order.end(), std::uint16_t{0});
  std::mt19937 random(seed);
  std::shuffle(order.begin(), order.begin() + kSectors, random);
  std::shuffle(order.begin() + kSectors, order.end(), random);
  {
    const auto farm = Farm::open(plot_options(directory.path(), kSectors));
    std::atomic<std::size_t> next = 0;
    const auto work = [&] {
      for (std::size_t i = next++; i < order.size(); i = next++) {
        const std::uint64_t version = i < kSectors ? 1 : 2;
        const MadeUpSector sector = made_up_sector(order[i], version);
        // The two writes of a sector may meet: then one has to wait for its turn.
        for (bool is_written = false; !is_written;) {
          try {
            write(*farm, sector);
            is_written = true;
          } catch (const InvalidArgument&) {
            std::this_thread::yield();
          }
        }
        for (std::uint16_t other = 0; other < farm->sector_count(); ++other) {
          EXPECT_EQ(farm->sector_metadata(SectorIndex(other))->sector_index, SectorIndex(other));
        }
      }
    };
    std::array<std::thread, 4> threads;
    for (std::thread& thread : threads) {
      thread = std::thread(work);
    }
    for (std::thread& thread : threads) {
      thread.join();
    }
    EXPECT_EQ(farm->sector_count(), kSectors);
  }
  const auto farm = Farm::open(read_options(directory.path()));
  ASSERT_EQ(farm->sector_count(), kSectors);
  for (std::uint16_t i = 0; i < kSectors; ++i) {
    EXPECT_TRUE(test::holds(*farm, made_up_sector(i, 2)) ||
                test::holds(*farm, made_up_sector(i, 1)));
  }
}

TEST(FarmWrite, SectorIdsFollowFromKeyAndHistorySize) {
  const TempDirectory directory;
  const auto farm = Farm::open(plot_options(directory.path(), 2));
  write(*farm, made_up_sector(0));
  write(*farm, made_up_sector(1));
  const HistorySize history_size = made_up_sector(1).metadata.history_size;
  const Hash root =
      shard_commitments_root(SimdMode::kBest, farm->info().shard_commitments_seed, history_size);
  SectorId from_threads[4];
  std::vector<std::thread> threads;
  for (SectorId& id : from_threads) {
    threads.emplace_back([&] { id = farm->sector_id(SectorIndex(1)); });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  for (const SectorId& id : from_threads) {
    EXPECT_EQ(id, derive_sector_id(Network::kAbundance, farm->identity().public_key_hash(), root,
                                   SectorIndex(1), history_size));
  }
  const HistorySize other = HistorySize::from_count(77);
  EXPECT_EQ(farm->sector_id(SectorIndex(0), other),
            derive_sector_id(Network::kAbundance, farm->identity().public_key_hash(),
                             farm->shard_commitments_root(other), SectorIndex(0), other));
  EXPECT_NE(farm->shard_commitments_root(other), root);
}

// Whatever happens to the files under the eyes of a farm that has them open, nobody is told that a
// sector is there which nobody will find.
TEST(FarmWrite, SectorsOfAFarmThatIsGoneAreNotSaidToBeThere) {
  namespace fs = std::filesystem;
  const auto gone_after = [](const auto& what, const char* missing) {
    const TempDirectory directory;
    const fs::path path = directory.path() / "farm";
    const auto farm = Farm::open(plot_options(path, 3));
    write(*farm, made_up_sector(0));
    EXPECT_NO_THROW(farm->check_presence());
    what(path);
    for (int i = 0; i < 2; ++i) {
      try {
        write(*farm, made_up_sector(1));
        ADD_FAILURE() << "written";
      } catch (const FarmGone& error) {
        EXPECT_EQ(error.kind(), ErrorKind::kIo);
        EXPECT_EQ(error.fields().path, missing == nullptr ? path : path / missing);
      }
      EXPECT_THROW(farm->check_presence(), FarmGone);
    }
  };
  const auto moved = [](const fs::path& path) { fs::rename(path, path.parent_path() / "other"); };
  const auto replaced = [&](const fs::path& path) {
    moved(path);
    fs::copy(path.parent_path() / "other", path);
  };
  gone_after([](const fs::path& path) { fs::remove_all(path); }, nullptr);
  gone_after(moved, nullptr);
  gone_after(replaced, nullptr);
  for (const char* name : {kFarmInfoFileName, kMetadataFileName, kPlotFileName}) {
    gone_after([&](const fs::path& path) { fs::remove(path / name); }, name);
    gone_after(
        [&](const fs::path& path) {
          fs::copy(path / name, path / "copy");
          fs::rename(path / "copy", path / name);
        },
        name);
  }
}

// It may also go while a sector is being written.
TEST(FarmWrite, AFarmThatGoesDuringAWriteIsNoticedByThatWrite) {
  const TempDirectory directory;
  const std::filesystem::path path = directory.path() / "farm";
  const auto farm = Farm::open(plot_options(path, 2));
  const FaultHook hook([&](FileOperation operation, const std::filesystem::path& file) {
    if (operation == FileOperation::kSync && file.filename() == kPlotFileName) {
      std::filesystem::remove_all(path);
    }
  });
  EXPECT_THROW(write(*farm, made_up_sector(0)), FarmGone);
}

}  // namespace
}  // namespace furrow
