// SPDX-License-Identifier: Apache-2.0
// One segment on disk: its bytes, writing, lookups (docs/spec/08-storage-components.md,
// sections 3.3 to 3.8).
#include <random>
#include <string>

#include <gtest/gtest.h>

#include "furrow/core/bits.hpp"

#include "host/crypto/blake3.hpp"
#include "host/store/segment_index/disk_segment_reader.hpp"
#include "host/store/segment_index/disk_segment_writer.hpp"
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

constexpr std::uint32_t kPerBucket = DiskSegment::kBlocksPerBucket * kEntriesPerBlock;
constexpr std::uint32_t kPerTransfer = kBlocksPerTransfer * kEntriesPerBlock;

class DiskSegmentTest : public ::testing::Test {
 protected:
  std::shared_ptr<const DiskSegment> write(const std::vector<IndexEntry>& entries,
                                           std::uint64_t number = 7) {
    DiskSegmentWriter writer(directory_.path(), number, entries.size());
    for (const IndexEntry& entry : entries) {
      writer.append(entry);
    }
    return writer.finish();
  }
  [[nodiscard]] std::filesystem::path path() const { return directory_.path() / "seg_000007.bin"; }
  [[nodiscard]] bool is_empty() const { return std::filesystem::is_empty(directory_.path()); }

  TempDirectory directory_;
};

TEST_F(DiskSegmentTest, Bytes) {
  write({add(numbered_key(1), -3, 11), removal(numbered_key(2), 12)});
  const std::vector<std::uint8_t> bytes = read_whole_file(path());
  ASSERT_EQ(bytes.size(), 4096U + 1024U);
  EXPECT_EQ(core::load_le64(bytes.data()), 0xD15CDEADB10C0002U);
  EXPECT_EQ(core::load_le32(bytes.data() + 8), 1U);
  EXPECT_EQ(core::load_le32(bytes.data() + 12), 2U);
  EXPECT_EQ(static_cast<std::int32_t>(core::load_le32(bytes.data() + 16)), -3);
  EXPECT_EQ(static_cast<std::int32_t>(core::load_le32(bytes.data() + 20)), 12);
  EXPECT_EQ(core::load_le64(bytes.data() + 24), 7U);
  const auto expect_hash = [&](std::size_t at, std::size_t size, std::span<const std::uint8_t> of) {
    const Hash hash = blake3(of);
    EXPECT_TRUE(std::equal(hash.begin(), hash.begin() + static_cast<std::ptrdiff_t>(size),
                           bytes.begin() + static_cast<std::ptrdiff_t>(at)))
        << "at " << at;
  };
  const std::span all(bytes);
  expect_hash(32, 32, all.subspan(4096 + 1008, 16));
  expect_hash(1008, 16, all.first(1008));
  expect_hash(4096 + 1008, 16, all.subspan(4096, 1008));
  EXPECT_EQ(decode_entry(bytes.data() + 4096 + 56, "entry"), removal(numbered_key(2), 12));
}

TEST_F(DiskSegmentTest, NamesHaveAtLeastSixDigits) {
  EXPECT_EQ(segment_file_name(0), "seg_000000.bin");
  EXPECT_EQ(segment_file_name(1'234'567), "seg_1234567.bin");
}

TEST_F(DiskSegmentTest, AnEmptySegmentIsAFileAndAnswersNothing) {
  write({});
  const auto segment = DiskSegment::open(path());
  EXPECT_EQ(std::filesystem::file_size(path()), 4096U);
  EXPECT_EQ(segment->heights(), HeightRange());
  EXPECT_EQ(segment->lookup(numbered_key(1)), std::nullopt);
  EXPECT_TRUE(segment->read_all().empty());
}

TEST_F(DiskSegmentTest, SizesAroundBlocksBucketsAndTransfers) {
  for (const std::uint32_t n : {1U, kEntriesPerBlock - 1, kEntriesPerBlock, kEntriesPerBlock + 1,
                                kPerBucket - 1, kPerBucket, kPerBucket + 1, kPerTransfer - 1,
                                kPerTransfer, kPerTransfer + 1, 2 * kPerTransfer + 5}) {
    SCOPED_TRACE(std::to_string(n) + " entries");
    const std::vector<IndexEntry> entries = numbered_entries(n);
    const auto written = write(entries);
    const auto opened = DiskSegment::open(path());
    EXPECT_EQ(opened->header(), written->header());
    EXPECT_EQ(opened->memory_bytes(), written->memory_bytes());
    EXPECT_EQ(std::filesystem::file_size(path()), segment_file_size(n));
    EXPECT_EQ(opened->read_all(), entries);
    for (const auto& segment : {written, opened}) {
      for (const std::uint32_t i : {0U, n / 2, n - 1}) {
        EXPECT_EQ(segment->lookup(numbered_key(i)), 1000 + i);
      }
      EXPECT_EQ(segment->lookup(numbered_key(n)), std::nullopt);
    }
  }
}

TEST_F(DiskSegmentTest, KeysWithOnePrefix) {
  Hash root;
  root.bytes.fill(0x77);
  std::vector<IndexEntry> entries;
  for (std::uint32_t position = 0; position < 1000; ++position) {
    entries.push_back(add(piece_key(root, 2 * position), 5, position));
  }
  const auto segment = write(entries);
  for (std::uint32_t position = 0; position < 1000; ++position) {
    EXPECT_EQ(segment->lookup(piece_key(root, 2 * position)), position);
    EXPECT_EQ(segment->lookup(piece_key(root, 2 * position + 1)), std::nullopt);
  }
}

TEST_F(DiskSegmentTest, AWindowHasItsFirstHeightAndNotItsLast) {
  const IndexKey key = numbered_key(1);
  const auto segment = write({add(key, -5, 1), add(key, 0, 2), removal(key, 8)});
  EXPECT_EQ(segment->lookup(key, {-5, -4}), 1U);
  EXPECT_EQ(segment->lookup(key, {-100, -5}), std::nullopt);
  EXPECT_EQ(segment->lookup(key, {-4, 0}), std::nullopt);
  EXPECT_EQ(segment->lookup(key, {-5, 0}), 1U);
  EXPECT_EQ(segment->lookup(key, {-5, 1}), 2U);
  EXPECT_EQ(segment->lookup(key, {-5, 8}), 2U);
  EXPECT_EQ(segment->lookup(key, {-5, 9}), kDeletedId);
  EXPECT_EQ(segment->lookup(key, {9, 100}), std::nullopt);
  EXPECT_EQ(segment->lookup(key), kDeletedId);
}

TEST_F(DiskSegmentTest, APairCancelsAlsoAcrossTheEdgeOfABucket) {
  for (const std::uint32_t before :
       {0U, kPerBucket - 3, kPerBucket - 2, kPerBucket - 1, kPerBucket, 2 * kPerBucket - 2}) {
    SCOPED_TRACE(std::to_string(before) + " entries before");
    std::vector<IndexEntry> entries = numbered_entries(before);
    const IndexKey key = numbered_key(before);
    entries.insert(entries.end(), {add(key, 3, 1), add(key, 9, 2), removal(key, 9)});
    const auto segment = write(entries);
    EXPECT_EQ(segment->lookup(key), 1U);
    EXPECT_EQ(segment->lookup(key, {4, 10}), std::nullopt);
    std::vector<FoundVersion> found;
    const KeyQuery query{&key, BloomFilter::hash(key), 0};
    segment->collect_batch({&query, 1}, {}, found);
    EXPECT_EQ(found.size(), 3U);
  }
}

class Batch {
 public:
  explicit Batch(const std::vector<std::uint64_t>& numbers) {
    for (const std::uint64_t number : numbers) {
      keys_.push_back(numbered_key(number));
    }
    for (const IndexKey& key : keys_) {
      queries_.push_back({&key, BloomFilter::hash(key), queries_.size()});
    }
  }
  BatchReads run(const DiskSegment& segment) { return segment.collect_batch(queries_, {}, found); }
  std::vector<FoundVersion> found;

 private:
  std::vector<IndexKey> keys_;
  std::vector<KeyQuery> queries_;
};

TEST_F(DiskSegmentTest, ABatchReadsEachBucketOnceAndNeighboursTogether) {
  const auto segment = write(numbered_entries(40 * kPerBucket));
  const auto in_bucket = [](std::uint64_t bucket, std::uint64_t i) {
    return bucket * kPerBucket + i;
  };
  Batch one({in_bucket(3, 60), in_bucket(3, 1), in_bucket(3, 30), in_bucket(3, 30)});
  BatchReads reads = one.run(*segment);
  EXPECT_EQ(reads.reads, 1U);
  EXPECT_EQ(reads.blocks, DiskSegment::kBlocksPerBucket);
  EXPECT_EQ(one.found.size(), 4U);

  Batch neighbours({in_bucket(6, 5), in_bucket(4, 5), in_bucket(5, 5), in_bucket(20, 5)});
  reads = neighbours.run(*segment);
  EXPECT_EQ(reads.reads, 2U);
  EXPECT_EQ(reads.blocks, 4 * DiskSegment::kBlocksPerBucket);
  EXPECT_EQ(neighbours.found.size(), 4U);

  // The first key of a bucket may have begun in the one before.
  Batch overlapping({in_bucket(10, 0), in_bucket(9, 5), in_bucket(10, 5)});
  reads = overlapping.run(*segment);
  EXPECT_EQ(reads.reads, 1U);
  EXPECT_EQ(reads.blocks, 2 * DiskSegment::kBlocksPerBucket);
  EXPECT_EQ(overlapping.found.size(), 3U);
}

TEST_F(DiskSegmentTest, MergedReadsAreCapped) {
  constexpr std::uint32_t kBuckets = 150;
  static_assert(kBuckets * DiskSegment::kBlocksPerBucket > 2 * DiskSegment::kMaxBlocksPerRead);
  const auto segment = write(numbered_entries(kBuckets * kPerBucket));
  std::vector<std::uint64_t> numbers;
  for (std::uint64_t i = 0; i < kBuckets * kPerBucket; i += 7) {
    numbers.push_back(i);
  }
  std::shuffle(numbers.begin(), numbers.end(), std::mt19937_64(1));
  Batch batch(numbers);
  const BatchReads reads = batch.run(*segment);
  EXPECT_EQ(batch.found.size(), numbers.size());
  EXPECT_EQ(reads.reads, 3U);
  for (const FoundVersion& found : batch.found) {
    EXPECT_EQ(found.version.id, 1000 + numbers[found.slot]);
  }
}

TEST_F(DiskSegmentTest, TheWriterRefusesWhatIsNoSegment) {
  DiskSegmentWriter writer(directory_.path(), 7, 10, 3);
  writer.append(add(numbered_key(5), 3, 1));
  EXPECT_THROW(writer.append(add(numbered_key(4), 3, 1)), InvalidArgument);
  EXPECT_THROW(writer.append(add(numbered_key(5), 2, 1)), InvalidArgument);
  EXPECT_THROW(writer.append(add(numbered_key(5), 3, 2)), InvalidArgument);
  EXPECT_THROW(writer.append(add(numbered_key(6), 3, kUnresolvedId)), InvalidArgument);
  writer.append(removal(numbered_key(5), 3));
  writer.append(add(numbered_key(6), 3, 1));
  EXPECT_THROW(writer.append(add(numbered_key(7), 3, 1)), InvalidArgument);  // the fourth of three
  EXPECT_EQ(writer.finish()->entry_count(), 3U);
}

TEST_F(DiskSegmentTest, WithoutFinishNoFileIsLeft) {
  {
    DiskSegmentWriter writer(directory_.path(), 7, 10);
    writer.append(add(numbered_key(5), 3, 1));
    EXPECT_FALSE(is_empty());
  }
  EXPECT_TRUE(is_empty());
}

// A block far behind the first 4 GiB, in a file that is a hole otherwise.
TEST_F(DiskSegmentTest, OffsetsHave64Bits) {
  constexpr std::uint32_t kBuckets = 1'200'000;
  constexpr std::uint32_t kWanted = 1'150'000;
  DiskSegmentHeader header;
  header.number = 7;
  header.entry_count = kBuckets * kPerBucket;
  header.heights = {0, 100};
  BucketDirectory directory;
  for (std::uint32_t i = 0; i < kBuckets; ++i) {
    directory.add_bucket(numbered_key(std::uint64_t{i} * kPerBucket));
  }
  BloomFilter filter(2 * kPerBucket);
  EntryBlockBuffer blocks(DiskSegment::kBlocksPerBucket);
  for (std::uint32_t i = 0; i < kPerBucket; ++i) {
    const IndexKey key = numbered_key(std::uint64_t{kWanted} * kPerBucket + i);
    filter.insert(BloomFilter::hash(key));
    encode_entry(add(key, 5, i),
                 blocks.block(i / kEntriesPerBlock) + (i % kEntriesPerBlock) * kIndexEntrySize);
  }
  blocks.seal(DiskSegment::kBlocksPerBucket);
  File file = File::open_or_create(path());
  file.resize(segment_file_size(header.entry_count));
  const std::uint64_t offset = entry_block_offset(kWanted * DiskSegment::kBlocksPerBucket);
  ASSERT_GT(offset, std::uint64_t{1} << 32);
  file.write_at(offset, blocks.first(DiskSegment::kBlocksPerBucket));
  const DiskSegment segment(std::move(file), header, std::move(filter), std::move(directory));
  const std::uint64_t first = std::uint64_t{kWanted} * kPerBucket;
  EXPECT_EQ(segment.lookup(numbered_key(first + 30)), 30U);
  Batch batch({first + 1, first + 71});
  EXPECT_EQ(batch.run(segment).reads, 1U);
  ASSERT_EQ(batch.found.size(), 2U);
  EXPECT_EQ(batch.found[1].version.id, 71U);
}

}  // namespace
}  // namespace furrow
