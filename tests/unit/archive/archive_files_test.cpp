// SPDX-License-Identifier: Apache-2.0
// Archiving trees of files.
#include <array>
#include <cstring>
#include <optional>
#include <thread>

#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "host/archive/file_tree.hpp"
#include "host/archive/store_place.hpp"
#include "host/base/file.hpp"
#include "host/base/filesystem.hpp"
#include "host/crypto/blake3.hpp"
#include "host/pieces/store_piece_getter.hpp"
#include "host/store/piece_pack.hpp"
#include "host/store/segment_index/age_tiered_index.hpp"
#include "tests/support/temp_directory.hpp"
#include "tests/unit/archive/archive_faults.hpp"
#include "tests/unit/archive/archive_tree.hpp"

namespace furrow {
namespace {

namespace fs = std::filesystem;
using test::contents_of;
using test::example_store;
using test::list_tree;
using test::OrdinaryUser;
using test::store_source;
using test::TempDirectory;
using test::two_threads;
using test::write_file;

TEST(FileArchive, ExampleTreeIsDescribed) {
  const ArchiveSummary& summary = example_store().summary;
  EXPECT_EQ(summary.n_files, 11U);
  EXPECT_EQ(summary.n_directories, 6U);
  EXPECT_EQ(summary.n_symlinks, 4U);
  EXPECT_EQ(summary.manifest.entries.size(), 21U);
  EXPECT_EQ(summary.manifest.entries.front().path, "tree");
  EXPECT_EQ(summary.manifest.history_size().count(), 1U);
  EXPECT_EQ(Manifest::load(example_store().store / "manifest.json"), summary.manifest);
}

// Source pieces compressed, equal pieces of the padding once, parity pieces as they are.
TEST(FileArchive, SegmentsAreFinishedPacks) {
  const PiecePack pack = PiecePack::open(example_store().store / "segment-0000000000.pack");
  const std::span<const PackEntry> entries = pack.table().entries();
  ASSERT_EQ(entries.size(), kNumPieces);
  for (std::size_t i = 0; i < kNumPieces; ++i) {
    EXPECT_EQ(entries[i].header.key.value(), i);
    EXPECT_EQ(entries[i].header.original_size.value(), kPieceSize);
    EXPECT_EQ(entries[i].header.codec() == PackCodec::kRaw, i >= kNumRawRecords) << i;
    EXPECT_NO_THROW(pack.verify(entries[i]));
  }
  EXPECT_EQ(entries[0].header.codec(), PackCodec::kZstd);
  // 25 records of files, so at least the last 64 of 128 are padding.
  EXPECT_GE(pack.statistics().references, 63U);
  EXPECT_LT(pack.file_size(), 130 * kPieceSize);
}

TEST(FileArchive, IndexSaysWhereEveryPieceIs) {
  const auto index = AgeTieredIndex::open_for_lookups(example_store().store / "index");
  EXPECT_EQ(index->status().entries_on_disk, kNumPieces);
  EXPECT_EQ(index->status().segments, 1U);
  const PiecePack pack = PiecePack::open(example_store().store / "segment-0000000000.pack");
  const Hash root = example_store().summary.manifest.segments[0].header.root;
  for (std::uint32_t i = 0; i < kNumPieces; ++i) {
    const std::optional<EntryId> id = index->lookup(piece_key(root, i));
    ASSERT_TRUE(id.has_value()) << i;
    const StorePlace place = StorePlace::from_id(*id);
    const PackEntry& entry = *pack.table().find(i);
    EXPECT_EQ(place.segment, SegmentIndex(0));
    EXPECT_EQ(place.is_shared, entry.header.codec() == PackCodec::kReference);
    EXPECT_EQ(place.offset, pack.table().find_stored(entry.header.hash)->offset) << i;
    EXPECT_EQ(index->lookup(piece_key(root, i), {.before = 1}), std::nullopt);
  }
}

TEST(FileArchive, SameTreeGivesTheSameBytes) {
  const TempDirectory directory;
  std::vector<ArchiveProgress> reports;
  ArchiveOptions options = two_threads();
  options.progress = [&](const ArchiveProgress& progress) { reports.push_back(progress); };
  fs::create_directory(directory.path() / "empty store");
  const ArchiveSummary summary =
      archive_files({{example_store().tree / ""}}, directory.path() / "empty store", options)
          .value();
  EXPECT_EQ(summary.manifest, example_store().summary.manifest);
  EXPECT_EQ(contents_of(directory.path() / "empty store"), contents_of(example_store().store));
  ASSERT_FALSE(reports.empty());
  EXPECT_EQ(reports.back().bytes_done, summary.n_bytes);
  EXPECT_EQ(reports.back().bytes_total, summary.n_bytes);
  EXPECT_EQ(reports.back().segments_written, 1U);
}

TEST(FileArchive, ThreadsDoNotChangeTheBytes) {
  const auto expected = contents_of(example_store().store);
  EXPECT_EQ(expected.size(), 5U);  // manifest and pack; of the index lock, manifest and segment
  for (const unsigned threads : {1U, 7U}) {
    const TempDirectory directory;
    ArchiveOptions options;
    options.compute.threads = threads;
    archive_files({{example_store().tree}}, directory.path() / "store", options);
    EXPECT_EQ(contents_of(directory.path() / "store"), expected) << threads << " threads";
  }
}

TEST(FileArchive, LevelChangesThePacksAndNothingElse) {
  const TempDirectory directory;
  ArchiveOptions options = two_threads();
  options.level = 9;
  const ArchiveSummary summary =
      archive_files({{example_store().tree}}, directory.path() / "store", options).value();
  EXPECT_EQ(summary.manifest, example_store().summary.manifest);
  const PiecePack pack = PiecePack::open(directory.path() / "store/segment-0000000000.pack");
  const PiecePack expected = PiecePack::open(example_store().store / "segment-0000000000.pack");
  EXPECT_NE(pack.file_size(), expected.file_size());
  for (std::size_t i = 0; i < kNumPieces; ++i) {
    EXPECT_EQ(pack.table().find(i)->header.hash, expected.table().find(i)->header.hash) << i;
  }
  for (const int level : {-1, 0, 23}) {
    options.level = level;
    EXPECT_THROW(archive_files({{example_store().tree}}, directory.path() / "new", options),
                 InvalidArgument);
    EXPECT_FALSE(fs::exists(directory.path() / "new")) << level;
  }
}

TEST(FileArchive, SeveralPathsAndSegments) {
  const TempDirectory directory;
  const auto big = test::periodic_block(2 * kSegmentSize - 1'234'567, 9);
  write_file(directory.path() / "z big", big);
  write_file(directory.path() / "small", "small");
  fs::create_symlink("z big", directory.path() / "a link");
  const std::vector<fs::path> paths = {directory.path() / "z big", directory.path() / "a link",
                                       directory.path() / "small"};
  ArchiveOptions options = two_threads();
  options.shard = ShardIndex(12);
  const std::thread::id caller = std::this_thread::get_id();
  std::uint64_t segments_written = 0;
  options.progress = [&](const ArchiveProgress& progress) {
    EXPECT_EQ(std::this_thread::get_id(), caller);
    EXPECT_LE(segments_written, progress.segments_written);
    segments_written = progress.segments_written;
  };
  const ArchiveSummary summary = archive_files(paths, directory.path() / "store", options).value();
  EXPECT_EQ(segments_written, 2U);
  ASSERT_EQ(summary.manifest.segments.size(), 2U);
  ASSERT_EQ(summary.manifest.entries.size(), 3U);
  EXPECT_EQ(summary.manifest.entries[0].path, "a link");
  EXPECT_EQ(summary.manifest.entries[1].path, "small");
  EXPECT_EQ(summary.manifest.entries[2].path, "z big");

  // 128 pieces of the second segment are lost, the first ones of them source pieces.
  const StorePieceGetter getter(directory.path() / "store");
  EXPECT_TRUE(getter.check_files().empty());
  {
    const fs::path path = directory.path() / "store/segment-0000000001.pack";
    const PiecePack pack = PiecePack::open(path);
    EXPECT_EQ(pack.statistics().references, 0U);
    const File file = File::open_or_create(path);
    const std::vector<std::uint8_t> zeros(64);
    for (unsigned i = 3; i < 131; ++i) {
      file.write_at(pack.table().entries()[i].stored_offset() + 100, zeros);
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
  const TempDirectory directory;
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
  write_file(root / "made/store/segment-0000000000.pack", "the user's own");
  expect_refused<InvalidArgument>({root / "made/store/segment-0000000000.pack"}, root,
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
  expect_refused<NameNotUtf8>({root / "a"}, root, "bad\\xFFname");
  fs::remove(root / "a/bad\xFFname");
  fs::create_symlink("bad\xFFtarget", root / "a/bad link");
  expect_refused<NameNotUtf8>({root / "a"}, root, "bad\\xFFtarget");
}

// The same directory under another mount is the same directory.
TEST(FileArchive, AStoreWithinWhatIsArchivedIsSeenThroughMounts) {
  const TempDirectory directory;
  const fs::path& root = directory.path();
  fs::create_directories(root / "source/inner");
  fs::create_directory(root / "view");
  write_file(root / "source/file", "1");
  if (::mount((root / "source").c_str(), (root / "view").c_str(), nullptr, MS_BIND, nullptr) != 0) {
    GTEST_SKIP() << "cannot mount";
  }
  const std::array<fs::path, 1> paths = {root / "source"};
  EXPECT_THROW(archive_files(paths, root / "view/inner/store", {}), InvalidArgument);
  EXPECT_EQ(::umount2((root / "view").c_str(), MNT_DETACH), 0);
  EXPECT_TRUE(fs::is_empty(root / "source/inner"));
}

TEST(FileArchive, UnreadableFilesAndDirectoriesAreNamed) {
  const TempDirectory directory;
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

}  // namespace
}  // namespace furrow
