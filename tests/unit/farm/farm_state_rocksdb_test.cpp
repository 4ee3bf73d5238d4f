// SPDX-License-Identifier: Apache-2.0
// The state of a farm in the database that the program uses, and whatever can happen to its
// directory.
#include <fstream>

#include <gtest/gtest.h>

#include "host/store/paged_store/rocksdb_backend.hpp"
#include "tests/support/temp_directory.hpp"
#include "tests/unit/farm/farm_states.hpp"

namespace furrow {
namespace {

namespace fs = std::filesystem;
using test::made_up_metadata;
using test::TempDirectory;

constexpr std::uint16_t kSectors = 70;  // two blocks

FarmOptions options_of(const fs::path& directory) {
  FarmOptions options = test::plot_options(directory, kSectors);
  options.state_backend = [](const fs::path& path) { return open_rocksdb_backend(path); };
  return options;
}

void expect_whole(const Farm& farm) {
  for (std::uint16_t i = 0; i < kSectors; ++i) {
    EXPECT_EQ(*farm.sector_metadata(SectorIndex(i)), made_up_metadata(i));
  }
}

TEST(FarmStateRocksDb, IsThereAfterReopening) {
  const TempDirectory directory;
  test::make_hollow_farm(directory.path(), kSectors);
  expect_whole(*Farm::open(options_of(directory.path())));
  const auto farm = Farm::open(options_of(directory.path()));
  EXPECT_TRUE(farm->warnings().empty());
  expect_whole(*farm);
}

TEST(FarmStateRocksDb, NoStateIsAsGoodAsAnother) {
  const TempDirectory directory;
  test::make_hollow_farm(directory.path(), kSectors);
  const fs::path state = directory.path() / kStateDirectoryName;
  Farm::open(options_of(directory.path()));

  const auto opens_with_a_warning = [&] {
    {
      const auto farm = Farm::open(options_of(directory.path()));
      EXPECT_FALSE(farm->warnings().empty());
      expect_whole(*farm);
    }
    const auto farm = Farm::open(options_of(directory.path()));
    EXPECT_TRUE(farm->warnings().empty()) << farm->warnings().front();
  };
  fs::remove_all(state);
  opens_with_a_warning();

  std::ofstream(state / "CURRENT") << "rubbish";
  opens_with_a_warning();
}

// What is made anew is the database, not what somebody keeps beside it.
TEST(FarmStateRocksDb, FilesOfOthersStay) {
  const TempDirectory directory;
  test::make_hollow_farm(directory.path(), kSectors);
  const fs::path state = directory.path() / kStateDirectoryName;
  Farm::open(options_of(directory.path()));
  for (const char* name : {"notes.txt", "000001.txt", "MANIFEST"}) {
    std::ofstream(state / name) << "precious";
  }
  fs::create_directory(state / "lost+found");
  std::ofstream(state / "CURRENT") << "rubbish";
  EXPECT_FALSE(Farm::open(options_of(directory.path()))->warnings().empty());
  for (const char* name : {"notes.txt", "000001.txt", "MANIFEST"}) {
    EXPECT_EQ(test::file_text(state / name), "precious");
  }
  EXPECT_TRUE(fs::is_directory(state / "lost+found"));
  EXPECT_TRUE(Farm::open(options_of(directory.path()))->warnings().empty());

  fs::remove_all(state);
  std::ofstream(state) << "not a directory";
  const auto farm = Farm::open(options_of(directory.path()));
  EXPECT_FALSE(farm->warnings().empty());
  expect_whole(*farm);
  EXPECT_EQ(test::file_text(state), "not a directory");
}

/// Files of the database that hold data, by name.
std::vector<fs::path> data_files(const fs::path& directory) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(directory)) {
    if (entry.is_regular_file() && entry.file_size() > 0 && entry.path().filename() != "LOCK") {
      files.push_back(entry.path());
    }
  }
  std::ranges::sort(files);
  return files;
}

TEST(FarmStateRocksDb, AnyDamagedFileIsSurvived) {
  const TempDirectory directory;
  const fs::path farm_directory = directory.path() / "farm";
  test::make_hollow_farm(farm_directory, kSectors);
  Farm::open(options_of(farm_directory));
  Farm::open(options_of(farm_directory));  // the log of the first opening is in tables now
  const fs::path state = farm_directory / kStateDirectoryName;
  const fs::path good = directory.path() / "good";
  fs::copy(state, good, fs::copy_options::recursive);
  const std::size_t n_files = data_files(state).size();
  EXPECT_GE(n_files, 4U);
  enum class Damage { kRemoved, kCut, kFlipped };
  for (std::size_t file = 0; file < n_files; ++file) {
    for (const Damage damage : {Damage::kRemoved, Damage::kCut, Damage::kFlipped}) {
      fs::remove_all(state);
      fs::copy(good, state, fs::copy_options::recursive);
      const fs::path path = data_files(state).at(file);
      SCOPED_TRACE(path.filename().native() + ", damage " +
                   std::to_string(static_cast<int>(damage)));
      switch (damage) {
        case Damage::kRemoved:
          fs::remove(path);
          break;
        case Damage::kCut:
          fs::resize_file(path, fs::file_size(path) / 2);
          break;
        case Damage::kFlipped:
          test::flip_byte(path, fs::file_size(path) / 2);
          break;
      }
      expect_whole(*Farm::open(options_of(farm_directory)));
    }
  }
}

}  // namespace
}  // namespace furrow
