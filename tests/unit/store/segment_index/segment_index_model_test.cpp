// SPDX-License-Identifier: Apache-2.0
// The age-tiered index under random operations, against a model (docs/spec/08-storage-
// components.md, requirement G2).
#include "tests/unit/store/segment_index/segment_index_model.hpp"

#include <random>
#include <string>

#include <gtest/gtest.h>

#include "host/store/segment_index/age_tiered_index.hpp"
#include "tests/support/temp_directory.hpp"

namespace furrow {
namespace {

using test::agree;
using test::IndexModel;
using test::TempDirectory;

/// Does random operations and looks everything up now and then.
class RandomOperations {
 public:
  RandomOperations(std::uint64_t seed, const std::filesystem::path& path)
      : random_(seed), path_(path) {
    options_.fan_in = 2 + random_() % 3;
    options_.memory_entries = 1 + random_() % 400;
    options_.max_segments = options_.fan_in + random_() % 3;
    n_keys_ = 1 + random_() % 300;
    // Keys that differ early, late, or in both places.
    shape_ = static_cast<unsigned>(random_() % 3);
    index_ = AgeTieredIndex::open(path_, options_);
  }

  void run(unsigned n_steps) {
    for (unsigned i = 0; i < n_steps && !::testing::Test::HasFailure(); ++i) {
      step();
      if (i % 16 == 0 || i + 1 == n_steps) {
        compare_all();
      }
    }
  }

 private:
  std::uint64_t below(std::uint64_t n) { return random_() % n; }

  [[nodiscard]] IndexKey key(std::uint64_t i) const {
    IndexKey key;
    key.bytes[shape_ == 0 ? 0 : 31] = static_cast<std::uint8_t>(i);
    key.bytes[shape_ == 1 ? 35 : 1] = static_cast<std::uint8_t>(i >> 8);
    return key;
  }

  IndexEntry random_entry() {
    IndexEntry entry;
    entry.key = key(below(n_keys_));
    entry.height = horizon_ + static_cast<std::int32_t>(below(6));
    entry.kind = below(3) == 0 ? EntryKind::kDelete : EntryKind::kAdd;
    entry.id = entry.kind == EntryKind::kAdd ? next_id_++ : 0;
    return entry;
  }

  void append() {
    std::vector<IndexEntry> batch;
    for (std::uint64_t n = below(80); n > 0; --n) {
      const bool is_repetition = !history_.empty() && below(8) == 0;
      const IndexEntry entry = is_repetition ? history_[below(history_.size())] : random_entry();
      if (entry.height >= horizon_ && model_.allows(entry)) {
        model_.apply(entry);
        history_.push_back(entry);
        batch.push_back(entry);
      }
    }
    index_->append(batch);
  }

  void step() {
    switch (below(12)) {
      case 0:
        index_->flush();
        break;
      case 1:
        index_->compact();
        break;
      case 2:
        if (below(4) == 0) {
          index_->compact_all();
        }
        break;
      case 3:
        horizon_ += static_cast<std::int32_t>(below(3));
        index_->advance_horizon(horizon_);
        break;
      case 4:
        index_->flush();
        index_.reset();
        index_ = AgeTieredIndex::open(path_, options_);
        break;
      default:
        append();
    }
  }

  void compare_all() {
    const HeightWindow window = {
        below(2) == 0 ? HeightWindow().since : horizon_ - 5 + static_cast<std::int32_t>(below(10)),
        below(2) == 0 ? HeightWindow().before : horizon_ + static_cast<std::int32_t>(below(8))};
    std::vector<IndexKey> keys;
    for (std::uint64_t i = 0; i < n_keys_ + 5; ++i) {  // the last ones do not exist
      keys.push_back(key(i));
    }
    std::shuffle(keys.begin(), keys.end(), random_);
    keys.insert(keys.end(), keys.begin(), keys.begin() + 3);
    std::vector<EntryId> ids(keys.size(), kUnresolvedId);
    ids[1] = 77;  // resolved before, so not to be touched
    index_->batch_lookup(keys, ids, window);
    EXPECT_EQ(ids[1], 77U);
    for (std::size_t i = 0; i < keys.size(); ++i) {
      const std::optional<EntryId> expected = model_.lookup(keys[i], window);
      const std::optional<EntryId> actual = index_->lookup(keys[i], window);
      ASSERT_TRUE(agree(expected, actual))
          << "expected " << expected.value_or(kUnresolvedId) << ", actual "
          << actual.value_or(kUnresolvedId) << ", heights " << window.since << " to "
          << window.before;
      if (i != 1) {
        ASSERT_EQ(ids[i], actual.value_or(kUnresolvedId)) << "batch and single lookup differ";
      }
    }
  }

  std::mt19937_64 random_;
  std::filesystem::path path_;
  IndexOptions options_;
  std::uint64_t n_keys_ = 0;
  unsigned shape_ = 0;
  std::int32_t horizon_ = -3;
  EntryId next_id_ = 1;
  IndexModel model_;
  std::vector<IndexEntry> history_;
  std::unique_ptr<AgeTieredIndex> index_;
};

TEST(SegmentIndexModel, RandomOperationsGiveTheAnswersOfAMap) {
  for (int round = 0; round < 12 && !HasFailure(); ++round) {
    const std::uint64_t seed = test::random_seed();
    SCOPED_TRACE("FURROW_TEST_SEED=" + std::to_string(seed));
    const TempDirectory directory;
    RandomOperations(seed, directory.path() / "index").run(300);
  }
}

// One key with more versions than a merged read of a batch may take.
TEST(SegmentIndexModel, AKeyWithManyVersions) {
  const TempDirectory directory;
  const auto index = AgeTieredIndex::open(directory.path() / "index");
  constexpr std::int32_t kVersions = 3 * DiskSegment::kMaxBlocksPerRead * kEntriesPerBlock / 2;
  std::vector<IndexEntry> entries = test::numbered_entries(1000);
  for (std::int32_t height = 0; height < kVersions; ++height) {
    entries.push_back(
        test::add(test::numbered_key(500), height + 1000, 5000 + static_cast<EntryId>(height)));
  }
  index->append(entries);
  index->flush();
  for (const std::int32_t before : {1001, 1018, 1019, 3000, 1000 + kVersions}) {
    std::vector<IndexKey> keys;
    for (std::uint64_t i = 490; i < 510; ++i) {
      keys.push_back(test::numbered_key(i));
    }
    std::vector<EntryId> ids(keys.size(), kUnresolvedId);
    index->batch_lookup(keys, ids, {0, before});
    for (std::uint64_t i = 0; i < keys.size(); ++i) {
      const EntryId expected =
          i == 10 ? 5000 + static_cast<EntryId>(before - 1001) : 1000 + 490 + i;
      EXPECT_EQ(ids[i], expected);
      EXPECT_EQ(index->lookup(keys[i], {0, before}), expected);
    }
  }
  index->advance_horizon(1000 + kVersions);
  index->flush();
  index->compact_all();
  EXPECT_EQ(index->status().entries_on_disk, 1000U);  // of all those versions the last one is left
  EXPECT_EQ(index->lookup(test::numbered_key(500)), 5000U + kVersions - 1);
}

}  // namespace
}  // namespace furrow
