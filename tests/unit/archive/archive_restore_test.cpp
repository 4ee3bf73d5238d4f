// SPDX-License-Identifier: Apache-2.0
// Restoring trees of files, with failures at every step.
#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "host/base/file.hpp"
#include "host/base/filesystem.hpp"
#include "tests/support/temp_directory.hpp"
#include "tests/unit/archive/archive_faults.hpp"
#include "tests/unit/archive/archive_tree.hpp"

namespace furrow {
namespace {

namespace fs = std::filesystem;
using test::describe_tree;
using test::dies_at;
using test::example_store;
using test::Fault;
using test::list_tree;
using test::operations_of;
using test::OrdinaryUser;
using test::store_source;
using test::TempDirectory;
using test::write_file;

/// Gives a copy of the records of the example store, read once.
SegmentSource cached_source() {
  static const SourceRecords records = store_source(example_store().store)(SegmentIndex(0));
  return [](SegmentIndex) {
    SourceRecords copy;
    std::memcpy(copy.bytes().data(), records.bytes().data(), kSegmentSize);
    return copy;
  };
}

/// Names in a directory, sorted.
std::vector<std::string> list_directory(const fs::path& directory) {
  std::vector<std::string> names;
  for (const fs::directory_entry& entry : fs::directory_iterator(directory)) {
    names.push_back(entry.path().filename());
  }
  std::sort(names.begin(), names.end());
  return names;
}

TEST(FileRestore, RestoredTreeIsTheSame) {
  const TempDirectory directory;
  std::uint64_t bytes_done = 0;
  RestoreOptions options;
  options.make_directory = MakeDirectory::kParents;
  options.progress = [&](const RestoreProgress& progress) {
    EXPECT_EQ(progress.bytes_total, example_store().summary.n_bytes);
    bytes_done = progress.bytes_done;
  };
  restore_files(example_store().summary.manifest, store_source(example_store().store),
                directory.path() / "new/out", options);
  EXPECT_EQ(describe_tree(directory.path() / "new/out/tree"), describe_tree(example_store().tree));
  EXPECT_EQ(bytes_done, example_store().summary.n_bytes);
  EXPECT_EQ(list_tree(directory.path() / "new").size(), 22U);
}

TEST(FileRestore, AnObserverThatThrowsEndsNothing) {
  const TempDirectory directory;
  RestoreOptions options;
  options.progress = [](const RestoreProgress&) { throw Error(ErrorKind::kIo, "no terminal"); };
  EXPECT_TRUE(restore_files(example_store().summary.manifest, cached_source(),
                            directory.path() / "out", options));
  EXPECT_EQ(describe_tree(directory.path() / "out/tree"), describe_tree(example_store().tree));
}

TEST(FileRestore, AStopLeavesNothingBehind) {
  const TempDirectory directory;
  std::stop_source stop;
  RestoreOptions options;
  options.stop = stop.get_token();
  options.progress = [&](const RestoreProgress&) { stop.request_stop(); };
  EXPECT_FALSE(restore_files(example_store().summary.manifest, cached_source(),
                             directory.path() / "out", options));
  EXPECT_TRUE(list_tree(directory.path()).empty());
}

TEST(FileRestore, ReadOnlyDirectoriesDoNotStandInTheWay) {
  example_store();  // made by the owner of the tests
  const TempDirectory directory;
  const fs::path& root = directory.path();
  set_mode(root, 0777);
  const SegmentSource source = cached_source();
  const OrdinaryUser user;
  if (!user.is_set()) {
    GTEST_SKIP() << "cannot become an ordinary user";
  }
  const std::size_t n_operations =
      operations_of([&] {
        restore_files(example_store().summary.manifest, source, root / "counted");
      }).size();
  EXPECT_EQ(mode_of(root / "counted/tree/read-only directory"), 0555U);
  remove_tree(root / "counted");
  // The last operations come when modes are set; failing there, everything still goes.
  for (std::size_t n = n_operations - 6; n < n_operations; ++n) {
    const Fault fault(n);
    EXPECT_THROW(restore_files(example_store().summary.manifest, source, root / "out"), IoError);
    EXPECT_TRUE(fs::is_empty(root)) << "operation " << n;
  }
}

void restore_example(const fs::path& target) {
  restore_files(example_store().summary.manifest, cached_source(), target);
}

TEST(FileRestore, FailureOfAnyOperationLeavesNothingBehind) {
  const TempDirectory directory;
  const fs::path& root = directory.path();
  fs::create_directory(root / "empty");
  set_mode(root / "empty", 0750);
  const std::size_t n_operations = operations_of([&] { restore_example(root / "counted"); }).size();
  remove_tree(root / "counted");
  const auto before = list_tree(root);
  EXPECT_GT(n_operations, 30U);
  for (std::size_t n = 0; n < n_operations; ++n) {
    const Fault fault(n);
    EXPECT_THROW(restore_example(root / "empty"), IoError) << "operation " << n;
    EXPECT_EQ(list_tree(root), before) << "operation " << n;
    EXPECT_EQ(mode_of(root / "empty"), 0750U);
  }
  for (const std::size_t n : {0UL, n_operations / 2, n_operations - 1}) {
    const Fault fault(n);
    RestoreOptions options;
    options.make_directory = MakeDirectory::kParents;
    EXPECT_THROW(restore_files(example_store().summary.manifest, cached_source(),
                               root / "made/for it", options),
                 IoError)
        << "operation " << n;
    EXPECT_EQ(list_tree(root), before) << "operation " << n;
  }
  restore_example(root / "empty/");
  EXPECT_EQ(mode_of(root / "empty"), 0750U);
  EXPECT_EQ(describe_tree(root / "empty/tree"), describe_tree(example_store().tree));
}

TEST(FileRestore, KilledRunLeavesNoTargetAndTheNextOneSucceeds) {
  const TempDirectory directory;
  const fs::path& root = directory.path();
  const std::size_t n_operations = operations_of([&] { restore_example(root / "counted"); }).size();
  remove_tree(root / "counted");
  // Before the rename nothing is there; before the last operation, a sync, all of it is.
  for (std::size_t n = 0; n + 1 < n_operations; n += 5) {
    ASSERT_TRUE(dies_at(n, [&] { restore_example(root / "out"); })) << n;
    EXPECT_FALSE(fs::exists(root / "out")) << "operation " << n;
    EXPECT_EQ(list_directory(root).size(), 1U) << "operation " << n;
  }
  std::vector<std::string> remarks;
  RestoreOptions options;
  options.log = [&](const std::string& remark) { remarks.push_back(remark); };
  restore_files(example_store().summary.manifest, cached_source(), root / "out", options);
  EXPECT_EQ(remarks.size(), 1U);
  EXPECT_EQ(describe_tree(root / "out/tree"), describe_tree(example_store().tree));
  EXPECT_EQ(list_directory(root), std::vector<std::string>{"out"});
}

TEST(FileRestore, TargetsAreMadeAsFarAsWanted) {
  const TempDirectory directory;
  const fs::path& root = directory.path();
  EXPECT_THROW(restore_example(root / "missing/out"), ParentMissing);
  RestoreOptions options;
  options.make_directory = MakeDirectory::kNever;
  EXPECT_THROW(
      restore_files(example_store().summary.manifest, cached_source(), root / "out", options),
      IoError);
  EXPECT_TRUE(fs::is_empty(root));
  EXPECT_THROW(restore_example("/proc"), TargetNotEmpty);
}

TEST(FileRestore, TargetsInUseAreLeftAlone) {
  const TempDirectory directory;
  const fs::path& root = directory.path();
  fs::create_directory(root / "full");
  write_file(root / "full/file", "1");
  write_file(root / "file", "1");
  fs::create_symlink("nowhere", root / "dangling");
  for (const char* name : {"full", "file", "dangling"}) {
    EXPECT_THROW(restore_example(root / name), TargetNotEmpty) << name;
  }
  const fs::path busy = root / ".busy.0123456789abcdef.furrow-partial";
  fs::create_directory(busy);
  {
    const File other = File::open_read(busy);
    ASSERT_TRUE(other.try_lock());
    EXPECT_THROW(restore_example(root / "busy"), TargetLocked);
    EXPECT_TRUE(fs::exists(busy));
    EXPECT_EQ(list_tree(root).size(), 5U);
  }
  // Names that are not those of a run for this target.
  fs::create_directory(root / ".busy.furrow-partial");
  write_file(root / ".busy.0123456789abcdee.furrow-partial", "a file");
  fs::create_directory(root / ".other.0123456789abcdef.furrow-partial");
  restore_example(root / "busy");
  EXPECT_FALSE(fs::exists(busy));
  EXPECT_EQ(list_directory(root).size(), 7U);
}

TEST(FileRestore, OtherContentsThanPromisedAreNamed) {
  const TempDirectory directory;
  const auto expect_mismatch = [&](const Manifest& manifest, const SegmentSource& source,
                                   const std::string& named) {
    try {
      restore_files(manifest, source, directory.path() / "out");
      ADD_FAILURE() << "restored";
    } catch (const RestoreMismatch& error) {
      EXPECT_NE(std::string(error.what()).find(named), std::string::npos) << error.what();
    }
    EXPECT_TRUE(fs::is_empty(directory.path()));
  };
  Manifest manifest = example_store().summary.manifest;
  const auto entry = std::find_if(manifest.entries.begin(), manifest.entries.end(),
                                  [](const ManifestEntry& e) { return e.path == "tree/one byte"; });
  ASSERT_NE(entry, manifest.entries.end());
  entry->contents.bytes[0] ^= 1;
  expect_mismatch(manifest, cached_source(), "tree/one byte");
  entry->contents.bytes[0] ^= 1;
  entry->size = 2;
  expect_mismatch(manifest, cached_source(), "tree/one byte");
  entry->size = 1;
  // A byte of a block, then a segment of padding only.
  expect_mismatch(
      manifest,
      [](SegmentIndex segment) {
        SourceRecords records = cached_source()(segment);
        records.bytes()[kSegmentSize / 10] ^= 1;
        return records;
      },
      "tree/block");
  expect_mismatch(
      manifest, [](SegmentIndex) { return SourceRecords(); }, "ends before block 0");
  EXPECT_THROW(
      restore_files(
          manifest, [](SegmentIndex) -> SourceRecords { throw MalformedData("no such segment"); },
          directory.path() / "out"),
      MalformedData);
  EXPECT_TRUE(fs::is_empty(directory.path()));
}

TEST(FileRestore, ManifestIsCheckedFirst) {
  const TempDirectory directory;
  Manifest manifest = example_store().summary.manifest;
  manifest.entries.back().path = "../escaped";
  EXPECT_THROW(restore_files(manifest, cached_source(), directory.path() / "out"), InvalidManifest);
  EXPECT_TRUE(fs::is_empty(directory.path()));
}

}  // namespace
}  // namespace furrow
