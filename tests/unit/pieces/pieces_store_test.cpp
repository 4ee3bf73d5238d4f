// SPDX-License-Identifier: Apache-2.0
// StorePieceGetter over sound stores, and over stores without a sound index.
#include <algorithm>
#include <atomic>
#include <cstring>
#include <random>
#include <thread>

#include <gtest/gtest.h>

#include "host/archive/store_layout.hpp"
#include "host/archive/store_place.hpp"
#include "host/store/segment_index/age_tiered_index.hpp"
#include "tests/unit/pieces/pieces_store_fixture.hpp"

namespace furrow {
namespace {

namespace fs = std::filesystem;
using test::example_store;
using test::get;
using test::is_not_found;

class StoreGetter : public test::StoreCopy {};

TEST_F(StoreGetter, GivesEveryPieceAndNoOther) {
  const auto getter = open();
  EXPECT_TRUE(gives_all(*getter));
  for (const std::uint64_t beyond : {std::uint64_t{kNumPieces}, UINT64_MAX}) {
    EXPECT_TRUE(is_not_found(get(*getter, beyond))) << beyond;
  }
  EXPECT_TRUE(getter->check_files().empty());
  EXPECT_EQ(getter->index_problem(), std::nullopt);
  EXPECT_EQ(warnings_, std::vector<std::string>());
}

TEST_F(StoreGetter, PiecesOfSeveralSegments) {
  test::write_file(directory_.path() / "big", test::periodic_block(kSegmentSize + 100, 3));
  const fs::path store = directory_.path() / "two";
  archive_files({{directory_.path() / "big"}}, store, test::two_threads());
  StorePieceGetter getter(store);
  const std::vector<PieceIndex> indices = {PieceIndex(511), PieceIndex(0),   PieceIndex(300),
                                           PieceIndex(255), PieceIndex(256), PieceIndex(512)};
  std::vector<std::uint64_t> found;
  getter.get_pieces(indices,
                    [&](PieceIndex index, const PieceAnswer& answer) {
                      if (index == PieceIndex(512)) {
                        EXPECT_TRUE(is_not_found(answer));
                        return;
                      }
                      ASSERT_NE(answer.piece, nullptr) << index.value();
                      EXPECT_EQ(answer.piece->header.local_segment_index.value(),
                                segment_index_of(index).value());
                      found.push_back(index.value());
                    },
                    {});
  EXPECT_EQ(found, (std::vector<std::uint64_t>{0, 255, 256, 300, 511}));
  EXPECT_TRUE(getter.check_files().empty());
}

TEST_F(StoreGetter, StopEndsABatch) {
  const auto getter = open();
  const std::vector<PieceIndex> indices = {PieceIndex(1), PieceIndex(2), PieceIndex(3)};
  std::stop_source stop;
  int calls = 0;
  getter->get_pieces(
      indices,
      [&](PieceIndex, const PieceAnswer&) {
        ++calls;
        stop.request_stop();
      },
      stop.get_token());
  EXPECT_EQ(calls, 1);
}

TEST_F(StoreGetter, EightPiecesOfABatchLieInItsPool) {
  std::uint8_t* block = nullptr;
  std::size_t block_size = 0;
  int n_blocks = 0;
  StorePieceGetterOptions options;
  options.block_source = [&](std::size_t n_bytes) {
    MemoryBlock made = make_page_block(n_bytes);
    block = made.get();
    block_size = n_bytes;
    ++n_blocks;
    return made;
  };
  StorePieceGetter getter(store_, std::move(options));
  std::vector<PieceIndex> indices;
  for (std::uint64_t i = 120; i < 130; ++i) {  // compressed ones and raw ones
    indices.emplace_back(i);
  }
  std::vector<PiecePtr> pieces;
  getter.get_pieces(
      indices, [&](PieceIndex, PieceAnswer answer) { pieces.push_back(std::move(answer.piece)); },
      {});
  ASSERT_EQ(pieces.size(), 10U);
  std::size_t n_in_block = 0;
  for (const PiecePtr& piece : pieces) {
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(piece.get());
    n_in_block += bytes >= block && bytes + kPieceSize <= block + block_size ? 1 : 0;
  }
  EXPECT_EQ(n_in_block, 8U);
  pieces.clear();
  EXPECT_TRUE(gives_all(getter));
  EXPECT_EQ(n_blocks, 1);
}

TEST_F(StoreGetter, SeveralBatchesAtOnce) {
  const auto getter = open();
  std::atomic<int> n_right = 0;
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&] {
        if (gives_all(*getter)) {
          ++n_right;
        }
      });
    }
  }
  EXPECT_EQ(n_right, 4);
}

TEST_F(StoreGetter, NeedsAManifest) {
  fs::remove(store_ / kManifestFileName);
  EXPECT_THROW(open(), IoError);
  test::write_file(store_ / kManifestFileName, "{}");
  EXPECT_THROW(open(), InvalidManifest);
}

TEST_F(StoreGetter, WithoutItsIndexAStoreIsWhole) {
  remove_index();
  const auto getter = open();
  EXPECT_TRUE(gives_all(*getter));
  ASSERT_EQ(warnings_.size(), 1U);
  EXPECT_NE(warnings_[0].find(index_.native()), std::string::npos) << warnings_[0];
  ASSERT_TRUE(getter->index_problem().has_value());
  EXPECT_TRUE(getter->check_files().empty());
  EXPECT_FALSE(fs::exists(index_)) << "reading has created something";
}

TEST_F(StoreGetter, DamageOfTheIndexIsNoticedAndChangesNoAnswer) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  std::vector<fs::path> files;
  for (const fs::directory_entry& file : fs::directory_iterator(index_)) {
    if (file.file_size() > 0) {  // not the lock
      files.push_back(file.path());
    }
  }
  ASSERT_EQ(files.size(), 2U);
  for (const fs::path& file : files) {
    for (int i = 0; i < 4; ++i) {
      const std::uint64_t offset = random() % fs::file_size(file);
      SCOPED_TRACE(file.native() + ", byte " + std::to_string(offset));
      flip(file, offset);
      warnings_.clear();
      const auto getter = open();
      EXPECT_EQ(warnings_.size(), 1U);
      EXPECT_TRUE(gives_all(*getter));
      flip(file, offset);
    }
    const fs::path kept = file.native() + ".kept";
    fs::copy_file(file, kept);
    fs::resize_file(file, fs::file_size(file) / 2);
    EXPECT_TRUE(gives_all(*open()));
    fs::remove(file);
    EXPECT_TRUE(gives_all(*open()));
    fs::rename(kept, file);
  }
  warnings_.clear();
  EXPECT_TRUE(gives_all(*open()));
  EXPECT_TRUE(warnings_.empty());
}

// An index can be damaged while it is in use: what it verified at the start is read again.
TEST_F(StoreGetter, DamageOfAnOpenIndexIsNoticed) {
  const auto getter = open();
  for (const fs::directory_entry& file : fs::directory_iterator(index_)) {
    if (file.path().extension() == ".bin") {
      for (std::uint64_t offset = 4096; offset < file.file_size(); offset += 1000) {
        flip(file.path(), offset);
      }
    }
  }
  EXPECT_TRUE(gives_all(*getter));
  EXPECT_FALSE(warnings_.empty());
}

// Whole, but of another store: its keys are others.
TEST_F(StoreGetter, IndexOfAnotherStoreChangesNoAnswer) {
  test::write_file(directory_.path() / "file", "another");
  archive_files({{directory_.path() / "file"}}, directory_.path() / "other", test::two_threads());
  remove_index();
  fs::copy(directory_.path() / "other/index", index_);
  EXPECT_TRUE(gives_all(*open()));
  EXPECT_EQ(warnings_.size(), kNumPieces);
  EXPECT_NE(warnings_[0].find("piece 0 "), std::string::npos) << warnings_[0];
}

TEST_F(StoreGetter, WrongPlacesInTheIndexChangeNoAnswer) {
  remove_index();
  const Hash root = example_store().summary.manifest.segments[0].header.root;
  {
    const auto index = AgeTieredIndex::open(index_);
    const StorePlace wrong[] = {
        {SegmentIndex(0), static_cast<std::uint32_t>(entries_[201].offset), false},  // another one
        {SegmentIndex(0), static_cast<std::uint32_t>(entries_[201].offset), true},
        {SegmentIndex(1), static_cast<std::uint32_t>(entries_[200].offset), false},  // other pack
        {SegmentIndex(0), static_cast<std::uint32_t>(entries_[200].offset) + 1, false},
        {SegmentIndex(0), UINT32_MAX, false},
        {SegmentIndex(0), 0, false}};
    std::vector<IndexEntry> entries;
    for (std::uint32_t i = 0; i < std::size(wrong); ++i) {
      entries.push_back({.key = piece_key(root, 190 + i), .height = 1, .id = wrong[i].id()});
    }
    entries.push_back({.key = piece_key(root, 7), .height = 1, .kind = EntryKind::kDelete});
    index->append(entries);
    index->flush();
  }
  EXPECT_TRUE(gives_all(*open()));
  EXPECT_EQ(warnings_.size(), kNumPieces);
}

}  // namespace
}  // namespace furrow
