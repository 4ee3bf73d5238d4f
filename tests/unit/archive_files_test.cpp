// Archiving trees of files, with failures at every step.
#include <cstring>
#include <fstream>
#include <set>

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "host/archive/file_tree.hpp"
#include "host/archive/filesystem.hpp"
#include "host/archive/store_layout.hpp"
#include "host/crypto/blake3.hpp"
#include "host/pieces/store_piece_getter.hpp"
#include "host/store/file.hpp"
#include "tests/unit/archive_faults.hpp"
#include "tests/unit/archive_tree.hpp"

namespace furrow {
namespace {

namespace fs = std::filesystem;
using test::dies_at;
using test::example_store;
using test::Fault;
using test::list_tree;
using test::operations_of;
using test::OrdinaryUser;
using test::store_source;
using test::TemporaryDirectory;
using test::write_file;

ArchiveOptions two_threads() {
  ArchiveOptions options;
  options.compute = test::kTwoThreads;
  return options;
}

TEST(FileArchive, ExampleTreeIsDescribed) {
  const ArchiveSummary& summary = example_store().summary;
  EXPECT_EQ(summary.n_files, 11U);
  EXPECT_EQ(summary.n_directories, 6U);
  EXPECT_EQ(summary.n_symlinks, 4U);
  EXPECT_EQ(summary.manifest.entries.size(), 21U);
  EXPECT_EQ(summary.manifest.entries.front().path, "tree");
  EXPECT_EQ(summary.manifest.history_size().count(), 1U);
  EXPECT_EQ(Manifest::load(example_store().store / "manifest.json"), summary.manifest);
  EXPECT_EQ(list_tree(example_store().store).size(), 2U);
  EXPECT_EQ(fs::file_size(example_store().store / "segment-0000000000.pieces"), kSegmentFileSize);
}

TEST(FileArchive, SameTreeGivesTheSameBytes) {
  const TemporaryDirectory directory;
  std::vector<ArchiveProgress> reports;
  ArchiveOptions options = two_threads();
  options.progress = [&](const ArchiveProgress& progress) { reports.push_back(progress); };
  fs::create_directory(directory.path() / "empty store");
  const ArchiveSummary summary =
      archive_files({{example_store().tree / ""}}, directory.path() / "empty store", options);
  EXPECT_EQ(summary.manifest, example_store().summary.manifest);
  for (const char* name : {"manifest.json", "segment-0000000000.pieces"}) {
    EXPECT_EQ(blake3(read_whole_file(directory.path() / "empty store" / name)),
              blake3(read_whole_file(example_store().store / name)))
        << name;
  }
  ASSERT_FALSE(reports.empty());
  EXPECT_EQ(reports.back().bytes_done, summary.n_bytes);
  EXPECT_EQ(reports.back().bytes_total, summary.n_bytes);
  EXPECT_EQ(reports.back().segments_written, 1U);
}

TEST(FileArchive, SeveralPathsAndSegments) {
  const TemporaryDirectory directory;
  const auto big = test::periodic_block(kSegmentSize + 12'345, 9);
  write_file(directory.path() / "z big", big);
  write_file(directory.path() / "small", "small");
  fs::create_symlink("z big", directory.path() / "a link");
  const std::vector<fs::path> paths = {directory.path() / "z big", directory.path() / "a link",
                                       directory.path() / "small"};
  ArchiveOptions options = two_threads();
  options.shard = ShardIndex(12);
  const ArchiveSummary summary = archive_files(paths, directory.path() / "store", options);
  ASSERT_EQ(summary.manifest.segments.size(), 2U);
  ASSERT_EQ(summary.manifest.entries.size(), 3U);
  EXPECT_EQ(summary.manifest.entries[0].path, "a link");
  EXPECT_EQ(summary.manifest.entries[1].path, "small");
  EXPECT_EQ(summary.manifest.entries[2].path, "z big");

  // 128 pieces of the second segment are lost, the first ones of them source pieces.
  const StorePieceGetter getter(directory.path() / "store");
  EXPECT_TRUE(getter.check_files().empty());
  {
    const File file = File::open_or_create(directory.path() / "store/segment-0000000001.pieces");
    const std::vector<std::uint8_t> zeros(64);
    for (unsigned i = 3; i < 131; ++i) {
      file.write_at(element_offset(PiecePosition(static_cast<std::uint8_t>(i))) + 5000, zeros);
    }
  }
  restore_files(summary.manifest, store_source(directory.path() / "store"),
                directory.path() / "out");
  EXPECT_EQ(blake3(read_whole_file(directory.path() / "out/z big")), blake3(big));
  EXPECT_EQ(fs::read_symlink(directory.path() / "out/a link"), "z big");
}

template <class ErrorType>
void expect_refused(const std::vector<fs::path>& paths, const fs::path& directory,
                    const std::string& named) {
  const auto before = list_tree(directory);
  try {
    archive_files(paths, directory / "made/store", two_threads());
    ADD_FAILURE() << "archived";
  } catch (const ErrorType& error) {
    EXPECT_NE(std::string(error.what()).find(named), std::string::npos) << error.what();
  }
  EXPECT_EQ(list_tree(directory), before);
}

TEST(FileArchive, RefusesBeforeAnythingIsWritten) {
  const TemporaryDirectory directory;
  const fs::path& root = directory.path();
  fs::create_directories(root / "a");
  fs::create_directories(root / "b/none");
  write_file(root / "a/same", "1");
  write_file(root / "b/same", "2");
  expect_refused<DuplicateName>({root / "a/same", root / "b/same"}, root, "b/same");
  expect_refused<IoError>({root / "absent"}, root, "absent");
  expect_refused<InvalidArgument>({"/"}, root, "'/'");
  expect_refused<NothingToArchive>({root / "b/none"}, root, "no bytes");
  expect_refused<NothingToArchive>({}, root, "no bytes");
  fs::create_symlink("same", root / "a/link");
  expect_refused<NothingToArchive>({root / "a/link"}, root, "no bytes");
  expect_refused<InvalidArgument>({root}, root, "made/store");
  fs::create_directories(root / "made/store");
  write_file(root / "made/store/segment-0000000000.pieces", "the user's own");
  expect_refused<InvalidArgument>({root / "made/store/segment-0000000000.pieces"}, root,
                                  "made/store");
  remove_tree(root / "made");

  const fs::path fifo = root / "a/fifo";
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  expect_refused<UnsupportedFileType>({root / "a"}, root, "fifo");
  fs::remove(fifo);

  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, (root / "a/sock").c_str(), sizeof address.sun_path - 1);
  const int descriptor = ::socket(AF_UNIX, SOCK_STREAM, 0);
  ASSERT_EQ(::bind(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  ::close(descriptor);
  expect_refused<UnsupportedFileType>({root / "a"}, root, "socket");
  fs::remove(root / "a/sock");

  expect_refused<UnsupportedFileType>({"/dev/null"}, root, "/dev/null");

  write_file(root / "a/bad\xFFname", "3");
  expect_refused<NameNotUtf8>({root / "a"}, root, "bad\\xffname");
  fs::remove(root / "a/bad\xFFname");
  fs::create_symlink("bad\xFFtarget", root / "a/bad link");
  expect_refused<NameNotUtf8>({root / "a"}, root, "bad\\xfftarget");
}

TEST(FileArchive, UnreadableFilesAndDirectoriesAreNamed) {
  const TemporaryDirectory directory;
  const fs::path& root = directory.path();
  set_mode(root, 0777);
  const OrdinaryUser user;
  if (!user.is_set()) {
    GTEST_SKIP() << "cannot become an ordinary user";
  }
  fs::create_directories(root / "a/closed");
  write_file(root / "a/file", "1");
  write_file(root / "a/secret", "2");
  set_mode(root / "a/secret", 0);
  expect_refused<IoError>({root / "a"}, root, "a/secret");
  set_mode(root / "a/secret", 0600);
  set_mode(root / "a/closed", 0);
  try {
    archive_files({{root / "a"}}, root / "store", two_threads());
    ADD_FAILURE() << "archived";
  } catch (const IoError& error) {
    EXPECT_NE(std::string(error.what()).find("a/closed"), std::string::npos) << error.what();
  }
  EXPECT_FALSE(fs::exists(root / "store"));
  set_mode(root / "a/closed", 0700);
}

TEST(FileArchive, LeavesFinishedAndBusyStoresAlone) {
  const TemporaryDirectory directory;
  const fs::path store = directory.path() / "store";
  fs::create_directory(store);
  write_file(directory.path() / "file", "1");
  const std::vector<fs::path> paths = {directory.path() / "file"};
  write_file(store / "manifest.json", "whatever it is");
  write_file(store / "segment-0000000000.pieces", "and this");
  const auto before = list_tree(directory.path());
  EXPECT_THROW(archive_files(paths, store, two_threads()), StoreNotEmpty);
  EXPECT_EQ(list_tree(directory.path()), before);

  fs::remove(store / "manifest.json");
  const File other = File::open_read(store);
  ASSERT_TRUE(other.try_lock());
  EXPECT_THROW(archive_files(paths, store, two_threads()), StoreLocked);
  EXPECT_TRUE(fs::exists(store / "segment-0000000000.pieces"));

  write_file(directory.path() / "no directory", "");
  EXPECT_THROW(archive_files(paths, directory.path() / "no directory", two_threads()), Error);
  EXPECT_THROW(archive_files(paths, directory.path() / "no directory/store", two_threads()), Error);
}

TEST(FileArchive, LeftoversOfAnInterruptedRunAreRemoved) {
  const TemporaryDirectory directory;
  const fs::path store = directory.path() / "store";
  fs::create_directory(store);
  write_file(directory.path() / "file", "1");
  write_file(store / "segment-0000000000.pieces", "old");
  write_file(store / "segment-0000000007.pieces.tmp", "old");
  write_file(store / "manifest.json.tmp", "old");
  write_file(store / "notes", "not ours");
  std::vector<std::string> remarks;
  ArchiveOptions options = two_threads();
  options.log = [&](const std::string& remark) { remarks.push_back(remark); };
  archive_files({{directory.path() / "file"}}, store, options);
  ASSERT_EQ(remarks.size(), 3U);
  EXPECT_NE(remarks[0].find("manifest.json.tmp"), std::string::npos) << remarks[0];
  EXPECT_TRUE(fs::exists(store / "notes"));
  EXPECT_FALSE(fs::exists(store / "segment-0000000007.pieces.tmp"));
  EXPECT_EQ(fs::file_size(store / "segment-0000000000.pieces"), kSegmentFileSize);
}

TEST(FileArchive, FilesThatChangeAreNamed) {
  const TemporaryDirectory directory;
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

// One run for each operation, save for writes in the middle of the segment, which are all alike.
TEST(FileArchive, FailureOfAnyOperationLeavesNothingBehind) {
  const TemporaryDirectory directory;
  const fs::path& root = directory.path();
  write_file(root / "file", "contents");
  const auto archive = [&] { archive_files({{root / "file"}}, root / "new/store", two_threads()); };
  const auto before = list_tree(root);
  const std::vector<FileOperation> operations = operations_of(archive);
  remove_tree(root / "new");
  ASSERT_EQ(std::count(operations.begin(), operations.end(), FileOperation::kWrite), 257);
  for (std::size_t n = 0; n < operations.size(); ++n) {
    const bool is_one_of_many =
        n > 0 && n + 1 < operations.size() && operations[n - 1] == FileOperation::kWrite &&
        operations[n] == FileOperation::kWrite && operations[n + 1] == FileOperation::kWrite;
    if (is_one_of_many && n != operations.size() / 2) {
      continue;
    }
    const Fault fault(n);
    EXPECT_THROW(archive(), IoError) << "operation " << n;
    EXPECT_EQ(list_tree(root), before) << "operation " << n;
  }
}

TEST(FileArchive, KilledRunIsNoArchiveAndTheNextOneSucceeds) {
  const TemporaryDirectory directory;
  const fs::path& root = directory.path();
  const auto archive = [&] {
    ArchiveOptions options;  // no threads: the child has only the one that forked
    archive_files({{example_store().tree}}, root / "store", options);
  };
  // In the middle of the segment file; after its name is final; after the manifest is written.
  for (const std::size_t n : {100U, 261U, 264U}) {
    ASSERT_TRUE(dies_at(n, archive)) << n;
    EXPECT_FALSE(fs::is_empty(root / "store"));
    EXPECT_FALSE(fs::exists(root / "store/manifest.json")) << n;
    EXPECT_THROW(StorePieceGetter(root / "store"), IoError);
  }
  archive();
  EXPECT_EQ(Manifest::load(root / "store/manifest.json"), example_store().summary.manifest);
  EXPECT_EQ(list_tree(root / "store").size(), 2U);
}

}  // namespace
}  // namespace furrow
