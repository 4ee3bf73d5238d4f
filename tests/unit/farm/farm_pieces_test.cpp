// SPDX-License-Identifier: Apache-2.0
// Where the pieces of a farm are, with an index that is whole, behind, damaged or not there.
#include <csignal>

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/farm/piece_finder.hpp"
#include "host/primitives/sector_id.hpp"
#include "tests/support/made_up_farm.hpp"
#include "tests/support/temp_directory.hpp"
#include "tests/unit/farm/farm_files.hpp"

namespace furrow {
namespace {

namespace fs = std::filesystem;
using test::made_up_sector;
using test::MadeUpSector;
using test::read_options;
using test::TempDirectory;

constexpr std::uint16_t kSectors = 4;
constexpr std::uint16_t kPieces = 2;

FarmOptions plot_options(const fs::path& directory) {
  FarmOptions options = test::plot_options(directory, kSectors);
  options.pieces_in_sector = kPieces;
  options.allocated_space = allocated_space_for_sectors(kSectors, kPieces);
  options.keep_index = true;
  return options;
}

void plot(Farm& farm, std::uint16_t index, std::uint64_t version = 1) {
  const MadeUpSector sector = made_up_sector(index, version, kPieces);
  farm.write_sector(SectorIndex(index), sector.bytes, sector.metadata);
}

/// A closed farm of which all sectors are plotted, with its index.
void make_farm(const fs::path& directory) {
  const auto farm = Farm::open(plot_options(directory));
  for (std::uint16_t i = 0; i < kSectors; ++i) {
    plot(*farm, i);
  }
}

/// Where the pieces are, counted out sector by sector.
std::map<PieceIndex, std::vector<PiecePlace>> places_in(const Farm& farm) {
  std::map<PieceIndex, std::vector<PiecePlace>> places;
  for (const SectorIndex sector : farm.sectors_in_state(SectorState::kPlotted)) {
    FarmerProtocolInfo info;
    info.history_size = farm.sector_metadata(sector)->history_size;
    for (std::uint16_t offset = 0; offset < kPieces; ++offset) {
      const PiecePlace place{sector, PieceOffset(offset)};
      places[derive_piece_index(farm.sector_id(sector), place.offset, info)].push_back(place);
    }
  }
  return places;
}

/// The finder says where each piece is that is or was in the farm, and its remarks.
std::vector<std::string> expect_found(const Farm& farm,
                                      const std::vector<PieceIndex>& also_asked = {}) {
  const PieceFinder finder(farm);
  auto expected = places_in(farm);
  for (const PieceIndex piece : also_asked) {
    expected[piece];
  }
  EXPECT_FALSE(expected.empty());
  for (const auto& [piece, places] : expected) {
    EXPECT_EQ(finder.find(piece), places) << "piece " << piece.value();
  }
  return finder.remarks();
}

std::vector<PieceIndex> pieces_in(const Farm& farm) {
  std::vector<PieceIndex> pieces;
  for (const auto& [piece, places] : places_in(farm)) {
    pieces.push_back(piece);
  }
  return pieces;
}

/// A whole farm, beside copies of its index.
struct Farms {
  TempDirectory directory;
  fs::path path = directory.path() / "farm";
  fs::path index = path / kIndexDirectoryName;

  Farms() { make_farm(path); }
  void expect_repaired() const {
    {
      const auto farm = Farm::open(plot_options(path));
      EXPECT_FALSE(farm->warnings().empty());
      EXPECT_TRUE(expect_found(*farm).empty());
    }
    EXPECT_TRUE(Farm::open(plot_options(path))->warnings().empty());
    EXPECT_TRUE(expect_found(*Farm::open(read_options(path))).empty());
  }
};

TEST(FarmPieces, AreFoundWhilePlottingAndByReaders) {
  const Farms farms;
  EXPECT_TRUE(expect_found(*Farm::open(read_options(farms.path))).empty());
  const auto plotter = Farm::open(plot_options(farms.path));
  EXPECT_TRUE(plotter->warnings().empty());
  EXPECT_TRUE(expect_found(*plotter).empty());
  FarmOptions options = read_options(farms.path);
  options.lock = false;
  EXPECT_TRUE(expect_found(*Farm::open(options)).empty());
}

TEST(FarmPieces, OnlySectorsThatCanBeReadCount) {
  const Farms farms;
  const auto farm = Farm::open(plot_options(farms.path));
  const std::vector<PieceIndex> before = pieces_in(*farm);
  farm->mark_lost(SectorIndex(1));
  plot(*farm, 2, 5);
  EXPECT_TRUE(expect_found(*farm, before).empty());

  const PieceFinder finder(*farm);
  FarmerProtocolInfo info;
  info.history_size = farm->history_size(SectorIndex(3));
  const PieceIndex piece =
      derive_piece_index(farm->sector_id(SectorIndex(3)), PieceOffset(0), info);
  const PiecePlace place{SectorIndex(3), PieceOffset(0)};
  const auto has_it = [&] {
    const std::vector<PiecePlace> places = finder.find(piece);
    return std::ranges::find(places, place) != places.end();
  };
  EXPECT_TRUE(has_it());
  {
    const auto mark = farm->begin_modifying(SectorIndex(3));
    EXPECT_FALSE(has_it());
  }
  EXPECT_TRUE(has_it());
  farm->mark_lost(SectorIndex(3));
  EXPECT_FALSE(has_it());
  plot(*farm, 3);  // of the same history, hence with the same pieces
  EXPECT_TRUE(has_it());
  EXPECT_TRUE(expect_found(*farm, before).empty());
  EXPECT_TRUE(farm->warnings().empty());
}

TEST(FarmPieces, WithoutAnIndexReadersMakeTheirOwnAndChangeNothing) {
  const Farms farms;
  fs::remove_all(farms.index);
  const auto before = test::contents_of(farms.path);
  const std::vector<std::string> remarks = expect_found(*Farm::open(read_options(farms.path)));
  ASSERT_EQ(remarks.size(), 1U);
  EXPECT_NE(remarks[0].find("lacks the pieces of 4 of 4 sectors"), std::string::npos) << remarks[0];
  EXPECT_EQ(test::contents_of(farms.path), before);
  farms.expect_repaired();
}

TEST(FarmPieces, AnIndexThatIsBehindIsMadeWhole) {
  const Farms farms;
  const fs::path old = farms.directory.path() / "old";
  fs::copy(farms.index, old, fs::copy_options::recursive);
  {
    const auto farm = Farm::open(plot_options(farms.path));
    plot(*farm, 1, 2);
  }
  fs::remove_all(farms.index);
  fs::copy(old, farms.index, fs::copy_options::recursive);
  const std::vector<std::string> remarks = expect_found(*Farm::open(read_options(farms.path)));
  ASSERT_EQ(remarks.size(), 1U);
  EXPECT_NE(remarks[0].find("lacks the pieces of 1 of 4 sectors"), std::string::npos) << remarks[0];
  farms.expect_repaired();
}

TEST(FarmPieces, AnyDamagedFileOfTheIndexIsSurvived) {
  const Farms farms;
  const fs::path good = farms.directory.path() / "good";
  fs::copy(farms.index, good, fs::copy_options::recursive);
  std::vector<fs::path> names;
  for (const auto& entry : fs::directory_iterator(good)) {
    if (entry.file_size() > 0) {
      names.push_back(entry.path().filename());
    }
  }
  ASSERT_GE(names.size(), 2U);
  for (const fs::path& name : names) {
    for (int damage = 0; damage < 3; ++damage) {
      SCOPED_TRACE(name.native() + ", damage " + std::to_string(damage));
      fs::remove_all(farms.index);
      fs::copy(good, farms.index, fs::copy_options::recursive);
      const fs::path path = farms.index / name;
      if (damage == 0) {
        fs::remove(path);
      } else if (damage == 1) {
        fs::resize_file(path, fs::file_size(path) - 1);
      } else {
        test::flip_byte(path, fs::file_size(path) / 2);
      }
      const auto farm = Farm::open(read_options(farms.path));
      EXPECT_EQ(expect_found(*farm).size(), 2U);  // the damage, and that all sectors are lacking
    }
    farms.expect_repaired();
  }
}

TEST(FarmPieces, TheIndexOfAnotherFarmSaysNothing) {
  const Farms farms;
  const Farms others;
  fs::remove_all(farms.index);
  fs::copy(others.index, farms.index, fs::copy_options::recursive);
  EXPECT_EQ(expect_found(*Farm::open(read_options(farms.path))).size(), 1U);
  farms.expect_repaired();
}

// An entry with the right checksum may still be wrong: then it counts for nothing.
TEST(FarmPieces, WrongEntriesAreNotBelieved) {
  const Farms farms;
  fs::remove_all(farms.index);
  const auto farm = Farm::open(read_options(farms.path));
  const HistorySize history = farm->history_size(SectorIndex(0));
  const std::vector<PieceIndex> right = farm->pieces_of({SectorIndex(0), history});
  const PieceIndex wrong(std::max(right[0], right[1]).value() + 1);
  const auto index = PlottedPieceIndex::open(farms.index, farm->info().id);
  index->add_sector({SectorIndex(0), history}, std::vector<PieceIndex>(kPieces + 5, wrong));
  index->add_sector({SectorIndex(kSectors), history}, std::vector<PieceIndex>(1, wrong));
  index->flush();
  const std::vector<PiecePlace> places = PieceFinder(*farm).find(wrong);
  EXPECT_TRUE(std::ranges::all_of(
      places, [](const PiecePlace& place) { return place.sector != SectorIndex(0); }));
}

TEST(FarmPieces, ReplacedEntriesDoNotPileUp) {
  const Farms farms;
  {
    const Ulid id = Farm::open(read_options(farms.path))->info().id;
    const auto index = PlottedPieceIndex::open(farms.index, id);
    const std::vector<PieceIndex> pieces(1000, PieceIndex(1'000'000));
    for (std::uint16_t i = 0; i < 66; ++i) {  // more than 2^16 beside twice the 12 of the farm
      index->add_sector({SectorIndex(i), HistorySize::from_count(100)}, pieces);
    }
    index->flush();
  }
  farms.expect_repaired();
  EXPECT_EQ(Farm::open(plot_options(farms.path))->piece_index()->entry_count(),
            kSectors * (kPieces + 1));
}

/// A closed farm of which two sectors are plotted, with its index.
struct HalfFarm {
  TempDirectory directory;
  fs::path path = directory.path() / "farm";
  fs::path index = path / kIndexDirectoryName;

  HalfFarm() {
    const auto farm = Farm::open(plot_options(path));
    plot(*farm, 0);
    plot(*farm, 1);
  }
  HalfFarm(const HalfFarm& other) { fs::copy(other.path, path, fs::copy_options::recursive); }
  HalfFarm& operator=(const HalfFarm&) = delete;
  ~HalfFarm() = default;
  [[nodiscard]] bool has_in_index(const fs::path& file) const {
    return file == index || file.parent_path() == index;
  }
  /// Pieces are found in the farm as it was left, and an index that is whole afterwards.
  void expect_found_and_repaired() const {
    (void)expect_found(*Farm::open(read_options(path)));
    const auto farm = Farm::open(plot_options(path));
    for (const IndexedSector& sector : farm->plotted_sectors()) {
      EXPECT_TRUE(farm->piece_index()->has_sector(sector));
    }
  }
};

TEST(FarmPieces, AnIndexThatFailsIsGivenUpAndMadeWholeLater) {
  const HalfFarm good;
  for (std::size_t failing = 0;; ++failing) {
    SCOPED_TRACE("operation " + std::to_string(failing) + " on the index and all after it");
    const HalfFarm half(good);
    std::size_t done = 0;
    {
      const auto farm = Farm::open(plot_options(half.path));
      const test::FaultHook hook([&](FileOperation, const fs::path& file) {
        if (half.has_in_index(file) && done++ >= failing) {
          throw IoError("write", file.native(), ENOSPC);
        }
      });
      plot(*farm, 2);
      plot(*farm, 3);
      EXPECT_TRUE(test::holds(*farm, made_up_sector(3, 1, kPieces)));
      EXPECT_EQ(farm->warnings().size(), done > failing ? 1U : 0U);
      EXPECT_EQ(farm->piece_index() == nullptr, done > failing);
    }
    half.expect_found_and_repaired();
    if (done <= failing) {
      EXPECT_GT(failing, 10U);  // the hook was at work
      return;
    }
  }
}

TEST(FarmPieces, KilledAtAnyOperationOnTheIndexNothingIsMissed) {
  const HalfFarm good;
  for (std::size_t n = 0;; ++n) {
    SCOPED_TRACE("killed before operation " + std::to_string(n) + " on the index");
    const HalfFarm half(good);
    const pid_t child = ::fork();
    if (child == 0) {
      std::size_t done = 0;
      set_file_fault_hook([&](FileOperation, const fs::path& file) {
        if (half.has_in_index(file) && done++ == n) {
          ::kill(::getpid(), SIGKILL);
        }
      });
      try {
        const auto farm = Farm::open(plot_options(half.path));
        plot(*farm, 2);
      } catch (...) {
        ::_exit(1);
      }
      ::_exit(0);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    const bool was_killed = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
    EXPECT_TRUE(was_killed || (WIFEXITED(status) && WEXITSTATUS(status) == 0)) << status;
    half.expect_found_and_repaired();
    if (!was_killed || HasFailure()) {
      EXPECT_GT(n, 8U);
      return;
    }
  }
}

}  // namespace
}  // namespace furrow
