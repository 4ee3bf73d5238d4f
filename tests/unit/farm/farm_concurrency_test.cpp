// SPDX-License-Identifier: Apache-2.0
// Readers of metadata and finders of pieces beside a thread that plots.
#include <atomic>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "host/farm/piece_finder.hpp"
#include "tests/support/temp_directory.hpp"
#include "tests/unit/farm/farm_states.hpp"

namespace furrow {
namespace {

using test::made_up_sector;
using test::MadeUpSector;

constexpr std::uint16_t kSectors = 3;
constexpr std::uint64_t kVersions = 3;  // few, because each history size costs a tenth of a second

TEST(FarmConcurrency, ReadersSeeOneVersionOrAnother) {
  const test::TempDirectory directory;
  FarmOptions options = test::with_state(test::plot_options(directory.path(), kSectors),
                                         std::make_shared<MemoryBackend>());
  options.keep_index = true;
  const auto farm = Farm::open(options);
  std::vector<std::vector<MadeUpSector>> versions(kSectors);
  std::vector<PieceIndex> pieces;
  for (std::uint16_t i = 0; i < kSectors; ++i) {
    for (std::uint64_t version = 1; version <= kVersions; ++version) {
      versions[i].push_back(made_up_sector(i, version));
      const HistorySize history = versions[i].back().metadata.history_size;
      pieces.push_back(farm->pieces_of({SectorIndex(i), history}).front());
    }
    farm->write_sector(SectorIndex(i), versions[i][0].bytes, versions[i][0].metadata);
  }
  const PieceFinder finder(*farm);

  const std::uint64_t seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::atomic<bool> is_done = false;
  std::atomic<std::size_t> n_read = 0;
  std::vector<std::jthread> readers;
  for (std::uint64_t reader = 0; reader < 3; ++reader) {
    readers.emplace_back([&, reader] {
      std::mt19937_64 random(seed + reader);
      // At least once around, however late the thread begins.
      for (std::size_t round = 0; round < 50 || !is_done; ++round) {
        const auto i = static_cast<std::uint16_t>(random() % kSectors);
        const auto metadata = farm->sector_metadata(SectorIndex(i));
        EXPECT_TRUE(metadata->holds_nothing() ||
                    std::ranges::any_of(versions[i], [&](const MadeUpSector& version) {
                      return version.metadata == *metadata;
                    }));
        for (const PiecePlace& place : finder.find(pieces[random() % pieces.size()])) {
          EXPECT_LT(place.sector.value(), kSectors);
        }
        ++n_read;
      }
    });
  }
  std::mt19937_64 random(seed - 1);
  for (int round = 0; round < 40; ++round) {
    const auto i = static_cast<std::uint16_t>(random() % kSectors);
    if (random() % 4 == 0) {
      farm->mark_lost(SectorIndex(i));
    } else {
      const MadeUpSector& sector = versions[i][random() % kVersions];
      farm->write_sector(SectorIndex(i), sector.bytes, sector.metadata);
      EXPECT_TRUE(test::holds(*farm, sector));
    }
  }
  is_done = true;
  readers.clear();
  EXPECT_GE(n_read, 150U);
  EXPECT_EQ(farm->warnings(), std::vector<std::string>());
}

}  // namespace
}  // namespace furrow
