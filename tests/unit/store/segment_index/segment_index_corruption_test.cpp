// SPDX-License-Identifier: Apache-2.0
// Damage of every kind to segments and manifests: always a typed error, never an answer.
#include <string>

#include <gtest/gtest.h>

#include "host/store/segment_index/age_tiered_index.hpp"
#include "host/store/segment_index/disk_segment_writer.hpp"
#include "host/store/segment_index/index_errors.hpp"
#include "tests/support/temp_directory.hpp"
#include "tests/unit/store/segment_index/segment_index_model.hpp"

namespace furrow {
namespace {

using test::add;
using test::numbered_entries;
using test::numbered_key;
using test::TempDirectory;

void put(const std::filesystem::path& path, std::span<const std::uint8_t> bytes) {
  const File file = File::open_or_create(path);
  file.resize(bytes.size());
  file.write_at(0, bytes);
}

void flip(const std::filesystem::path& path, std::uint64_t offset) {
  const File file = File::open_or_create(path);
  std::array<std::uint8_t, 1> byte{};
  file.read_at(offset, byte);
  byte[0] ^= 0x40;
  file.write_at(offset, byte);
}

/// An index with one flushed segment and nothing in memory.
class CorruptIndexTest : public ::testing::Test {
 protected:
  CorruptIndexTest() {
    const auto index = AgeTieredIndex::open(path_);
    index->append(numbered_entries(kEntries));
    index->flush();
  }
  static constexpr std::uint32_t kEntries = 40;
  TempDirectory directory_;
  std::filesystem::path path_ = directory_.path() / "index";
  std::filesystem::path segment_ = path_ / "seg_000000.bin";
  std::filesystem::path manifest_ = path_ / kIndexManifestName;
};

TEST_F(CorruptIndexTest, EveryByteOfASegment) {
  const std::vector<std::uint8_t> good = read_whole_file(segment_);
  for (std::size_t i = 0; i < good.size(); ++i) {
    std::vector<std::uint8_t> bad = good;
    bad[i] ^= static_cast<std::uint8_t>(1U << (i % 8));
    put(segment_, bad);
    try {
      DiskSegment::open(segment_);
      ADD_FAILURE() << "byte " << i << " may be changed";
    } catch (const Error& error) {
      EXPECT_TRUE(error.kind() == ErrorKind::kCorrupt || error.kind() == ErrorKind::kMismatch)
          << error.what();
      EXPECT_NE(std::string(error.what()).find("seg_000000.bin"), std::string::npos);
    }
  }
}

TEST_F(CorruptIndexTest, EveryLengthOfASegment) {
  std::vector<std::uint8_t> bytes = read_whole_file(segment_);
  bytes.push_back(0);
  for (std::size_t size = 0; size <= bytes.size(); ++size) {
    put(segment_, std::span(bytes).first(size));
    if (size + 1 == bytes.size()) {
      EXPECT_EQ(AgeTieredIndex::open(path_)->status().entries_on_disk, kEntries);
    } else {
      EXPECT_THROW(AgeTieredIndex::open(path_), InvalidBytesLength) << size << " bytes";
    }
  }
}

TEST_F(CorruptIndexTest, EveryByteAndLengthOfTheManifest) {
  std::vector<std::uint8_t> good = read_whole_file(manifest_);
  for (std::size_t i = 0; i < good.size(); ++i) {
    std::vector<std::uint8_t> bad = good;
    bad[i] ^= static_cast<std::uint8_t>(1U << (i % 8));
    put(manifest_, bad);
    EXPECT_THROW(AgeTieredIndex::open(path_), Error) << "byte " << i;
  }
  good.push_back(0);
  for (std::size_t size = 0; size <= good.size(); ++size) {
    if (size + 1 != good.size()) {
      put(manifest_, std::span(good).first(size));
      EXPECT_THROW(AgeTieredIndex::open(path_), Error) << size << " bytes";
    }
  }
  EXPECT_TRUE(std::filesystem::exists(segment_));  // no refused opening cleans up
}

TEST_F(CorruptIndexTest, FilesThatAreMissingOrAnothersAreRefused) {
  const std::vector<std::uint8_t> manifest = read_whole_file(manifest_);
  std::filesystem::remove(manifest_);
  EXPECT_THROW(AgeTieredIndex::open(path_), IndexManifestMissing);
  put(manifest_, manifest);
  const std::vector<std::uint8_t> segment = read_whole_file(segment_);
  std::filesystem::remove(segment_);
  EXPECT_THROW(AgeTieredIndex::open(path_), IoError);
  {
    DiskSegmentWriter writer(path_, 0, 1);
    writer.append(add(numbered_key(1), 1, 1));
    writer.finish();
  }
  EXPECT_THROW(AgeTieredIndex::open(path_), MalformedData);
  put(segment_, segment);
  EXPECT_EQ(AgeTieredIndex::open(path_)->lookup(numbered_key(3)), 1003U);
}

TEST_F(CorruptIndexTest, DamageAfterOpeningIsAnErrorOfTheLookup) {
  const auto index = AgeTieredIndex::open(path_);
  const std::vector<IndexKey> keys = {numbered_key(3), numbered_key(39)};
  for (const std::uint64_t offset :
       {entry_block_offset(0), entry_block_offset(1) + 500, entry_block_offset(3) - 1}) {
    SCOPED_TRACE("offset " + std::to_string(offset));
    flip(segment_, offset);
    EXPECT_THROW((void)index->lookup(keys[0]), ChecksumMismatch);
    std::vector<EntryId> ids(keys.size(), kUnresolvedId);
    EXPECT_THROW(index->batch_lookup(keys, ids), ChecksumMismatch);
    EXPECT_EQ(ids, std::vector(keys.size(), kUnresolvedId));
    EXPECT_THROW(index->compact_all(), ChecksumMismatch);
    flip(segment_, offset);
    EXPECT_EQ(index->lookup(keys[0]), 1003U);
  }
  std::filesystem::resize_file(segment_, entry_block_offset(2));
  EXPECT_THROW((void)index->lookup(keys[1]), IoError);
}

// A disk that gives a sound block of another place, or of another segment.
TEST(CorruptIndex, AWholeBlockInTheWrongPlaceIsAnError) {
  const TempDirectory directory;
  constexpr std::uint32_t kBuckets = 3;
  DiskSegmentWriter writer(directory.path(), 0, 1000);
  for (const IndexEntry& entry :
       numbered_entries(kBuckets * DiskSegment::kBlocksPerBucket * kEntriesPerBlock)) {
    writer.append(entry);
  }
  const auto segment = writer.finish();
  const std::vector<std::uint8_t> good = read_whole_file(segment->path());
  const IndexKey wanted = numbered_key(DiskSegment::kBlocksPerBucket * kEntriesPerBlock + 30);
  for (const std::uint32_t from : {0U, 1U, 4U, 5U, 6U, 8U, 11U}) {
    for (const std::uint32_t to : {4U, 5U, 6U, 7U}) {
      if (from == to) {
        continue;
      }
      SCOPED_TRACE("block " + std::to_string(from) + " in place of " + std::to_string(to));
      std::vector<std::uint8_t> bad = good;
      std::copy_n(good.begin() + static_cast<std::ptrdiff_t>(entry_block_offset(from)),
                  kEntryBlockSize,
                  bad.begin() + static_cast<std::ptrdiff_t>(entry_block_offset(to)));
      put(segment->path(), bad);
      EXPECT_THROW((void)segment->lookup(wanted), MalformedData);
      EXPECT_THROW(DiskSegment::open(segment->path()), Error);
    }
  }
}

}  // namespace
}  // namespace furrow
