// SPDX-License-Identifier: Apache-2.0
// The parts of the age-tiered index: entries, filter, directory, and which versions count
// (docs/spec/08-storage-components.md, sections 3.2, 3.4, 3.6, 3.9).
#include <array>
#include <limits>
#include <memory>
#include <vector>

#include <gtest/gtest.h>

#include "furrow/errors.hpp"

#include "host/store/segment_index/bucket_directory.hpp"
#include "host/store/segment_index/entry_merge.hpp"
#include "host/store/segment_index/memory_run.hpp"
#include "tests/unit/store/segment_index/segment_index_model.hpp"

namespace furrow {
namespace {

using test::add;
using test::numbered_key;
using test::removal;

TEST(IndexEntry, BytesAreThoseOfTheSpecification) {
  IndexEntry entry;
  for (std::size_t i = 0; i < IndexKey::size(); ++i) {
    entry.key.bytes[i] = static_cast<std::uint8_t>(i + 1);
  }
  entry.height = -2;
  entry.id = 0x1122334455667788;
  entry.kind = EntryKind::kDelete;
  std::array<std::uint8_t, kIndexEntrySize> bytes{};
  bytes.fill(0xAA);
  encode_entry(entry, bytes.data());
  std::vector<std::uint8_t> expected;
  for (std::uint8_t i = 1; i <= 36; ++i) {
    expected.push_back(i);
  }
  for (const int byte : {0xFE, 0xFF, 0xFF, 0xFF, 0x88, 0x77, 0x66, 0x55, 0x44, 0x33,
                         0x22, 0x11, 1,    0,    0,    0,    0,    0,    0,    0}) {
    expected.push_back(static_cast<std::uint8_t>(byte));
  }
  EXPECT_EQ(std::vector<std::uint8_t>(bytes.begin(), bytes.end()), expected);
  EXPECT_EQ(decode_entry(bytes.data(), "entry"), entry);
}

TEST(IndexEntry, WhatIsNoEntryIsRefused) {
  std::array<std::uint8_t, kIndexEntrySize> good{};
  encode_entry(add(numbered_key(1), 5, 7), good.data());
  auto bad_kind = good;
  bad_kind[48] = 2;
  EXPECT_THROW(decode_entry(bad_kind.data(), "entry"), MalformedData);
  auto bad_zero = good;
  bad_zero[55] = 1;
  EXPECT_THROW(decode_entry(bad_zero.data(), "entry"), MalformedData);
  for (const EntryId id : {kDeletedId, kUnresolvedId}) {
    const IndexEntry entry = add(numbered_key(1), 5, id);
    EXPECT_THROW(check_storable(entry), InvalidArgument);
    auto bytes = good;
    encode_entry(entry, bytes.data());
    EXPECT_THROW(decode_entry(bytes.data(), "entry"), MalformedData);
  }
  constexpr std::int32_t kGreatest = std::numeric_limits<std::int32_t>::max();
  EXPECT_THROW(check_storable(add(numbered_key(1), kGreatest, 7)), InvalidArgument);
  EXPECT_NO_THROW(check_storable(add(numbered_key(1), kGreatest - 1, kDeletedId - 1)));
}

TEST(IndexEntry, PiecesOfASegmentStandInOrder) {
  Hash root;
  root.bytes.fill(0xC3);
  const IndexKey key = piece_key(root, 0x01020304);
  EXPECT_EQ(key.bytes[31], 0xC3);
  EXPECT_EQ(key.bytes[32], 1);
  EXPECT_EQ(key.bytes[35], 4);
  EXPECT_LT(compare(piece_key(root, 255), piece_key(root, 256)), 0);
}

TEST(IndexEntry, HeightIsTheNumberOfSegments) {
  EXPECT_EQ(height_of(HistorySize::from_count(1)), 1);
  EXPECT_EQ(height_of(HistorySize::from_count(0x7FFF'FFFE)), 0x7FFF'FFFE);
  EXPECT_THROW(height_of(HistorySize::from_count(0x7FFF'FFFF)), InvalidArgument);
}

TEST(BloomFilter, ForgetsNothingAndRarelyErrs) {
  for (const std::uint64_t n : {1U, 100U, 100'000U}) {
    BloomFilter filter(n);
    for (std::uint64_t i = 0; i < n; ++i) {
      filter.insert(BloomFilter::hash(numbered_key(i)));
    }
    std::uint64_t false_positives = 0;
    for (std::uint64_t i = 0; i < n; ++i) {
      ASSERT_TRUE(filter.may_contain(BloomFilter::hash(numbered_key(i))));
      false_positives += filter.may_contain(BloomFilter::hash(numbered_key(n + i))) ? 1 : 0;
    }
    EXPECT_LE(false_positives * 100, n) << n << " keys";
    EXPECT_LE(filter.memory_bytes(), n * 3 / 2 + 128);
  }
}

// Keys that differ in one byte only, wherever it is.
TEST(BloomFilter, EveryByteOfAKeyCounts) {
  const IndexKey key = numbered_key(5);
  for (std::size_t i = 0; i < IndexKey::size(); ++i) {
    IndexKey other = key;
    other.bytes[i] ^= 0x10;
    EXPECT_NE(BloomFilter::hash(key), BloomFilter::hash(other)) << "byte " << i;
  }
}

TEST(BucketDirectory, FindsEveryBucketThatMayHoldAKey) {
  BucketDirectory directory;
  EXPECT_EQ(directory.find(numbered_key(3)).end, 0U);
  for (const std::uint64_t first : {10, 20, 20, 20, 30}) {
    directory.add_bucket(numbered_key(first));
  }
  const auto expect = [&](std::uint64_t key, std::uint32_t first, std::uint32_t end) {
    const BucketRange range = directory.find(numbered_key(key));
    EXPECT_EQ(range.first, first) << "key " << key;
    EXPECT_EQ(range.end, end) << "key " << key;
  };
  expect(5, 0, 0);
  expect(10, 0, 1);
  expect(15, 0, 1);
  expect(20, 0, 4);  // the first bucket may end in the key
  expect(25, 3, 4);
  expect(30, 3, 5);
  expect(99, 4, 5);
}

TEST(BucketDirectory, ComparesTheWholeKey) {
  Hash root;
  BucketDirectory directory;
  for (const std::uint32_t position : {0U, 72U, 144U}) {
    directory.add_bucket(piece_key(root, position));
  }
  EXPECT_EQ(directory.find(piece_key(root, 143)).first, 1U);
  EXPECT_EQ(directory.find(piece_key(root, 143)).end, 2U);
  EXPECT_EQ(directory.compare_with_first(piece_key(root, 144), 2), 0);
  EXPECT_LT(directory.compare_with_first(piece_key(root, 143), 2), 0);
  EXPECT_GT(directory.compare_with_first(numbered_key(1), 2), 0);
}

std::optional<EntryId> decided(std::vector<KeyVersion> versions) {
  return decide(versions);
}

TEST(KeyVersions, TheLatestThatIsNotCancelledDecides) {
  constexpr EntryKind kAdd = EntryKind::kAdd;
  constexpr EntryKind kDelete = EntryKind::kDelete;
  EXPECT_EQ(decided({}), std::nullopt);
  EXPECT_EQ(decided({{5, kAdd, 1}}), 1U);
  EXPECT_EQ(decided({{5, kDelete, 0}}), kDeletedId);
  EXPECT_EQ(decided({{5, kAdd, 1}, {9, kDelete, 0}}), kDeletedId);
  EXPECT_EQ(decided({{9, kDelete, 0}, {5, kAdd, 1}}), kDeletedId);
  EXPECT_EQ(decided({{5, kAdd, 1}, {7, kDelete, 0}, {9, kAdd, 2}}), 2U);
  EXPECT_EQ(decided({{9, kAdd, 2}, {9, kDelete, 0}, {5, kAdd, 1}}), 1U);
  EXPECT_EQ(decided({{9, kDelete, 0}, {5, kAdd, 1}, {9, kAdd, 2}, {9, kDelete, 0}}), 1U);
  EXPECT_EQ(decided({{9, kAdd, 2}, {9, kDelete, 0}}), std::nullopt);
  EXPECT_EQ(decided({{9, kAdd, 3}, {9, kAdd, 2}}), 3U);  // the newer run comes first
}

std::vector<IndexEntry> merged(const std::vector<std::vector<IndexEntry>>& newest_first,
                               SettledHeights settled) {
  std::vector<std::unique_ptr<EntrySource>> sources;
  sources.reserve(newest_first.size());
  for (const std::vector<IndexEntry>& run : newest_first) {
    sources.push_back(std::make_unique<SpanSource>(run));
  }
  std::vector<IndexEntry> kept;
  merge_entries(sources, settled, [&](const IndexEntry& entry) { kept.push_back(entry); });
  return kept;
}

TEST(EntryMerge, KeepsAllThatIsNotSettled) {
  const IndexKey a = numbered_key(1);
  const IndexKey b = numbered_key(2);
  EXPECT_EQ(
      merged({{add(a, 9, 2), removal(b, 7)}, {add(a, 5, 1), removal(a, 9), add(b, 7, 3)}}, {}),
      (std::vector{add(a, 5, 1), add(a, 9, 2), removal(a, 9), add(b, 7, 3), removal(b, 7)}));
  EXPECT_EQ(merged({{add(a, 5, 2)}, {add(a, 5, 1)}}, {}), std::vector{add(a, 5, 2)});
  EXPECT_TRUE(merged({{}, {}}, {}).empty());
}

TEST(EntryMerge, KeepsTheOutcomeOfSettledHeights) {
  const IndexKey a = numbered_key(1);
  const std::vector<std::vector<IndexEntry>> runs = {{removal(a, 8), add(a, 9, 4), add(a, 12, 5)},
                                                     {add(a, 2, 1), add(a, 5, 2), removal(a, 6)}};
  EXPECT_EQ(merged(runs, {.after = 4, .before = 10}),
            (std::vector{add(a, 2, 1), add(a, 9, 4), add(a, 12, 5)}));
  EXPECT_EQ(merged(runs, {.after = 4, .before = 9}),
            (std::vector{add(a, 2, 1), removal(a, 8), add(a, 9, 4), add(a, 12, 5)}));
  // A delete hides something older, unless there is nothing older.
  EXPECT_EQ(merged(runs, {.before = 9, .is_bottom = true}),
            (std::vector{add(a, 9, 4), add(a, 12, 5)}));
}

TEST(EntryMerge, DropsSettledPairs) {
  const IndexKey a = numbered_key(1);
  const IndexKey b = numbered_key(2);
  EXPECT_EQ(merged({{removal(a, 9), add(b, 1, 8)}, {add(a, 5, 1), add(a, 9, 2)}}, {.before = 10}),
            (std::vector{add(a, 5, 1), add(b, 1, 8)}));
  EXPECT_TRUE(merged({{removal(a, 9)}, {add(a, 9, 2)}}, {.before = 10}).empty());
}

TEST(MemoryRun, OfABatchTheLastOfEqualsStays) {
  const IndexKey a = numbered_key(1);
  const std::vector<IndexEntry> batch = {removal(a, 5), add(a, 5, 1), add(a, 4, 7), add(a, 5, 2)};
  EXPECT_EQ(MemoryRun::sorted(batch), (std::vector{add(a, 4, 7), add(a, 5, 2), removal(a, 5)}));
}

}  // namespace
}  // namespace furrow
