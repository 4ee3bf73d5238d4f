// SPDX-License-Identifier: Apache-2.0
// check_store over sound and damaged stores.
#include "host/pieces/store_check.hpp"

#include "host/pieces/source_errors.hpp"
#include "tests/unit/pieces/pieces_store_fixture.hpp"

namespace furrow {
namespace {

namespace fs = std::filesystem;

class StoreCheck : public test::StoreCopy {
 protected:
  static std::vector<std::string> things(const std::vector<StoreFinding>& findings) {
    std::vector<std::string> result;
    for (const StoreFinding& finding : findings) {
      result.push_back(finding.thing);
    }
    return result;
  }
  using Things = std::vector<std::string>;
};

TEST_F(StoreCheck, OfASoundStoreFindsNothing) {
  std::uint64_t told = 0;
  StoreProgress last;
  const StoreReport report = check_store(store_, [&](const StoreProgress& now) {
    ++told;
    last = now;
  });
  EXPECT_EQ(things(report.broken), Things());
  EXPECT_EQ(things(report.notes), Things());
  EXPECT_EQ(report.segments, 1U);
  EXPECT_EQ(report.pieces, kNumPieces);
  EXPECT_EQ(report.intact_pieces, kNumPieces);
  EXPECT_FALSE(report.stopped);
  EXPECT_EQ(told, kNumPieces);
  EXPECT_EQ(last.pieces_done, last.pieces_total);
}

TEST_F(StoreCheck, NamesADamagedFrame) {
  flip(pack_, entries_[7].offset + 200);
  const StoreReport report = check_store(store_);
  EXPECT_EQ(things(report.broken),
            (Things{"piece " + std::to_string(entries_[7].header.key.value())}));
  EXPECT_EQ(report.intact_pieces, kNumPieces - 1);
}

TEST_F(StoreCheck, TakesADamagedTableForThePackAndItsPiecesForWhole) {
  flip(pack_, fs::file_size(pack_) - 1000);
  const StoreReport report = check_store(store_);
  EXPECT_EQ(things(report.broken), (Things{"pack of segment 0"}));
  EXPECT_EQ(report.intact_pieces, kNumPieces);
}

TEST_F(StoreCheck, NamesAPackThatCannotBeOpenedOnce) {
  StoreProgress last;
  const auto check = [&] {
    return check_store(store_, [&](const StoreProgress& now) { last = now; });
  };
  fs::remove(pack_);
  EXPECT_EQ(things(check().broken), (Things{"pack of segment 0"}));
  EXPECT_EQ(last.pieces_done, kNumPieces);
  fs::create_symlink(pack_, pack_);  // ELOOP, as an ordinary user or root
  const StoreReport report = check();
  EXPECT_EQ(things(report.broken), (Things{"pack of segment 0"}));
  EXPECT_EQ(report.intact_pieces, 0U);
}

TEST_F(StoreCheck, SaysOnceThatTheIndexIsOfNoUse) {
  for (const fs::directory_entry& entry : fs::directory_iterator(index_)) {
    if (entry.path().extension() == ".bin" && entry.file_size() > 5000) {
      flip(entry.path(), 5000);
    }
  }
  EXPECT_EQ(things(check_store(store_).notes), (Things{"index"}));
  remove_index();
  const StoreReport report = check_store(store_);
  EXPECT_EQ(things(report.notes), (Things{"index"}));
  EXPECT_EQ(things(report.broken), Things());
}

TEST_F(StoreCheck, AStoreThatVanishesIsNoDamage) {
  const auto vanish = [&] { fs::rename(store_, directory_.path() / "elsewhere"); };
  bool is_there = true;
  EXPECT_NO_THROW(check_store(store_, [&](const StoreProgress& now) {
    // The pack is open by then: its pieces can still be had.
    if (now.pieces_done == 10 && is_there) {
      is_there = false;
      vanish();
    }
  }));
  fs::create_directory(store_);
  EXPECT_THROW(check_store(store_), IoError);
  fs::remove(store_);
  fs::rename(directory_.path() / "elsewhere", store_);
  StorePieceGetter getter(store_);
  vanish();
  EXPECT_THROW(static_cast<void>(getter.check_pack(SegmentIndex(0))), StoreGone);
}

TEST_F(StoreCheck, StopsWithinAPiece) {
  std::stop_source stop;
  const StoreReport report = check_store(
      store_,
      [&](const StoreProgress& now) {
        if (now.pieces_done == 3) {
          stop.request_stop();
        }
      },
      stop.get_token());
  EXPECT_TRUE(report.stopped);
  EXPECT_EQ(report.intact_pieces, 3U);
}

}  // namespace
}  // namespace furrow
