// SPDX-License-Identifier: Apache-2.0
// The age-tiered index as a whole: ages, horizon, limits, and readers beside writers.
#include <atomic>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

#include <gtest/gtest.h>

#include "host/store/segment_index/age_tiered_index.hpp"
#include "host/store/segment_index/index_errors.hpp"
#include "tests/support/temp_directory.hpp"
#include "tests/unit/store/segment_index/segment_index_model.hpp"

namespace furrow {
namespace {

using test::add;
using test::numbered_entries;
using test::numbered_key;
using test::removal;
using test::TempDirectory;

class AgeTieredIndexTest : public ::testing::Test {
 protected:
  [[nodiscard]] std::unique_ptr<AgeTieredIndex> open(const IndexOptions& options = {}) const {
    return AgeTieredIndex::open(path_, options);
  }
  TempDirectory directory_;
  std::filesystem::path path_ = directory_.path() / "index";
};

TEST_F(AgeTieredIndexTest, RunsMergeByFanInAndGoToDiskWhenMemoryIsFull) {
  const auto index = open({.fan_in = 3, .memory_entries = 25, .max_segments = 2});
  const auto append_one = [&](std::uint64_t i) {
    index->append(std::vector{add(numbered_key(i), 1, i)});
  };
  // Runs after each append: digits of the number of appends to the base 3.
  const std::vector<std::size_t> expected = {1, 2, 1, 2, 3, 2, 3, 4, 1};
  for (std::uint64_t i = 0; i < expected.size(); ++i) {
    append_one(i);
    EXPECT_EQ(index->status().memory_runs, expected[i]) << i + 1 << " appends";
  }
  for (std::uint64_t i = expected.size(); i < 24; ++i) {
    append_one(i);
  }
  EXPECT_EQ(index->status().segments, 0U);
  EXPECT_EQ(index->status().entries_in_memory, 24U);
  append_one(24);
  EXPECT_EQ(index->status().segments, 1U);
  EXPECT_EQ(index->status().entries_in_memory, 0U);
  EXPECT_EQ(index->status().entries_on_disk, 25U);
}

TEST_F(AgeTieredIndexTest, CompactionTakesTheNeighboursWithTheFewestEntries) {
  const auto index = open({.fan_in = 2, .memory_entries = 1000, .max_segments = 3});
  std::uint64_t next = 0;
  for (const std::uint64_t n : {100, 10, 20, 50}) {
    EXPECT_FALSE(index->compact());
    std::vector<IndexEntry> entries;
    for (std::uint64_t i = 0; i < n; ++i, ++next) {
      entries.push_back(add(numbered_key(next), 1, next));
    }
    index->append(entries);
    index->flush();
  }
  EXPECT_TRUE(index->compaction_is_due());
  EXPECT_TRUE(index->compact());
  EXPECT_FALSE(index->compaction_is_due());
  const IndexManifest manifest = IndexManifest::read(path_ / kIndexManifestName);
  ASSERT_EQ(manifest.segments.size(), 3U);
  EXPECT_EQ(manifest.segments[0].entry_count, 100U);
  EXPECT_EQ(manifest.segments[1].entry_count, 30U);
  EXPECT_EQ(manifest.segments[2].entry_count, 50U);
  for (std::uint64_t i = 0; i < next; ++i) {
    EXPECT_EQ(index->lookup(numbered_key(i)), i);
  }
}

// With all segments of one size, which is the usual case, any other choice merges the same entries
// again and again.
TEST_F(AgeTieredIndexTest, CompactionTakesTheOldestOfEqualNeighbours) {
  for (const bool has_run : {false, true}) {
    SCOPED_TRACE(has_run ? "with a run in memory" : "with nothing in memory");
    const auto path = directory_.path() / (has_run ? "run" : "none");
    const auto index = AgeTieredIndex::open(path, {.fan_in = 2, .max_segments = 3});
    std::uint64_t next = 0;
    const auto append = [&] {
      std::vector<IndexEntry> entries;
      for (std::uint64_t i = 0; i < 10; ++i, ++next) {
        entries.push_back(add(numbered_key(next), 1, next));
      }
      index->append(entries);
    };
    for (int segment = 0; segment < 4; ++segment) {
      append();
      index->flush();
    }
    if (has_run) {
      append();
    }
    ASSERT_TRUE(index->compact());
    std::vector<std::uint64_t> sizes;
    for (const auto& segment : IndexManifest::read(path / kIndexManifestName).segments) {
      sizes.push_back(segment.entry_count);
    }
    EXPECT_EQ(sizes, (std::vector<std::uint64_t>{20, 10, 10})) << "oldest first";
    for (std::uint64_t i = 0; i < next; ++i) {
      EXPECT_EQ(index->lookup(numbered_key(i)), i);
    }
  }
}

TEST_F(AgeTieredIndexTest, BelowTheHorizonOnlyTheOutcomeIsKept) {
  const auto index = open();
  const IndexKey a = numbered_key(1);
  const IndexKey b = numbered_key(2);
  index->append(std::vector{add(a, 1, 1), add(a, 5, 2), add(b, 1, 3)});
  index->flush();
  index->append(std::vector{removal(b, 5), add(a, 7, 4)});
  index->flush();
  index->compact_all();
  EXPECT_EQ(index->status().entries_on_disk, 5U);  // without a horizon all of it
  EXPECT_EQ(index->lookup(a, {0, 5}), 1U);
  EXPECT_EQ(index->lookup(b), kDeletedId);

  index->advance_horizon(7);
  EXPECT_THROW(index->advance_horizon(6), InvalidArgument);
  EXPECT_THROW((void)index->lookup(a, {0, 6}), InvalidArgument);
  EXPECT_THROW(index->append(std::vector{add(a, 6, 9)}), InvalidArgument);
  index->flush();
  index->compact_all();
  EXPECT_EQ(index->status().entries_on_disk, 2U);
  EXPECT_EQ(index->lookup(a, {0, 7}), 2U);
  EXPECT_EQ(index->lookup(a), 4U);
  EXPECT_EQ(index->lookup(b), std::nullopt);
  EXPECT_EQ(index->status().horizon, 7);
}

TEST_F(AgeTieredIndexTest, TheHorizonIsKeptOverReopening) {
  {
    const auto index = open();
    index->append(numbered_entries(5));
    index->advance_horizon(300);
    index->flush();
    index->advance_horizon(400);  // not flushed
    index->compact_all();
  }
  EXPECT_EQ(open()->status().horizon, 300);
}

// A compaction that began before the horizon became durable wrote the old one back.
TEST_F(AgeTieredIndexTest, AHorizonThatAdvancesDuringACompactionStays) {
  auto index = open();
  for (std::uint64_t i = 0; i < 2; ++i) {
    index->append(std::vector{add(numbered_key(i), 1, i)});
    index->flush();
  }
  bool has_advanced = false;
  set_file_fault_hook([&](FileOperation, const std::filesystem::path&) {
    if (!has_advanced) {
      has_advanced = true;
      index->advance_horizon(5);
      index->append(std::vector{add(numbered_key(9), 5, 9)});
      index->flush();
    }
  });
  index->compact_all();
  set_file_fault_hook(nullptr);
  EXPECT_TRUE(has_advanced);
  EXPECT_EQ(index->status().segments, 2U);
  index.reset();
  index = open();
  EXPECT_EQ(index->status().horizon, 5);
  for (const std::uint64_t i : {0U, 1U, 9U}) {
    EXPECT_EQ(index->lookup(numbered_key(i)), i);
  }
}

TEST_F(AgeTieredIndexTest, WhatCancelsAltogetherLeavesNoSegment) {
  auto index = open();
  index->append(std::vector{add(numbered_key(1), 5, 1)});
  index->append(std::vector{removal(numbered_key(1), 5)});
  index->advance_horizon(6);
  index->flush();
  EXPECT_EQ(index->status().segments, 0U);
  EXPECT_EQ(index->status().memory_runs, 0U);
  index.reset();
  EXPECT_EQ(open()->lookup(numbered_key(1)), std::nullopt);
}

TEST_F(AgeTieredIndexTest, ABatchThatIsRefusedLeavesNothing) {
  const auto index = open();
  EXPECT_THROW(
      index->append(std::vector{add(numbered_key(1), 5, 1), add(numbered_key(2), 5, kDeletedId)}),
      InvalidArgument);
  EXPECT_EQ(index->lookup(numbered_key(1)), std::nullopt);
  index->append({});
  EXPECT_EQ(index->status().memory_runs, 0U);
  std::vector<EntryId> ids(2);
  EXPECT_THROW(index->batch_lookup(std::vector{numbered_key(1)}, ids), InvalidArgument);
}

TEST_F(AgeTieredIndexTest, OnlyOneIndexHasADirectory) {
  const auto index = open();
  EXPECT_THROW(open(), IndexInUse);
}

TEST_F(AgeTieredIndexTest, OpenForLookupsSeesWhatWasFlushedAndChangesNothing) {
  EXPECT_THROW((void)AgeTieredIndex::open_for_lookups(path_), IoError);
  EXPECT_FALSE(std::filesystem::exists(path_));

  const auto index = open();
  index->append(std::vector{add(numbered_key(1), 1, 10)});
  index->flush();
  index->append(std::vector{add(numbered_key(2), 1, 20)});
  const std::filesystem::path leftover = path_ / "seg_000009.bin.tmp";
  std::ofstream(leftover) << "half";
  const auto reader = AgeTieredIndex::open_for_lookups(path_);  // the writer has the lock
  EXPECT_EQ(reader->lookup(numbered_key(1)), EntryId{10});
  EXPECT_EQ(reader->lookup(numbered_key(2)), std::nullopt);
  EXPECT_TRUE(std::filesystem::exists(leftover));

  index->flush();
  index->compact_all();
  EXPECT_EQ(reader->lookup(numbered_key(1)), EntryId{10});  // out of a file that is gone
  EXPECT_EQ(AgeTieredIndex::open_for_lookups(path_)->lookup(numbered_key(2)), EntryId{20});
}

TEST_F(AgeTieredIndexTest, OpenForLookupsWhileSegmentsAreReplaced) {
  const auto index = open({.fan_in = 2, .memory_entries = 4, .max_segments = 1});
  index->append(std::vector{add(numbered_key(0), 1, 0)});
  index->flush();
  std::atomic<bool> is_done = false;
  std::jthread writer([&] {
    for (std::uint64_t i = 1; i < 300; ++i) {
      index->append(std::vector{add(numbered_key(i), 1, i)});
      index->flush();
      index->compact();
    }
    is_done = true;
  });
  do {
    EXPECT_EQ(AgeTieredIndex::open_for_lookups(path_)->lookup(numbered_key(0)), EntryId{0});
  } while (!is_done);
}

TEST_F(AgeTieredIndexTest, OptionsOutOfRangeAreRefused) {
  EXPECT_THROW(open({.fan_in = 1}), InvalidArgument);
  EXPECT_THROW(open({.memory_entries = 0}), InvalidArgument);
  EXPECT_THROW(open({.fan_in = 8, .max_segments = 6}), InvalidArgument);
  EXPECT_THROW(open({.max_segments = kMaxDiskSegments}), InvalidArgument);
  EXPECT_FALSE(std::filesystem::exists(path_));
}

// Key i has id 1000 r + i at height r; rounds follow one another, and every key of a round is
// appended in one batch. A reader must see whole batches, and never an older one than before.
TEST_F(AgeTieredIndexTest, ReadersBesideAppendFlushAndCompaction) {
  constexpr std::uint64_t kKeys = 200;
  constexpr std::uint64_t kRounds = 60;
  const auto index = open({.fan_in = 2, .memory_entries = 700, .max_segments = 2});
  const auto append_round = [&](std::uint64_t round) {
    std::vector<IndexEntry> entries;
    for (std::uint64_t i = 0; i < kKeys; ++i) {
      entries.push_back(add(numbered_key(i), static_cast<std::int32_t>(round), 1000 * round + i));
    }
    index->append(entries);
  };
  append_round(0);
  std::atomic<bool> is_done{false};
  std::atomic<unsigned> n_wrong{0};
  const auto read = [&](bool is_batch) {
    std::vector<IndexKey> keys;
    for (std::uint64_t i = 0; i < kKeys; ++i) {
      keys.push_back(numbered_key(i));
    }
    std::uint64_t last_round = 0;
    while (!is_done) {
      std::vector<EntryId> ids(kKeys, kUnresolvedId);
      if (is_batch) {
        index->batch_lookup(keys, ids);
      } else {
        for (std::uint64_t i = 0; i < kKeys; ++i) {
          ids[i] = index->lookup(keys[i]).value_or(kUnresolvedId);
        }
      }
      for (std::uint64_t i = 0; i < kKeys; ++i) {
        const std::uint64_t round = (ids[i] - i) / 1000;
        const bool is_right = (ids[i] - i) % 1000 == 0 && round <= kRounds &&
                              (is_batch && i > 0 ? round == last_round : round >= last_round);
        n_wrong += is_right ? 0 : 1;
        last_round = round;
      }
    }
  };
  {
    const std::jthread first([&] { read(true); });
    const std::jthread second([&] { read(false); });
    const std::jthread compacting([&] {
      while (!is_done) {
        index->compact();
        (void)index->status();
      }
    });
    for (std::uint64_t round = 1; round <= kRounds; ++round) {
      append_round(round);
      if (round % 3 == 0) {
        index->advance_horizon(static_cast<std::int32_t>(round));
        index->flush();
      }
    }
    index->compact_all();
    is_done = true;
  }
  EXPECT_EQ(n_wrong, 0U);
  EXPECT_EQ(index->status().entries_on_disk, 2 * kKeys);  // at the horizon, and the last below it
}

TEST_F(AgeTieredIndexTest, IsRemovedWithItsDirectoryAndNothingElseIs) {
  const auto fill = [&] {
    const auto index = open();
    index->append(std::vector{add(numbered_key(1), 1, 7)});
    index->flush();
    EXPECT_THROW(AgeTieredIndex::remove(path_), IndexInUse);
    EXPECT_EQ(index->lookup(numbered_key(1)), 7U);
  };
  fill();
  std::ofstream(path_ / "photo") << "the user's own";
  EXPECT_THROW(AgeTieredIndex::remove(path_), InvalidArgument);
  EXPECT_EQ(open()->lookup(numbered_key(1)), 7U);
  std::filesystem::remove(path_ / "photo");
  std::ofstream(path_ / "seg_000009.bin.tmp") << "left by a crash";
  AgeTieredIndex::remove(path_);
  EXPECT_FALSE(std::filesystem::exists(path_));
  EXPECT_THROW(AgeTieredIndex::remove(path_), IoError);
  fill();
}

TEST(Published, AValueLivesAsLongAsItsReaders) {
  std::atomic<int> n_alive{0};
  struct Counted {
    Counted(std::atomic<int>& n, int what) : alive(n), value(what) { ++alive; }
    Counted(const Counted&) = delete;
    Counted& operator=(const Counted&) = delete;
    ~Counted() { --alive; }
    std::atomic<int>& alive;
    int value;
  };
  {
    Published<Counted> published(std::make_unique<Counted>(n_alive, 1));
    {
      const auto first = published.pin();
      const auto again = published.pin();
      published.publish(std::make_unique<Counted>(n_alive, 2));
      const auto second = published.pin();
      EXPECT_EQ(n_alive, 2);
      EXPECT_EQ(first->value, 1);
      EXPECT_EQ(again->value, 1);
      EXPECT_EQ(second->value, 2);
    }
    EXPECT_EQ(n_alive, 1);
    published.publish(std::make_unique<Counted>(n_alive, 3));
    EXPECT_EQ(n_alive, 1);
  }
  EXPECT_EQ(n_alive, 0);
}

TEST(Published, ReadersAndAWriterAtOnce) {
  struct Pair {
    std::uint64_t a;
    std::uint64_t b;
  };
  Published<Pair> published(std::make_unique<Pair>(Pair{0, 0}));
  std::atomic<bool> is_done{false};
  std::atomic<unsigned> n_wrong{0};
  {
    std::vector<std::jthread> readers;
    readers.reserve(3);
    for (int i = 0; i < 3; ++i) {
      readers.emplace_back([&] {
        std::uint64_t last = 0;
        while (!is_done) {
          const auto pin = published.pin();
          n_wrong += pin->a == pin->b && pin->a >= last ? 0 : 1;
          last = pin->a;
        }
      });
    }
    for (std::uint64_t i = 1; i <= 5000; ++i) {
      published.publish(std::make_unique<Pair>(Pair{i, i}));
    }
    is_done = true;
  }
  EXPECT_EQ(n_wrong, 0U);
}

}  // namespace
}  // namespace furrow
