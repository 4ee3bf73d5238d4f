// SPDX-License-Identifier: Apache-2.0
// Archiving into stores that are not empty, from files that change, with a stop, a failure or a
// crash at every step.
#include "tests/unit/archive/archive_faults.hpp"

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <iterator>
#include <random>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "host/archive/store_layout.hpp"
#include "host/base/file.hpp"
#include "host/base/filesystem.hpp"
#include "host/pieces/store_piece_getter.hpp"
#include "tests/support/temp_directory.hpp"
#include "tests/unit/archive/archive_tree.hpp"

namespace furrow {
namespace {

namespace fs = std::filesystem;
using test::contents_of;
using test::dies_at;
using test::example_store;
using test::Fault;
using test::list_tree;
using test::operations_of;
using test::TempDirectory;
using test::two_threads;
using test::write_file;

TEST(FileArchiveFaults, LeavesFinishedAndBusyStoresAlone) {
  const TempDirectory directory;
  const fs::path store = directory.path() / "store";
  fs::create_directory(store);
  write_file(directory.path() / "file", "1");
  const std::vector<fs::path> paths = {directory.path() / "file"};
  write_file(store / "manifest.json", "whatever it is");
  write_file(store / "segment-0000000000.pack", "and this");
  const auto before = list_tree(directory.path());
  EXPECT_THROW(archive_files(paths, store, two_threads()), StoreNotEmpty);
  EXPECT_EQ(list_tree(directory.path()), before);

  fs::remove(store / "manifest.json");
  const File other = File::open_read(store);
  ASSERT_TRUE(other.try_lock());
  EXPECT_THROW(archive_files(paths, store, two_threads()), StoreLocked);
  EXPECT_TRUE(fs::exists(store / "segment-0000000000.pack"));

  write_file(directory.path() / "no directory", "");
  EXPECT_THROW(archive_files(paths, directory.path() / "no directory", two_threads()), Error);
  EXPECT_THROW(archive_files(paths, directory.path() / "no directory/store", two_threads()), Error);
}

TEST(FileArchiveFaults, LeftoversOfAnInterruptedRunAreRemoved) {
  const TempDirectory directory;
  const fs::path store = directory.path() / "store";
  fs::create_directories(store / "index");
  write_file(directory.path() / "file", "1");
  write_file(store / "segment-0000000000.pack", "old");
  write_file(store / "segment-0000000007.pack", "old");
  write_file(store / kArchivingMarkName, "");
  write_file(store / ".manifest.json.0123456789abcdef.furrow-tmp", "old");
  write_file(store / "manifest.json.tmp", "not ours");
  write_file(store / "index/lock", "");
  write_file(store / "index/segments.manifest", "old");
  write_file(store / "index/seg_000003.bin", "old");
  write_file(store / "index/seg_000004.bin.tmp", "old");
  write_file(store / "notes", "not ours");
  std::vector<std::string> remarks;
  ArchiveOptions options = two_threads();
  options.log = [&](const std::string& remark) { remarks.push_back(remark); };
  archive_files({{directory.path() / "file"}}, store, options);
  ASSERT_EQ(remarks.size(), 4U);
  EXPECT_NE(remarks[0].find("index"), std::string::npos) << remarks[0];
  EXPECT_NE(remarks[1].find("manifest.json"), std::string::npos) << remarks[1];
  EXPECT_TRUE(fs::exists(store / "manifest.json.tmp"));
  EXPECT_FALSE(fs::exists(store / kArchivingMarkName));
  EXPECT_TRUE(fs::exists(store / "notes"));
  EXPECT_FALSE(fs::exists(store / "segment-0000000007.pack"));
  EXPECT_FALSE(fs::exists(store / "index/seg_000003.bin"));
  EXPECT_TRUE(StorePieceGetter(store).check_files().empty());
}

TEST(FileArchiveFaults, PartsOfAnArchiveThatNoRunExplainsAreLeftAlone) {
  const TempDirectory directory;
  const fs::path store = directory.path() / "store";
  write_file(directory.path() / "file", "1");
  for (const char* name : {"segment-0000000000.pack", "index/lock"}) {
    fs::create_directories((store / name).parent_path());
    write_file(store / name, "somebody keeps the manifest elsewhere");
    const auto before = list_tree(store);
    EXPECT_THROW(archive_files({{directory.path() / "file"}}, store, two_threads()),
                 ForeignStoreFile);
    EXPECT_EQ(list_tree(store), before);
    remove_tree(store);
  }
}

TEST(FileArchiveFaults, AnIndexDirectoryOfSomebodyElseIsLeftAlone) {
  const TempDirectory directory;
  const fs::path store = directory.path() / "store";
  fs::create_directories(store / "index");
  write_file(store / kArchivingMarkName, "");
  write_file(directory.path() / "file", "1");
  write_file(store / "index/lock", "");
  write_file(store / "index/seg_000003.bin", "old");
  write_file(store / "index/photo", "the user's own");
  write_file(store / "segment-0000000000.pack", "old");
  const auto before = list_tree(store);
  EXPECT_THROW(archive_files({{directory.path() / "file"}}, store, two_threads()), InvalidArgument);
  EXPECT_EQ(list_tree(store), before);
  remove_tree(store / "index");
  write_file(store / "index", "a file");
  EXPECT_THROW(archive_files({{directory.path() / "file"}}, store, two_threads()), IoError);
  EXPECT_TRUE(fs::is_regular_file(store / "index"));
}

TEST(FileArchiveFaults, FilesThatChangeAreNamed) {
  const TempDirectory directory;
  const fs::path& root = directory.path();
  write_file(root / "1", test::periodic_block(kArchiveBlockSize * 2, 1));
  write_file(root / "2", test::periodic_block(100, 1));
  for (const auto& [name, size] :
       {std::pair<const char*, std::uintmax_t>{"1", kArchiveBlockSize * 2 - 1},
        {"1", kArchiveBlockSize * 2 + 1},
        {"1", kArchiveBlockSize},
        {"2", 99},
        {"2", 101}}) {
    const std::uintmax_t size_before = fs::file_size(root / name);
    ArchiveOptions options = two_threads();
    options.progress = [&, changed = fs::path(root / name),
                        to = size](const ArchiveProgress& progress) {
      if (progress.bytes_done == kArchiveBlockSize) {
        fs::resize_file(changed, to);
      }
    };
    try {
      archive_files({{root / "1", root / "2"}}, root / "store", options);
      ADD_FAILURE() << "archived";
    } catch (const FileChanged& error) {
      EXPECT_NE(std::string(error.what()).find((root / name).native()), std::string::npos)
          << error.what();
    }
    EXPECT_FALSE(fs::exists(root / "store"));
    fs::resize_file(root / name, size_before);
  }
}

// The last of the files is opened by the thread that feeds the pipeline.
TEST(FileArchiveFaults, FilesThatChangeBehindTheFirstSegmentAreNamed) {
  const TempDirectory directory;
  const fs::path& root = directory.path();
  write_file(root / "1", test::periodic_block(kSegmentSize, 1));
  write_file(root / "2", test::periodic_block(100, 1));
  ArchiveOptions options = two_threads();
  options.progress = [&](const ArchiveProgress& progress) {
    if (progress.bytes_done == kArchiveBlockSize) {
      fs::resize_file(root / "2", 101);
    }
  };
  try {
    archive_files({{root / "1", root / "2"}}, root / "store", options);
    ADD_FAILURE() << "archived";
  } catch (const FileChanged& error) {
    EXPECT_NE(std::string(error.what()).find((root / "2").native()), std::string::npos)
        << error.what();
  }
  EXPECT_FALSE(fs::exists(root / "store"));
}

TEST(FileArchiveFaults, AStopLeavesNothingBehind) {
  const TempDirectory directory;
  const fs::path& root = directory.path();
  write_file(root / "file", test::periodic_block(kSegmentSize + 5, 1));
  const auto before = list_tree(root);
  using Moment = std::function<bool(const ArchiveProgress&)>;
  const Moment moments[] = {
      [](const ArchiveProgress& now) { return now.bytes_done == kArchiveBlockSize; },
      [](const ArchiveProgress& now) { return now.bytes_done >= kSegmentSize; },
      [](const ArchiveProgress& now) { return now.segments_written == 1; }};
  for (std::size_t i = 0; i < std::size(moments); ++i) {
    std::stop_source stop;
    ArchiveOptions options = two_threads();
    options.stop = stop.get_token();
    options.progress = [&](const ArchiveProgress& now) {
      if (moments[i](now)) {
        stop.request_stop();
      }
    };
    EXPECT_FALSE(archive_files({{root / "file"}}, root / "store", options)) << i;
    EXPECT_TRUE(stop.stop_requested()) << i;
    EXPECT_EQ(list_tree(root), before) << i;
  }
  std::stop_source stop;
  stop.request_stop();
  ArchiveOptions options = two_threads();
  options.stop = stop.get_token();
  EXPECT_FALSE(archive_files({{root / "file"}}, root / "store", options));
  EXPECT_EQ(list_tree(root), before);
}

TEST(FileArchiveFaults, AnObserverThatThrowsEndsNothing) {
  const TempDirectory directory;
  const fs::path& root = directory.path();
  write_file(root / "file", test::periodic_block(5, 1));
  ArchiveOptions options = two_threads();
  options.progress = [](const ArchiveProgress&) { throw Error(ErrorKind::kIo, "no terminal"); };
  const std::optional<ArchiveSummary> summary =
      archive_files({{root / "file"}}, root / "store", options);
  ASSERT_TRUE(summary.has_value());
  EXPECT_EQ(summary->n_bytes, 5U);
}

/// Of operations, those that are not in the middle of a row of writes, which are all alike.
std::vector<std::size_t> different_ones(const std::vector<FileOperation>& operations) {
  std::vector<std::size_t> result;
  for (std::size_t n = 0; n < operations.size(); ++n) {
    const bool is_one_of_many =
        n > 0 && n + 1 < operations.size() && operations[n - 1] == FileOperation::kWrite &&
        operations[n] == FileOperation::kWrite && operations[n + 1] == FileOperation::kWrite;
    if (!is_one_of_many || n == operations.size() / 2) {
      result.push_back(n);
    }
  }
  return result;
}

/// Each of them takes the archiving of a segment. All are tried when FURROW_LONG_TESTS is set; else the
/// first, the last, those that are `named`, and as many as make it six, drawn by a seed that is printed.
std::vector<std::size_t> some_of(const std::vector<std::size_t>& all,
                                 std::set<std::size_t> named = {}) {
  if (std::getenv("FURROW_LONG_TESTS") != nullptr) {
    return all;
  }
  constexpr std::size_t kTried = 6;
  const unsigned seed = std::random_device{}();
  std::cout << "operations drawn by seed " << seed << std::endl;
  std::vector<std::size_t> drawn = all;
  std::shuffle(drawn.begin(), drawn.end(), std::mt19937(seed));
  named.insert({all.front(), all.back()});
  for (auto next = drawn.begin(); named.size() < kTried && next != drawn.end(); ++next) {
    named.insert(*next);
  }
  return {named.begin(), named.end()};
}

TEST(FileArchiveFaults, FailureOfAnyOperationLeavesNothingBehind) {
  const TempDirectory directory;
  const fs::path& root = directory.path();
  write_file(root / "file", "contents");
  ArchiveOptions options = two_threads();
  options.make_directory = MakeDirectory::kParents;
  const auto archive = [&] { archive_files({{root / "file"}}, root / "new/store", options); };
  const auto before = list_tree(root);
  const std::vector<FileOperation> operations = operations_of(archive);
  remove_tree(root / "new");
  ASSERT_GT(std::count(operations.begin(), operations.end(), FileOperation::kWrite), 2 * 128);
  for (const std::size_t n : some_of(different_ones(operations))) {
    const Fault fault(n);
    EXPECT_THROW(archive(), IoError) << "operation " << n;
    EXPECT_EQ(list_tree(root), before) << "operation " << n;
  }
}

TEST(FileArchiveFaults, KilledRunIsNoArchiveAndTheNextOneSucceeds) {
  const TempDirectory directory;
  const fs::path store = directory.path() / "store";
  fs::create_directory(store);
  const auto archive = [&] {
    ArchiveOptions options;  // one thread: the child has only the one that forked
    archive_files({{example_store().tree}}, store, options);
  };
  const auto expected = contents_of(example_store().store);
  const std::vector<FileOperation> operations = operations_of(archive);
  const auto manifest_is_there =
      std::find(operations.rbegin(), operations.rend(), FileOperation::kRename);
  const auto n_before = static_cast<std::size_t>(operations.rend() - manifest_is_there);
  const auto begin_anew = [&] {
    remove_tree(store);
    fs::create_directory(store);
  };
  for (const std::size_t n : some_of(different_ones(operations), {n_before - 1, n_before})) {
    SCOPED_TRACE("killed before file operation " + std::to_string(n));
    begin_anew();
    ASSERT_TRUE(dies_at(n, archive));
    ASSERT_EQ(fs::exists(store / "manifest.json"), n >= n_before);
    if (n < n_before) {
      EXPECT_THROW(StorePieceGetter{store}, IoError);
    } else {
      fs::remove(store / kArchivingMarkName);  // means nothing beside a manifest
      EXPECT_EQ(contents_of(store), expected);
    }
  }
  // Over what one killed run left, and over what two did.
  for (const std::size_t n : {n_before - 1, operations.size() / 2, std::size_t{5}}) {
    begin_anew();
    ASSERT_TRUE(dies_at(n, archive));
    dies_at(operations.size() / 2, archive);
    archive();
    EXPECT_EQ(contents_of(store), expected) << "killed before file operation " << n;
  }
}

}  // namespace
}  // namespace furrow
