// SPDX-License-Identifier: Apache-2.0
// The paged store on disk: opened again, locked, damaged.
#include <fstream>

#include <gtest/gtest.h>

#include "host/store/paged_store/paged_store_check.hpp"
#include "host/store/paged_store/rocksdb_backend.hpp"
#include "tests/support/temp_directory.hpp"
#include "tests/unit/store/paged_store/paged_objects.hpp"

namespace furrow {
namespace {

using test::chain;
using test::count_records;
using test::kByHand;
using test::Node;
using test::node;
using test::TempDirectory;

constexpr RocksDbOptions kSmall{.cache_bytes = 1U << 20, .write_buffer_bytes = 1U << 16};

TEST(RocksDbBackend, EverythingIsThereAfterOpeningAgain) {
  const TempDirectory directory;
  const std::filesystem::path path = directory.path() / "db";
  DataKey key;
  {
    PagedStore store(open_rocksdb_backend(path), {}, kByHand);
    key = store.page_out(node(9, {chain(3), node(5)}));
    store.write_value("root", key);
    store.flush();
  }
  PagedStore store(open_rocksdb_backend(path), {}, kByHand);
  ASSERT_EQ(store.fetch_value<DataKey>("root"), key);
  const auto root = store.fetch<Node>(key);
  EXPECT_EQ(root->value, 9U);
  EXPECT_EQ(store.load(root->children[1])->value, 5U);
  EXPECT_EQ(count_records(store.backend()), 5U);
  EXPECT_EQ(store.page_out(node(9, {chain(3), node(5)})), key);
  EXPECT_EQ(count_records(store.backend()), 5U);
}

TEST(RocksDbBackend, LargeObjectsComeBackThroughTablesAndBlobs) {
  const TempDirectory directory;
  std::vector<DataKey> keys;
  for (const bool is_first : {true, false}) {
    PagedStore store(open_rocksdb_backend(directory.path() / "db", kSmall), {}, kByHand);
    for (std::uint16_t i = 0; i < 40; ++i) {
      SectorMetadata metadata;
      metadata.sector_index = SectorIndex(i);
      metadata.pieces_in_sector = 1000;
      metadata.s_bucket_sizes[i] = i;
      const DataKey key =
          store.page_out(Paged(std::make_shared<const SectorMetadata>(std::move(metadata))));
      if (is_first) {
        keys.push_back(key);
      }
      EXPECT_EQ(key, keys.at(i));
      EXPECT_EQ(store.fetch<SectorMetadata>(keys[i / 2])->s_bucket_sizes[i / 2], i / 2);
    }
    EXPECT_EQ(check_paged_store(store.backend()).records, 40U);
    EXPECT_TRUE(check_paged_store(store.backend()).broken.empty());
  }
}

TEST(RocksDbBackend, OneAtATimeMayOpenADatabase) {
  const TempDirectory directory;
  const auto first = open_rocksdb_backend(directory.path() / "db");
  try {
    open_rocksdb_backend(directory.path() / "db");
    ADD_FAILURE() << "expected BackendError";
  } catch (const BackendError& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kIo);
    const std::string message = error.what();
    EXPECT_NE(message.find("cannot open database " + (directory.path() / "db").native()),
              std::string::npos)
        << message;
    EXPECT_NE(message.find("lock"), std::string::npos) << message;
  }
}

TEST(RocksDbBackend, APlaceThatCannotBeIsAnError) {
  const TempDirectory directory;
  std::ofstream(directory.path() / "file") << "no directory";
  EXPECT_THROW(open_rocksdb_backend(directory.path() / "file"), BackendError);
  EXPECT_THROW(open_rocksdb_backend(directory.path() / "file" / "db"), BackendError);
}

/// Flips one bit in the middle of every file whose name ends like this. How many there were.
std::size_t damage_files(const std::filesystem::path& directory, const std::string& ending) {
  std::size_t damaged = 0;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    if (entry.path().extension() != ending || entry.file_size() == 0) {
      continue;
    }
    std::fstream file(entry.path(), std::ios::in | std::ios::out | std::ios::binary);
    const auto middle = static_cast<std::streamoff>(entry.file_size() / 2);
    file.seekg(middle);
    const int byte = file.get();
    file.seekp(middle);
    file.put(static_cast<char>(byte ^ 1));
    ++damaged;
  }
  return damaged;
}

/// Writes about 2 MB.
std::vector<DataKey> write_much(const std::filesystem::path& path, const RocksDbOptions& options) {
  PagedStore store(open_rocksdb_backend(path, options), {}, kByHand);
  std::vector<DataKey> keys;
  for (std::uint64_t i = 0; i < 400; ++i) {
    std::vector<Paged<Node>> children(300, node(i));
    keys.push_back(store.page_out(node(1000 + i, std::move(children))));
  }
  store.flush();
  return keys;
}

/// Whatever comes back is what was written, and something is said of the rest.
void expect_damage_is_noticed(const std::string& ending, const RocksDbOptions& options) {
  const TempDirectory directory;
  const std::vector<DataKey> keys = write_much(directory.path() / "db", options);
  ASSERT_GT(damage_files(directory.path() / "db", ending), 0U);
  std::size_t errors = 0;
  try {
    PagedStore store(open_rocksdb_backend(directory.path() / "db", options), {}, kByHand);
    for (std::uint64_t i = 0; i < keys.size(); ++i) {
      try {
        EXPECT_EQ(store.fetch<Node>(keys[i])->value, 1000 + i);
      } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::kCorrupt) << error.what();
        ++errors;
      }
    }
  } catch (const BackendError& error) {
    EXPECT_EQ(error.reason(), BackendError::Reason::kCorrupt) << error.what();
    ++errors;
  }
  EXPECT_GT(errors, 0U);
}

// Small buffers are written out all the time.
TEST(RocksDbBackend, DamageOfBlobFilesIsNoticed) {
  expect_damage_is_noticed(".blob", kSmall);
}

// Large buffers leave everything in the log.
TEST(RocksDbBackend, DamageInTheMiddleOfTheLogIsNoticed) {
  expect_damage_is_noticed(".log", {});
}

}  // namespace
}  // namespace furrow
