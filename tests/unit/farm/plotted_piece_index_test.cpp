// SPDX-License-Identifier: Apache-2.0
// The index of plotted pieces against a plain list, over crashes and many copies of one piece
// (docs/formats/plotted-pieces.md).
#include "host/farm/plotted_piece_index.hpp"

#include <map>
#include <optional>
#include <random>

#include <gtest/gtest.h>

#include "furrow/errors.hpp"

#include "tests/support/temp_directory.hpp"

namespace furrow {
namespace {

using test::TempDirectory;

const Ulid kFarm = Ulid::from_parts(1, {});

IndexedSector sector_of(std::uint16_t index, std::uint64_t history) {
  return {SectorIndex(index), HistorySize::from_count(history)};
}

std::vector<PieceIndex> pieces_of(std::initializer_list<std::uint64_t> numbers) {
  std::vector<PieceIndex> pieces;
  for (const std::uint64_t number : numbers) {
    pieces.emplace_back(number);
  }
  return pieces;
}

PlottedPiece place_of(std::uint16_t sector, std::uint16_t offset, std::uint64_t history) {
  return {{SectorIndex(sector), PieceOffset(offset)}, HistorySize::from_count(history)};
}

TEST(PlottedPieceIndex, EveryCopyIsFoundInTheOrderOfAdding) {
  const TempDirectory directory;
  const auto index = PlottedPieceIndex::open(directory.path() / "index", kFarm);
  EXPECT_TRUE(index->find(PieceIndex(7)).empty());
  index->add_sector(sector_of(3, 5), pieces_of({7, 8, 7}));
  index->add_sector(sector_of(0, 4), pieces_of({9, 7, 9}));  // an older history
  index->add_sector(sector_of(3, 6), pieces_of({1, 2, 7}));  // sector 3 once more
  index->add_sector(sector_of(3, 5), pieces_of({7, 8, 7}));  // known already
  const std::vector<PlottedPiece> copies = {place_of(3, 0, 5), place_of(3, 2, 5), place_of(0, 1, 4),
                                            place_of(3, 2, 6)};
  EXPECT_EQ(index->find(PieceIndex(7)), copies);
  EXPECT_EQ(index->find(PieceIndex(8)), std::vector{place_of(3, 1, 5)});
  EXPECT_TRUE(index->find(PieceIndex(3)).empty());
  EXPECT_TRUE(index->has_sector(sector_of(3, 5)));
  EXPECT_TRUE(index->has_sector(sector_of(0, 4)));
  EXPECT_FALSE(index->has_sector(sector_of(0, 5)));
  EXPECT_FALSE(index->has_sector(sector_of(4, 5)));
  EXPECT_EQ(index->entry_count(), 12U);

  index->flush();
  const auto reader = PlottedPieceIndex::open_for_lookups(directory.path() / "index", kFarm);
  EXPECT_EQ(reader->find(PieceIndex(7)), copies);
  const auto stranger = PlottedPieceIndex::open_for_lookups(directory.path() / "index", Ulid{});
  EXPECT_TRUE(stranger->find(PieceIndex(7)).empty());
  EXPECT_FALSE(stranger->has_sector(sector_of(3, 5)));
}

TEST(PlottedPieceIndex, LargestNumbersHaveRoom) {
  const TempDirectory directory;
  const auto index = PlottedPieceIndex::open(directory.path() / "index", kFarm);
  constexpr std::uint64_t kMost = (std::uint64_t{1} << 31) - 2;
  const PieceIndex piece(std::numeric_limits<std::uint64_t>::max());
  std::vector<PieceIndex> pieces(1000, PieceIndex(0));
  pieces.back() = piece;
  index->add_sector(sector_of(65533, kMost), pieces);
  EXPECT_EQ(index->find(piece), std::vector{place_of(65533, 999, kMost)});
  EXPECT_EQ(index->find(PieceIndex(0)).size(), 999U);
  EXPECT_THROW(index->add_sector(sector_of(0, kMost + 1), pieces), InvalidArgument);
  EXPECT_FALSE(index->has_sector(sector_of(0, kMost + 1)));
  EXPECT_EQ(index->find(piece).size(), 1U);
}

TEST(PlottedPieceIndex, LookupsAloneAddNothing) {
  const TempDirectory directory;
  EXPECT_THROW(PlottedPieceIndex::open_for_lookups(directory.path() / "index", kFarm), IoError);
  PlottedPieceIndex::open(directory.path() / "index", kFarm);
  auto reader = PlottedPieceIndex::open_for_lookups(directory.path() / "index", kFarm);
  EXPECT_TRUE(reader->find(PieceIndex(0)).empty());
}

// The numbers of copies are found by doubling and halving: every count around a power of two.
TEST(PlottedPieceIndex, ManyCopiesOfOnePiece) {
  const TempDirectory directory;
  const auto index = PlottedPieceIndex::open(directory.path() / "index", kFarm);
  std::vector<PlottedPiece> expected;
  for (std::uint16_t sector = 0; sector < 260; ++sector) {
    index->add_sector(sector_of(sector, 1), pieces_of({5, std::uint64_t{100} + sector}));
    expected.push_back(place_of(sector, 0, 1));
    if (sector % 64 == 0) {
      EXPECT_EQ(index->find(PieceIndex(5)), expected);
    }
  }
  for (std::uint16_t sector = 260; sector < 264; ++sector) {
    index->add_sector(sector_of(sector, 1), std::vector<PieceIndex>(1000, PieceIndex(5)));
    for (std::uint16_t offset = 0; offset < 1000; ++offset) {
      expected.push_back(place_of(sector, offset, 1));
    }
  }
  EXPECT_EQ(index->find(PieceIndex(5)), expected);
  EXPECT_EQ(index->find(PieceIndex(101)), std::vector{place_of(1, 1, 1)});
}

/// The index beside what it should say.
class Model {
 public:
  explicit Model(std::uint64_t seed) : random_(seed) { open(); }

  void do_something() {
    const std::uint64_t what = random_() % 20;
    if (what < 14) {
      add();
    } else if (what < 17) {
      index_->flush();
      durable_ = sectors_;
    } else if (what == 17) {
      index_->flush();
      durable_ = sectors_;
      index_.reset();
      open();
    } else {
      index_.reset();  // a crash: what was not flushed is gone
      sectors_ = durable_;
      open();
    }
  }

  void check() const {
    std::map<PieceIndex, std::vector<PlottedPiece>> expected;
    for (const auto& [sector, pieces] : sectors_) {
      EXPECT_TRUE(index_->has_sector(sector));
      for (std::size_t offset = 0; offset < pieces.size(); ++offset) {
        expected[pieces[offset]].push_back(
            {{sector.index, PieceOffset(static_cast<std::uint16_t>(offset))}, sector.history_size});
      }
    }
    for (std::uint64_t piece = 0; piece < kPieces; ++piece) {
      EXPECT_EQ(index_->find(PieceIndex(piece)), expected[PieceIndex(piece)]) << piece;
    }
    EXPECT_FALSE(index_->has_sector(sector_of(next_sector_, 1)));
  }

 private:
  static constexpr std::uint64_t kPieces = 40;

  void open() { index_ = PlottedPieceIndex::open(directory_.path() / "index", kFarm); }

  void add() {
    const bool is_repeated = !sectors_.empty() && random_() % 5 == 0;
    if (is_repeated) {
      const auto& [sector, pieces] = sectors_[random_() % sectors_.size()];
      index_->add_sector(sector, pieces);
      return;
    }
    std::vector<PieceIndex> pieces;
    for (std::uint64_t n = random_() % 9; n > 0; --n) {
      pieces.emplace_back(random_() % kPieces);
    }
    sectors_.push_back({sector_of(next_sector_++, 1 + random_() % 6), pieces});
    index_->add_sector(sectors_.back().first, pieces);
  }

  using Sectors = std::vector<std::pair<IndexedSector, std::vector<PieceIndex>>>;
  const TempDirectory directory_;
  std::mt19937_64 random_;
  std::uint16_t next_sector_ = 0;
  Sectors sectors_;
  Sectors durable_;
  std::unique_ptr<PlottedPieceIndex> index_;
};

TEST(PlottedPieceIndex, AgreesWithAPlainListWhateverHappens) {
  const std::uint64_t seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  Model model(seed);
  for (int i = 0; i < 300 && !testing::Test::HasFailure(); ++i) {
    model.do_something();
    if (i % 10 == 9) {
      model.check();
    }
  }
}

}  // namespace
}  // namespace furrow
