// SPDX-License-Identifier: Apache-2.0
// PieceCache against a model, damaged files, and a writer that dies.
#include "host/pieces/piece_cache.hpp"

#include <fstream>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/made_up_piece.hpp"
#include "tests/support/temp_directory.hpp"
#include "tests/unit/archive/archive_faults.hpp"
#include "tests/unit/pieces/made_up_pieces.hpp"

namespace furrow {
namespace {

namespace fs = std::filesystem;
using test::made_up_piece;
using test::TempDirectory;

constexpr std::uint64_t kRoomFor4 = 4 * kPieceElementSize + 4096;

bool has(PieceCache& cache, std::uint64_t index) {
  const PiecePtr piece = cache.get(PieceIndex(index));
  EXPECT_TRUE(piece == nullptr || test::same_piece(*piece, *made_up_piece(PieceIndex(index))))
      << "another piece for " << index;
  return piece != nullptr;
}

void put(PieceCache& cache, std::uint64_t index) {
  cache.put(PieceIndex(index), *made_up_piece(PieceIndex(index)));
}

fs::path file_in(const TempDirectory& directory) {
  return directory.path() / kPieceCacheFileName;
}

TEST(PieceCache, GivesWhatItKept) {
  const TempDirectory directory;
  {
    PieceCache cache(directory.path() / "made", kRoomFor4);
    EXPECT_EQ(cache.capacity(), 4U);
    EXPECT_FALSE(has(cache, 0));
    put(cache, 0);
    put(cache, UINT64_MAX);
    EXPECT_TRUE(has(cache, 0));
    EXPECT_TRUE(has(cache, UINT64_MAX));
    EXPECT_FALSE(has(cache, 1));
  }
  PieceCache again(directory.path() / "made", kRoomFor4, MakeDirectory::kNever);
  EXPECT_EQ(again.size(), 2U);
  EXPECT_TRUE(has(again, 0));
  EXPECT_TRUE(has(again, UINT64_MAX));
  EXPECT_EQ(again.counters().hits, 2U);
}

TEST(PieceCache, IsMadeWhereItWasToldTo) {
  const TempDirectory directory;
  const fs::path path = directory.path() / "made" / "here";
  EXPECT_THROW(PieceCache(path, kRoomFor4), ParentMissing);
  EXPECT_THROW(PieceCache(directory.path(), kRoomFor4, MakeDirectory::kNever), IoError);
  EXPECT_TRUE(fs::is_empty(directory.path()));
  PieceCache(path, kRoomFor4, MakeDirectory::kParents);
  EXPECT_TRUE(fs::exists(path / kPieceCacheFileName));
}

TEST(PieceCache, OverwritesNobodyElsesFile) {
  const TempDirectory directory;
  for (const std::size_t size : {std::size_t{5}, 2 * kPieceElementSize, 4 * kPieceElementSize}) {
    const std::string text(size, 'x');
    std::ofstream(file_in(directory), std::ios::binary) << text;
    EXPECT_THROW(PieceCache(directory.path(), kRoomFor4), NoPieceCache);
    EXPECT_THROW(PieceCache::require_usable(directory.path(), kRoomFor4), NoPieceCache);
    const std::vector<std::uint8_t> kept = read_whole_file(file_in(directory));
    EXPECT_EQ(std::string(kept.begin(), kept.end()), text);
  }
}

TEST(PieceCache, IsNeverLargerThanItsBound) {
  const TempDirectory directory;
  for (const std::uint64_t bound :
       {kPieceElementSize + 4096, 3 * kPieceElementSize + 4096, std::uint64_t{9'999'999}}) {
    PieceCache cache(directory.path(), bound);
    for (std::uint64_t i = 0; i < 12; ++i) {
      put(cache, i);
      EXPECT_LE(fs::file_size(file_in(directory)), bound);
      EXPECT_LE(cache.size(), cache.capacity());
    }
    EXPECT_EQ(fs::file_size(file_in(directory)) % 4096, 0U);
    EXPECT_EQ(cache.counters().stored, 12U);
  }
  for (const std::uint64_t too_small : {std::uint64_t{0}, std::uint64_t{kPieceElementSize}}) {
    EXPECT_THROW(PieceCache(directory.path(), too_small), InvalidArgument);
  }
}

TEST(PieceCache, PiecesInUseOutliveThoseThatAreNot) {
  const TempDirectory directory;
  PieceCache cache(directory.path(), kRoomFor4);
  for (std::uint64_t i = 0; i < 4; ++i) {
    put(cache, i);
  }
  put(cache, 4);  // the hand takes the marks of all, and one of them
  EXPECT_EQ(cache.counters().evicted, 1U);
  std::vector<std::uint64_t> kept;
  for (std::uint64_t i = 0; i < 4; ++i) {
    if (has(cache, i)) {
      kept.push_back(i);
    }
  }
  ASSERT_EQ(kept.size(), 3U);
  put(cache, 5);  // takes the marks again
  std::uint64_t favourite = 0;
  for (const std::uint64_t i : kept) {
    favourite = has(cache, i) ? i : favourite;
  }
  for (std::uint64_t i = 100; i < 120; ++i) {
    EXPECT_TRUE(has(cache, favourite)) << i;
    put(cache, i);
  }
}

// The model: what the cache has was put and not dropped; it has all of it as long as that fits.
TEST(PieceCache, RandomOperationsAgreeWithAModel) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  const TempDirectory directory;
  std::set<std::uint64_t> put_before;
  auto cache = std::make_unique<PieceCache>(directory.path(), kRoomFor4);
  for (int i = 0; i < 600; ++i) {
    const std::uint64_t index = random() % 8;
    switch (random() % 8) {
      case 0:
        cache->drop(PieceIndex(index));
        put_before.erase(index);
        break;
      case 1:
        if (random() % 8 == 0) {
          const std::size_t size = cache->size();
          cache.reset();
          cache = std::make_unique<PieceCache>(directory.path(), kRoomFor4);
          // A dropped element is still in the file.
          EXPECT_GE(cache->size(), size);
          for (std::uint64_t back = 0; back < 8; ++back) {
            if (!put_before.contains(back)) {
              cache->drop(PieceIndex(back));
            }
          }
        }
        break;
      case 2:
      case 3:
      case 4:
        put(*cache, index);
        put_before.insert(index);
        EXPECT_TRUE(has(*cache, index));
        break;
      default:
        EXPECT_TRUE(!has(*cache, index) || put_before.contains(index)) << index;
    }
    ASSERT_LE(cache->size(), 4U);
    ASSERT_FALSE(HasFailure());
  }
  EXPECT_EQ(cache->counters().damaged, 0U);
}

TEST(PieceCache, FlippedBytesAreNoticedAndForgotten) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  std::vector<std::size_t> places = {8, 8 + kPieceSize - 1, 8 + kPieceSize, kPieceElementSize - 1};
  for (int i = 0; i < 10; ++i) {
    places.push_back(8 + random() % (kPieceElementSize - 8));
  }
  for (const std::size_t place : places) {
    const TempDirectory directory;
    PieceCache cache(directory.path(), kRoomFor4);
    put(cache, 7);
    const File file = File::open_or_create(file_in(directory));
    std::uint8_t byte = 0;
    file.read_at(place, {&byte, 1});
    byte ^= static_cast<std::uint8_t>(1U << (random() % 8));
    file.write_at(place, {&byte, 1});
    EXPECT_FALSE(has(cache, 7)) << "byte " << place;
    EXPECT_EQ(cache.counters().damaged, 1U);
    EXPECT_EQ(cache.size(), 0U);
    put(cache, 7);
    EXPECT_TRUE(has(cache, 7));
  }
}

TEST(PieceCache, WrongIndexInAnElementIsNoticed) {
  const TempDirectory directory;
  { put(*std::make_unique<PieceCache>(directory.path(), kRoomFor4), 7); }
  const std::uint8_t other = 9;
  File::open_or_create(file_in(directory)).write_at(0, {&other, 1});
  PieceCache cache(directory.path(), kRoomFor4);
  EXPECT_FALSE(has(cache, 7));
  EXPECT_FALSE(has(cache, 9));
  EXPECT_EQ(cache.counters().damaged, 1U);
}

TEST(PieceCache, TornAndCutFilesAreNoProblem) {
  const TempDirectory directory;
  const auto fill = [&] {
    fs::remove(file_in(directory));
    PieceCache cache(directory.path(), kRoomFor4);
    for (std::uint64_t i = 0; i < 4; ++i) {
      put(cache, i);
    }
  };
  for (const std::uint64_t size :
       {std::uint64_t{0}, std::uint64_t{4096}, std::uint64_t{kPieceElementSize},
        kPieceElementSize + 100, 3 * kPieceElementSize + 8, 4 * kPieceElementSize - 1}) {
    fill();
    fs::resize_file(file_in(directory), size);
    PieceCache cache(directory.path(), kRoomFor4);
    std::uint64_t n_found = 0;
    for (std::uint64_t i = 0; i < 4; ++i) {
      n_found += has(cache, i) ? 1 : 0;
    }
    EXPECT_EQ(n_found, size / kPieceElementSize) << size;
    put(cache, 50);
    EXPECT_TRUE(has(cache, 50));
  }
  fill();
  PieceCache smaller(directory.path(), 2 * kPieceElementSize + 4096);
  EXPECT_EQ(smaller.size(), 2U);
}

TEST(PieceCache, KilledBeforeAnyFileOperationItOpensAgain) {
  std::size_t n = 0;
  for (bool has_died = true; has_died && !testing::Test::HasFailure(); ++n) {
    SCOPED_TRACE("killed before file operation " + std::to_string(n));
    const TempDirectory directory;
    has_died = test::dies_at(n, [&] {
      PieceCache cache(directory.path(), 2 * kPieceElementSize + 4096);
      for (std::uint64_t i = 0; i < 5; ++i) {
        put(cache, i);
      }
    });
    PieceCache cache(directory.path(), 2 * kPieceElementSize + 4096);
    for (std::uint64_t i = 0; i < 5; ++i) {
      has(cache, i);
    }
    EXPECT_EQ(cache.counters().damaged, 0U);
  }
  EXPECT_GT(n, 6U);  // the hook was at work
}

TEST(PieceCache, FailedWriteIsCountedAndForgotten) {
  const TempDirectory directory;
  PieceCache cache(directory.path(), kRoomFor4);
  put(cache, 1);
  {
    const test::Fault fault(0);
    put(cache, 2);
  }
  EXPECT_EQ(cache.counters().io_errors, 1U);
  EXPECT_TRUE(has(cache, 1));
  EXPECT_FALSE(has(cache, 2));
  put(cache, 2);
  EXPECT_TRUE(has(cache, 2));
}

TEST(PieceCache, HasOneOwner) {
  const TempDirectory directory;
  auto first = std::make_unique<PieceCache>(directory.path(), kRoomFor4);
  EXPECT_THROW(PieceCache(directory.path(), kRoomFor4), PieceCacheInUse);
  first.reset();
  EXPECT_NO_THROW(PieceCache(directory.path(), kRoomFor4));
}

TEST(PieceCache, SeveralThreads) {
  const TempDirectory directory;
  PieceCache cache(directory.path(), kRoomFor4);
  std::vector<std::thread> threads;
  for (unsigned t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      std::mt19937 random(t);
      for (int i = 0; i < 60; ++i) {
        const std::uint64_t index = random() % 7;
        if (random() % 2 == 0) {
          put(cache, index);
        } else {
          has(cache, index);
        }
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(cache.counters().damaged, 0U);
  EXPECT_LE(cache.size(), 4U);
}

TEST(CachingPieceGetter, AsksTheSourceOnce) {
  const TempDirectory directory;
  PieceCache cache(directory.path(), kRoomFor4);
  test::MadeUpGetter source;
  source.missing = {2};
  source.damaged = {3};
  CachingPieceGetter getter(cache, source, test::made_up_validator());
  for (int round = 0; round < 3; ++round) {
    const auto answers = test::get_all(getter, test::indices_up_to(4));
    test::expect_found(answers, 0);
    test::expect_found(answers, 1);
    EXPECT_TRUE(test::is_not_found(answers.at(2)));
    EXPECT_TRUE(answers.at(3).error != nullptr);
  }
  EXPECT_EQ(source.n_asked, 4U + 2 * 2);
}

TEST(CachingPieceGetter, PieceOfAnotherHistoryIsReplaced) {
  const TempDirectory directory;
  PieceCache cache(directory.path(), kRoomFor4);
  cache.put(PieceIndex(1), *made_up_piece(PieceIndex(100)));
  test::MadeUpGetter source;
  CachingPieceGetter getter(cache, source, test::made_up_validator());
  test::expect_found(test::get_all(getter, {PieceIndex(1)}), 1);
  EXPECT_EQ(source.n_asked, 1U);
  test::expect_found(test::get_all(getter, {PieceIndex(1)}), 1);
  EXPECT_EQ(source.n_asked, 1U);
}

}  // namespace
}  // namespace furrow
