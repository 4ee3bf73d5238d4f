// SPDX-License-Identifier: Apache-2.0
// Sector metadata of a farm outside of memory: how many are in it, what is written when, and who
// does without the state (docs/formats/farm-state.md).
#include <fstream>

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/temp_directory.hpp"
#include "tests/unit/farm/farm_states.hpp"

namespace furrow {
namespace {

using test::CountingBackend;
using test::ForgettingBackend;
using test::made_up_metadata;
using test::made_up_sector;
using test::MadeUpSector;
using test::plot_options;
using test::read_options;
using test::TempDirectory;
using test::with_state;

constexpr std::uint16_t kMany = 200;

/// Loads the metadata of every sector and says of how many the memory is still there afterwards.
std::size_t count_live_after_loading_all(const Farm& farm, std::uint16_t sectors) {
  std::vector<std::weak_ptr<const SectorMetadata>> seen;
  for (std::uint16_t i = 0; i < sectors; ++i) {
    const auto metadata = farm.sector_metadata(SectorIndex(i));
    EXPECT_EQ(*metadata, made_up_metadata(i));
    seen.push_back(metadata);
  }
  return static_cast<std::size_t>(
      std::ranges::count_if(seen, [](const auto& metadata) { return !metadata.expired(); }));
}

TEST(FarmState, OnlyTheLastUsedStayInMemory) {
  const TempDirectory directory;
  test::make_hollow_farm(directory.path(), kMany);
  const auto backend = std::make_shared<CountingBackend>();
  for (const FarmOptions& options :
       {read_options(directory.path()), plot_options(directory.path(), kMany),
        with_state(plot_options(directory.path(), kMany), backend)}) {
    const auto farm = Farm::open(options);
    EXPECT_EQ(count_live_after_loading_all(*farm, kMany), SectorMetadataStore::kKept);
    const auto held = farm->sector_metadata(SectorIndex(3));
    EXPECT_EQ(farm->sector_metadata(SectorIndex(3)), held);
    EXPECT_EQ(count_live_after_loading_all(*farm, kMany), SectorMetadataStore::kKept + 1);
    EXPECT_EQ(*held, made_up_metadata(3));
  }
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
/// Bytes of memory that this process may write.
rlim_t data_size() {
  std::ifstream pages("/proc/self/statm");
  rlim_t total = 0;
  rlim_t other = 0;
  rlim_t data = 0;
  pages >> total >> other >> other >> other >> other >> data;
  return data * static_cast<rlim_t>(::sysconf(_SC_PAGESIZE));
}

TEST(FarmState, OpeningAndReadingNeedLittleMemory) {
  constexpr std::uint16_t kSectors = 800;  // 105 MB of metadata
  constexpr rlim_t kRoom = 48'000'000;     // a thread with its stack, 64 metadata, and some
  const TempDirectory directory;
  test::make_hollow_farm(directory.path(), kSectors);
  const pid_t child = ::fork();
  if (child == 0) {
    const rlimit limit{data_size() + kRoom, data_size() + kRoom};
    if (::setrlimit(RLIMIT_DATA, &limit) != 0) {
      ::_exit(3);
    }
    try {
      const auto backend = std::make_shared<ForgettingBackend>();
      const auto farm = Farm::open(with_state(plot_options(directory.path(), kSectors), backend));
      const bool is_filled = backend->written == kSectors && farm->warnings().size() == 1;
      const auto reader = Farm::open([&] {
        FarmOptions options = read_options(directory.path());
        options.lock = false;
        return options;
      }());
      for (std::uint16_t i = 0; i < kSectors; ++i) {
        if (reader->sector_metadata(SectorIndex(i))->history_size !=
            farm->history_size(SectorIndex(i))) {
          ::_exit(2);
        }
      }
      ::_exit(is_filled ? 0 : 2);
    } catch (...) {
      ::_exit(1);
    }
  }
  int status = -1;
  ::waitpid(child, &status, 0);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0) << "1: out of memory, 2: wrong contents, 3: no limit";
}
#endif

TEST(FarmState, WhatIsThereIsNotWrittenAgainAndReadOnDemandOnly) {
  const TempDirectory directory;
  test::make_hollow_farm(directory.path(), kMany);
  const auto backend = std::make_shared<CountingBackend>();
  const FarmOptions options = with_state(plot_options(directory.path(), kMany), backend);
  const auto warnings = Farm::open(options)->warnings();
  ASSERT_EQ(warnings.size(), 1U);
  EXPECT_NE(warnings[0].find("lacked the metadata of 200 of 200 sectors"), std::string::npos)
      << warnings[0];
  EXPECT_EQ(backend->written, kMany);

  backend->written = backend->nodes_written = backend->read = 0;
  const auto farm = Farm::open(options);
  EXPECT_TRUE(farm->warnings().empty());
  EXPECT_EQ(backend->written + backend->nodes_written, 0U);
  EXPECT_EQ(backend->read, 0U);
  EXPECT_EQ(*farm->sector_metadata(SectorIndex(150)), made_up_metadata(150));
  EXPECT_EQ(backend->read, 1U);
  EXPECT_EQ(*farm->sector_metadata(SectorIndex(150)), made_up_metadata(150));
  EXPECT_EQ(backend->read, 1U);
  EXPECT_EQ(farm->history_size(SectorIndex(7)), made_up_metadata(7).history_size);
  EXPECT_EQ(backend->read, 1U);
}

TEST(FarmState, AReplotReplacesOneLeafAndTheNodesAboveIt) {
  const TempDirectory directory;
  test::make_hollow_farm(directory.path(), kMany);
  const auto backend = std::make_shared<CountingBackend>();
  const FarmOptions options = with_state(plot_options(directory.path(), kMany), backend);
  {
    const auto farm = Farm::open(options);
    backend->written = backend->nodes_written = 0;
    const MadeUpSector again = made_up_sector(70, 2);
    farm->write_sector(SectorIndex(70), again.bytes, again.metadata);
    EXPECT_EQ(backend->written, 1U);
    EXPECT_EQ(backend->nodes_written, 4U);  // block and farm, when it is lost and when it is there
    farm->mark_lost(SectorIndex(3));
    EXPECT_EQ(backend->written, 1U);
    EXPECT_EQ(*farm->sector_metadata(SectorIndex(3)),
              SectorMetadata::expired_dummy(Network::kAbundance, SectorIndex(3), 1));
  }
  backend->written = backend->nodes_written = 0;
  const auto farm = Farm::open(options);
  EXPECT_TRUE(farm->warnings().empty());
  EXPECT_EQ(backend->written + backend->nodes_written, 0U);
  EXPECT_TRUE(test::holds(*farm, made_up_sector(70, 2)));
  EXPECT_EQ(farm->sectors_in_state(SectorState::kLost), std::vector{SectorIndex(3)});
}

TEST(FarmState, ReadersAndWhoeverLacksTheLockDoWithoutIt) {
  const TempDirectory directory;
  test::make_farm(directory.path(), 2, 2);
  int opened = 0;
  const auto with_counted_opening = [&](FarmOptions options) {
    options.state_backend = [&](const std::filesystem::path&) {
      ++opened;
      return std::make_unique<MemoryBackend>();
    };
    return options;
  };
  const auto plotter = Farm::open(with_counted_opening(plot_options(directory.path(), 2)));
  EXPECT_EQ(opened, 1);
  for (const FarmMode mode : {FarmMode::kReadOnly, FarmMode::kPlot}) {
    FarmOptions options = with_counted_opening(plot_options(directory.path(), 2));
    options.mode = mode;
    options.lock = false;
    EXPECT_TRUE(test::holds(*Farm::open(options), made_up_sector(1)));
  }
  EXPECT_EQ(opened, 1);
}

TEST(FarmState, AReaderNoticesThatAPlotterReplacedASlot) {
  const TempDirectory directory;
  test::make_farm(directory.path(), 2, 2);
  const auto plotter = Farm::open(plot_options(directory.path(), 2));
  FarmOptions options = read_options(directory.path());
  options.lock = false;
  const auto reader = Farm::open(options);
  const MadeUpSector again = made_up_sector(1, 2);
  plotter->write_sector(SectorIndex(1), again.bytes, again.metadata);
  try {
    (void)reader->sector_metadata(SectorIndex(1));
    ADD_FAILURE() << "the new slot was taken for the old one";
  } catch (const SlotChanged& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUnavailable);
    EXPECT_NE(std::string(error.what()).find("sector 1"), std::string::npos);
  }
  EXPECT_EQ(reader->history_size(SectorIndex(1)), made_up_sector(1).metadata.history_size);
  EXPECT_TRUE(reader->was_written_lately());
  EXPECT_FALSE(plotter->reload_slot(SectorIndex(1)));
  EXPECT_FALSE(reader->reload_slot(SectorIndex(0)));
  EXPECT_TRUE(reader->reload_slot(SectorIndex(1)));
  EXPECT_FALSE(reader->reload_slot(SectorIndex(1)));
  EXPECT_TRUE(test::holds(*reader, again));
  plotter->mark_lost(SectorIndex(1));
  EXPECT_TRUE(reader->reload_slot(SectorIndex(1)));
  EXPECT_EQ(reader->sector_state(SectorIndex(1)), SectorState::kLost);
  plotter->write_sector(SectorIndex(1), again.bytes, again.metadata);
  EXPECT_TRUE(test::holds(*reader, made_up_sector(0)));
  EXPECT_TRUE(test::holds(*Farm::open(options), again));
}

}  // namespace
}  // namespace furrow
