// SPDX-License-Identifier: Apache-2.0
// What a pack is after its writer was killed, or a call of the system failed, at any moment
// (docs/formats/piece-pack.md).
#include <cerrno>
#include <csignal>
#include <filesystem>
#include <string>

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/store/pack_check.hpp"
#include "tests/support/temp_directory.hpp"
#include "tests/unit/archive/archive_faults.hpp"
#include "tests/unit/store/pack/pack_fixture.hpp"

namespace furrow {
namespace {

using test::Bytes;
using test::TempDirectory;
namespace fs = std::filesystem;

constexpr std::size_t kHalf = 3;

/// The sample pack as a run of the pipeline writes it.
void pack_sample(PiecePackWriter& writer) {
  std::vector<RawChunk> chunks;
  for (const auto& [key, data] : test::sample_chunks()) {
    chunks.push_back({.key = key, .data = data});
  }
  test::ListSource source(std::move(chunks));
  pack_chunks(source, ZstdCompressor(), {.num_workers = 2, .max_chunks_in_flight = 2},
              [&](const PackedChunk& chunk) { writer.append(chunk); });
  writer.finish();
}

void create_sample(const fs::path& file) {
  pack_sample(*PiecePackWriter::create(file));
}

void resume_sample(const fs::path& file) {
  pack_sample(*PiecePackWriter::reopen(file).writer);
}

Bytes expected_bytes() {
  const TempDirectory directory;
  test::make_sample_pack(directory.path() / "a.pack");
  return read_whole_file(directory.path() / "a.pack");
}

/// After a crash: no file, a whole pack, or an unfinished one that leads to the same whole pack.
void expect_completes(const fs::path& file, std::size_t least_frames = 0) {
  static const Bytes expected = expected_bytes();
  if (!fs::exists(file)) {
    EXPECT_EQ(least_frames, 0U);
    create_sample(file);
  } else if (read_whole_file(file) != expected) {
    EXPECT_THROW(PiecePack::open(file), Error);
    const auto reopened = PiecePackWriter::reopen(file);
    EXPECT_GE(reopened.recovery.frames_kept, least_frames);
    pack_sample(*reopened.writer);
  }
  EXPECT_EQ(read_whole_file(file), expected);
  EXPECT_EQ(test::read_all(PiecePack::open(file)), test::sample_as_chunks());
}

TEST(PackCrash, KilledBeforeAnyFileOperationItCanBeGoneOnWith) {
  std::size_t n = 0;
  for (bool has_died = true; has_died && !testing::Test::HasFailure(); ++n) {
    SCOPED_TRACE("killed before file operation " + std::to_string(n));
    const TempDirectory directory;
    const fs::path file = directory.path() / "a.pack";
    has_died = test::dies_at(n, [&] { create_sample(file); });
    expect_completes(file);
  }
  EXPECT_GT(n, 15U);  // the hook was at work
}

TEST(PackCrash, KilledWhileGoingOnItCanBeGoneOnWithAgain) {
  std::size_t n = 0;
  for (bool has_died = true; has_died && !testing::Test::HasFailure(); ++n) {
    SCOPED_TRACE("killed before file operation " + std::to_string(n));
    const TempDirectory directory;
    const fs::path file = directory.path() / "a.pack";
    test::make_unfinished_sample_pack(file, kHalf);
    File::open_or_create(file).write_at(fs::file_size(file), Bytes(40, 0xEE));
    has_died = test::dies_at(n, [&] { resume_sample(file); });
    expect_completes(file, kHalf);
  }
  EXPECT_GT(n, 10U);
}

// Each call in turn: opening, writes, resizing, and the syncs of file and directory.
TEST(PackCrash, AfterAFailureOfAnyFileOperationNoFileIsLeft) {
  for (std::size_t n = 0;; ++n) {
    SCOPED_TRACE("failure of file operation " + std::to_string(n));
    const TempDirectory directory;
    const fs::path file = directory.path() / "a.pack";
    bool has_failed = false;
    {
      const test::Fault fault(n);
      try {
        create_sample(file);
      } catch (const IoError&) {
        has_failed = true;
      }
    }
    if (!has_failed) {
      EXPECT_GT(n, 15U);
      expect_completes(file);
      return;
    }
    EXPECT_FALSE(fs::exists(file));
    ASSERT_FALSE(HasFailure());
  }
}

TEST(PackCrash, AfterAFailureWhileGoingOnTheFramesBeforeAreThere) {
  for (std::size_t n = 0;; ++n) {
    SCOPED_TRACE("failure of file operation " + std::to_string(n));
    const TempDirectory directory;
    const fs::path file = directory.path() / "a.pack";
    test::make_unfinished_sample_pack(file, kHalf);
    const Bytes frames = read_whole_file(file);
    Bytes torn = frames;
    torn.insert(torn.end(), 40, 0xEE);
    File::open_or_create(file).write_at(0, torn);
    bool has_failed = false;
    {
      const test::Fault fault(n);
      try {
        resume_sample(file);
      } catch (const IoError&) {
        has_failed = true;
      }
    }
    if (has_failed) {
      const Bytes left = read_whole_file(file);
      EXPECT_TRUE(left == frames || left == torn);
    }
    expect_completes(file, kHalf);
    if (!has_failed) {
      EXPECT_GT(n, 10U);
      return;
    }
    ASSERT_FALSE(HasFailure());
  }
}

TEST(PackCrash, AWriterThatFailedTakesNothingMore) {
  const TempDirectory directory;
  const fs::path file = directory.path() / "a.pack";
  const auto writer = PiecePackWriter::create(file);
  writer->append(test::packed(1, {1}));
  {
    const test::Fault fault(1);  // behind the header of the frame
    EXPECT_THROW(writer->append(test::packed(2, {2})), IoError);
  }
  EXPECT_THROW(writer->append(test::packed(2, {2})), InvalidArgument);
  EXPECT_THROW(writer->finish(), InvalidArgument);
}

/// Runs `call` in a process whose files cannot grow beyond `limit`: the write that would is cut
/// short, the next one fails. How it ended: 0 well, 1 with an IoError.
template <class Call>
int with_file_size_limit(std::uint64_t limit, Call call) {
  const pid_t child = ::fork();
  if (child == 0) {
    std::signal(SIGXFSZ, SIG_IGN);
    const rlimit bound{limit, limit};
    ::setrlimit(RLIMIT_FSIZE, &bound);
    try {
      call();
    } catch (const IoError& error) {
      ::_exit(error.error_number() == EFBIG ? 1 : 2);
    } catch (...) {
      ::_exit(3);
    }
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(PackCrash, ShortWritesAnywhereLeaveNoFile) {
  const std::uint64_t size = expected_bytes().size();
  for (std::uint64_t limit = 0; limit <= size; limit += limit < size - 29 ? 29 : 1) {
    SCOPED_TRACE("limit " + std::to_string(limit));
    const TempDirectory directory;
    const fs::path file = directory.path() / "a.pack";
    const int expected = limit < size ? 1 : 0;
    ASSERT_EQ(with_file_size_limit(limit, [&] { create_sample(file); }), expected);
    ASSERT_EQ(fs::exists(file), limit == size);
  }
}

// The same, with a process that is gone before it can clear up.
TEST(PackCrash, ShortWritesFollowedByACrashAreATornTail) {
  const std::uint64_t size = expected_bytes().size();
  for (std::uint64_t limit = 0; limit < size; limit += limit < size - 31 ? 31 : 1) {
    SCOPED_TRACE("limit " + std::to_string(limit));
    const TempDirectory directory;
    const fs::path file = directory.path() / "a.pack";
    ASSERT_EQ(with_file_size_limit(limit,
                                   [&] {
                                     const auto writer = PiecePackWriter::create(file);
                                     try {
                                       pack_sample(*writer);
                                     } catch (const IoError&) {
                                       ::_exit(1);
                                     }
                                   }),
              1);
    expect_completes(file);
    ASSERT_FALSE(HasFailure());
  }
}

TEST(PackCrash, NothingIsSaidToBeFinishedBeforeItIsDurable) {
  const TempDirectory directory;
  const fs::path file = directory.path() / "a.pack";
  const auto writer = PiecePackWriter::create(file);
  test::write_sample(*writer);
  std::vector<std::pair<FileOperation, fs::path>> operations;
  set_file_fault_hook([&](FileOperation operation, const fs::path& path) {
    operations.emplace_back(operation, path);
  });
  writer->finish();
  set_file_fault_hook(nullptr);
  const std::vector<std::pair<FileOperation, fs::path>> expected = {
      {FileOperation::kSync, file},   // the frames
      {FileOperation::kWrite, file},  // the table
      {FileOperation::kSync, file},
      {FileOperation::kSync, directory.path()}};
  EXPECT_EQ(operations, expected);
}

}  // namespace
}  // namespace furrow
