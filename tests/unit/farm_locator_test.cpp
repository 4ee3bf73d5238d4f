// Which pieces a farm has, and how large it must be to have a whole history.
#include <algorithm>
#include <set>

#include <gtest/gtest.h>

#include "host/farm/piece_locator.hpp"
#include "host/primitives/sector_id.hpp"
#include "tests/support/made_up_farm.hpp"
#include "tests/support/temp_directory.hpp"

namespace furrow {
namespace {

using test::TempDirectory;

Hash hash_of(const std::string& text) {
  return blake3({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
}

const Hash kKeyHash = hash_of("key");
const Hash kRoot = hash_of("root");

FarmerProtocolInfo protocol(std::uint64_t segments) {
  FarmerProtocolInfo info;
  info.history_size = HistorySize::from_count(segments);
  return info;
}

SectorId id_of(std::uint16_t index, std::uint64_t segments) {
  return derive_sector_id(kKeyHash, kRoot, SectorIndex(index), HistorySize::from_count(segments));
}

TEST(PieceLocator, FindsEveryCopyOfEveryPiece) {
  constexpr std::uint16_t kPieces = 50;
  constexpr std::uint16_t kSectors = 12;
  const FarmerProtocolInfo info = protocol(2);  // 512 pieces: some of the 600 are there twice
  PieceLocator locator;
  std::map<PieceIndex, std::set<PiecePlace>> expected;
  for (std::uint16_t i = kSectors; i-- > 0;) {  // in no particular order
    locator.add_sector(SectorIndex(i), id_of(i, 2), info.history_size, kPieces);
    for (std::uint16_t offset = 0; offset < kPieces; ++offset) {
      expected[derive_piece_index(id_of(i, 2), PieceOffset(offset), info)].insert(
          {SectorIndex(i), PieceOffset(offset)});
    }
  }
  EXPECT_EQ(locator.size(), kPieces * kSectors);
  const auto check = [&] {
    std::vector<PieceIndex> pieces;
    for (const auto& [piece, places] : expected) {
      if (!places.empty()) {
        pieces.push_back(piece);
      }
      EXPECT_EQ(locator.find(piece), std::vector<PiecePlace>(places.begin(), places.end()));
    }
    EXPECT_EQ(locator.pieces(), pieces);
  };
  check();
  EXPECT_TRUE(locator.find(PieceIndex(512)).empty());
  EXPECT_TRUE(std::any_of(expected.begin(), expected.end(),
                          [](const auto& entry) { return entry.second.size() > 1; }));

  locator.remove_sector(SectorIndex(5));
  for (auto& [piece, places] : expected) {
    std::erase_if(places, [](const PiecePlace& place) { return place.sector == SectorIndex(5); });
  }
  EXPECT_EQ(locator.size(), kPieces * (kSectors - 1));
  check();
}

TEST(PieceLocator, OfAFarmLeavesOutWhatCannotBeRead) {
  const TempDirectory directory;
  test::make_farm(directory.path(), 5, 4);
  const auto farm = Farm::open(test::plot_options(directory.path(), 5));
  farm->mark_lost(SectorIndex(1));
  const auto mark = farm->begin_modifying(SectorIndex(2));
  const PieceLocator locator(*farm);
  EXPECT_EQ(locator.size(), 2U);
  for (const std::uint16_t i : std::initializer_list<std::uint16_t>{0, 3}) {
    FarmerProtocolInfo info;
    info.history_size = test::made_up_sector(i).metadata.history_size;
    const PieceIndex piece =
        derive_piece_index(farm->sector_id(SectorIndex(i)), PieceOffset(0), info);
    const std::vector<PiecePlace> places = locator.find(piece);
    EXPECT_EQ(std::count(places.begin(), places.end(), PiecePlace{SectorIndex(i), PieceOffset(0)}),
              1);
  }
}

/// Whether `sectors` sectors, as the arguments describe them, hold 128 pieces of each segment.
bool covers(std::uint16_t sectors, std::uint64_t segments, std::uint16_t pieces_in_sector,
            const std::vector<std::optional<PlottedSectorId>>& existing = {}) {
  std::vector<std::set<std::uint64_t>> pieces(segments);
  for (std::uint16_t i = 0; i < sectors; ++i) {
    PlottedSectorId sector{id_of(i, segments), HistorySize::from_count(segments)};
    if (i < existing.size() && existing[i]) {
      sector = *existing[i];
    }
    for (std::uint16_t offset = 0; offset < pieces_in_sector; ++offset) {
      const std::uint64_t piece = derive_piece_index(sector.sector_id, PieceOffset(offset),
                                                     protocol(sector.history_size.count()))
                                      .value();
      pieces.at(piece / 256).insert(piece);
    }
  }
  return std::all_of(pieces.begin(), pieces.end(),
                     [](const auto& segment) { return segment.size() >= 128; });
}

TEST(SectorsToCoverHistory, IsTheSmallestNumber) {
  for (const auto& [segments, pieces] :
       std::initializer_list<std::pair<std::uint64_t, std::uint16_t>>{
           {1, 1}, {1, 10}, {1, 1000}, {2, 2}, {5, 32}, {60, 1000}}) {
    SCOPED_TRACE(std::to_string(segments) + " segments, " + std::to_string(pieces) + " pieces");
    const std::uint16_t count =
        sectors_to_cover_history(kKeyHash, kRoot, protocol(segments), pieces);
    EXPECT_TRUE(covers(count, segments, pieces));
    EXPECT_GE(count, 1);
    if (count > 1) {
      EXPECT_FALSE(covers(static_cast<std::uint16_t>(count - 1), segments, pieces));
    }
  }
}

TEST(SectorsToCoverHistory, ExistingSectorsCountWithTheirOwnHistory) {
  // Plotted when there was one segment only: they hold pieces of that one.
  std::vector<std::optional<PlottedSectorId>> existing;
  for (std::uint16_t i = 0; i < 10; ++i) {
    existing.emplace_back(PlottedSectorId{id_of(i, 1), HistorySize::from_count(1)});
  }
  existing[4] = std::nullopt;
  const std::uint16_t count = sectors_to_cover_history(kKeyHash, kRoot, protocol(4), 20, existing);
  EXPECT_TRUE(covers(count, 4, 20, existing));
  EXPECT_FALSE(covers(static_cast<std::uint16_t>(count - 1), 4, 20, existing));
  EXPECT_GT(count, sectors_to_cover_history(kKeyHash, kRoot, protocol(4), 20));
  // Sectors that are there stay, needed or not.
  EXPECT_EQ(sectors_to_cover_history(kKeyHash, kRoot, protocol(1), 1000, existing), 10);
}

TEST(SectorsToCoverHistory, RefusesWhatCannotBeHeld) {
  EXPECT_THROW(sectors_to_cover_history(kKeyHash, kRoot, protocol(1), 0), InvalidArgument);
  // 65534 pieces: enough for 511 segments if none were drawn twice, but they are.
  EXPECT_THROW(sectors_to_cover_history(kKeyHash, kRoot, protocol(511), 1), InvalidArgument);
  EXPECT_THROW(sectors_to_cover_history(kKeyHash, kRoot, protocol(512), 1), InvalidArgument);
  EXPECT_THROW(sectors_to_cover_history(kKeyHash, kRoot,
                                        protocol(std::numeric_limits<std::uint64_t>::max()), 1000),
               InvalidArgument);
}

}  // namespace
}  // namespace furrow
