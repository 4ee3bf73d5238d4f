// SPDX-License-Identifier: Apache-2.0
// Outputs that a user names, and files that get their names when they are whole.
#include "host/base/output_file.hpp"

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <set>
#include <sstream>
#include <thread>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/base/pending_file.hpp"
#include "tests/support/other_threads.hpp"
#include "tests/support/temp_directory.hpp"

namespace furrow {
namespace {

namespace fs = std::filesystem;

std::span<const std::uint8_t> bytes_of_text(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

void put(const fs::path& path, std::string_view text) {
  std::ofstream(path, std::ios::binary) << text;
}

std::string text_of(const fs::path& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

std::set<std::string> names_in(const fs::path& directory) {
  std::set<std::string> names;
  for (const fs::directory_entry& entry : fs::directory_iterator(directory)) {
    names.insert(entry.path().filename());
  }
  return names;
}

void write(const fs::path& path, std::string_view text, bool may_replace = false) {
  EXPECT_TRUE(OutputFile(path, may_replace).write(bytes_of_text(text), {}));
}

/// Runs `body` in a process that ends without destructors.
int in_child(const std::function<int()>& body) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::_exit(body());
  }
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

class OutputFileTest : public testing::Test {
 protected:
  [[nodiscard]] fs::path at(const char* name) const { return directory_.path() / name; }

  test::TempDirectory directory_;
};

TEST_F(OutputFileTest, MakesANewFile) {
  write(at("new"), "text");
  EXPECT_EQ(text_of(at("new")), "text");
  EXPECT_EQ(names_in(directory_.path()), (std::set<std::string>{"new"}));
}

TEST_F(OutputFileTest, ReplacesAFileOnlyWhenItMay) {
  put(at("there"), "old");
  fs::permissions(at("there"), fs::perms(0640));
  EXPECT_THROW(OutputFile(at("there"), false), AlreadyExists);
  write(at("there"), "new", true);
  EXPECT_EQ(text_of(at("there")), "new");
  EXPECT_EQ(fs::status(at("there")).permissions(), fs::perms(0640));
  EXPECT_EQ(names_in(directory_.path()), (std::set<std::string>{"there"}));
}

TEST_F(OutputFileTest, AFileThatComesInTheMeantimeIsKept) {
  const OutputFile output(at("new"), true);
  put(at("new"), "somebody else's");
  EXPECT_THROW((void)output.write(bytes_of_text("ours"), {}), AlreadyExists);
  EXPECT_EQ(text_of(at("new")), "somebody else's");
  EXPECT_EQ(names_in(directory_.path()), (std::set<std::string>{"new"}));
}

TEST_F(OutputFileTest, ASymbolicLinkStaysOne) {
  put(at("target"), "old");
  fs::create_symlink("target", at("link"));
  EXPECT_THROW(OutputFile(at("link"), false), AlreadyExists);
  write(at("link"), "new", true);
  EXPECT_TRUE(fs::is_symlink(at("link")));
  EXPECT_EQ(text_of(at("target")), "new");
  fs::create_symlink("nowhere", at("dangling"));
  EXPECT_THROW(OutputFile(at("dangling"), true), InvalidArgument);
  EXPECT_FALSE(fs::exists(at("nowhere")));
}

TEST_F(OutputFileTest, WhatNoOutputIsWrittenToIsRefused) {
  fs::create_directory(at("directory"));
  EXPECT_THROW(OutputFile(at("directory"), true), InvalidArgument);
  // Not every machine lets a test make one.
  if (::mknod(at("disk").c_str(), S_IFBLK | 0600, 0) == 0) {
    EXPECT_THROW(OutputFile(at("disk"), true), InvalidArgument);
  }
  EXPECT_THROW((void)OutputFile(at("no/such"), false).write({}, {}), IoError);
}

TEST_F(OutputFileTest, AFifoIsWrittenToAndStaysOne) {
  ASSERT_EQ(::mkfifo(at("fifo").c_str(), 0600), 0);
  std::string received;
  std::jthread reader([&] { received = text_of(at("fifo")); });
  write(at("fifo"), "text");
  reader.join();
  EXPECT_EQ(received, "text");
  EXPECT_TRUE(fs::is_fifo(at("fifo")));
}

TEST_F(OutputFileTest, WaitingForAReaderEndsWithAStop) {
  ASSERT_EQ(::mkfifo(at("fifo").c_str(), 0600), 0);
  std::stop_source stop;
  stop.request_stop();
  EXPECT_FALSE(OutputFile(at("fifo"), false).write(bytes_of_text("text"), stop.get_token()));
}

TEST_F(OutputFileTest, DevicesAreWrittenTo) {
  // Not the machine's own, which a wrong OutputFile would replace.
  if (::mknod(at("full").c_str(), S_IFCHR | 0600, makedev(1, 7)) != 0) {
    GTEST_SKIP() << "cannot make a device";
  }
  try {
    (void)OutputFile(at("full"), false).write(bytes_of_text("text"), {});
    ADD_FAILURE() << "written";
  } catch (const IoError& error) {
    EXPECT_EQ(error.error_number(), ENOSPC);
  }
}

// It was waited for as if it were a fifo that nobody reads yet.
TEST_F(OutputFileTest, ADeviceThatIsNotThereIsAnError) {
  if (::mknod(at("device").c_str(), S_IFCHR | 0600, makedev(4095, 1)) != 0) {
    GTEST_SKIP() << "cannot make a device";
  }
  std::stop_source stop;  // so that a failure of this test ends, too
  stop.request_stop();
  EXPECT_THROW((void)OutputFile(at("device"), false).write(bytes_of_text("text"), stop.get_token()),
               IoError);
}

// Whoever shares the open file of standard output may have switched waiting off.
TEST_F(OutputFileTest, AStandardOutputThatDoesNotWaitIsWaitedFor) {
  const std::string text(std::size_t{1} << 20, 'x');  // more than a pipe holds
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe(ends.data()), 0);
  ASSERT_EQ(::fcntl(ends[1], F_SETFL, O_WRONLY | O_NONBLOCK), 0);
  std::size_t received = 0;
  std::atomic<bool> is_over = false;
  std::jthread reader([&] {
    const int capacity = ::fcntl(ends[1], F_GETPIPE_SZ);
    for (int n_waiting = 0; n_waiting < capacity && !is_over;) {
      ASSERT_EQ(::ioctl(ends[0], FIONREAD, &n_waiting), 0);
      std::this_thread::yield();
    }
    std::array<char, 4096> buffer{};
    for (ssize_t n = 0; (n = ::read(ends[0], buffer.data(), buffer.size())) > 0;) {
      received += static_cast<std::size_t>(n);
    }
  });
  EXPECT_EQ(in_child([&] {
              ::dup2(ends[1], STDOUT_FILENO);
              try {
                return OutputFile("-", false).write(bytes_of_text(text), {}) ? 0 : 1;
              } catch (const IoError&) {
                return 2;
              }
            }),
            0);
  is_over = true;
  ::close(ends[1]);
  reader.join();
  ::close(ends[0]);
  EXPECT_EQ(received, text.size());
}

TEST_F(OutputFileTest, WhatTookThePlaceOfAFileIsNotReplaced) {
  put(at("there"), "old");
  const OutputFile output(at("there"), true);
  fs::remove(at("there"));
  ASSERT_EQ(::mkfifo(at("there").c_str(), 0600), 0);
  EXPECT_THROW((void)output.write(bytes_of_text("new"), {}), InvalidArgument);
  EXPECT_TRUE(fs::is_fifo(at("there")));
}

TEST_F(OutputFileTest, NobodyElsesFileIsATemporaryOne) {
  for (const char* name : {"new.tmp", ".new.furrow-tmp", ".new.0123456789abcdef",
                           ".new.0123456789abcdeg.furrow-tmp", "new.0123456789abcdef.furrow-tmp"}) {
    put(at(name), name);
  }
  fs::create_directory(at(".new.0123456789abcdef.furrow-tmp"));
  const std::set<std::string> before = names_in(directory_.path());
  write(at("new"), "text");
  write_file_atomically(at("new"), bytes_of_text("more"));
  for (const std::string& name : before) {
    EXPECT_TRUE(fs::exists(directory_.path() / name)) << name;
  }
}

TEST_F(OutputFileTest, LeftoversOfKilledProcessesAreRemoved) {
  ASSERT_EQ(in_child([&] {
              PendingFile file(at("killed"), PendingFile::Publish::kNew);
              file.file().write_at(0, bytes_of_text("half"));
              ::_exit(7);
              return 0;
            }),
            7);
  ASSERT_EQ(names_in(directory_.path()).size(), 1U);
  PendingFile living(at("living"), PendingFile::Publish::kNew);  // removes the one before
  ASSERT_EQ(names_in(directory_.path()).size(), 1U);
  write(at("new"), "text");  // leaves this one alone, which somebody is at work on
  EXPECT_EQ(names_in(directory_.path()).size(), 2U);
  living.publish();
  EXPECT_EQ(names_in(directory_.path()), (std::set<std::string>{"living", "new"}));
}

TEST_F(OutputFileTest, NamesFitIntoADirectory) {
  const std::string longest(255, 'n');
  write(directory_.path() / longest, "text");
  EXPECT_EQ(names_in(directory_.path()), (std::set<std::string>{longest}));
  const std::string pending = pending_name(longest, kPendingFileEnding);
  EXPECT_LE(pending.size(), 255U);
  EXPECT_TRUE(is_pending_name(pending, longest, kPendingFileEnding));
  EXPECT_TRUE(is_pending_file_name(pending));
  EXPECT_FALSE(is_pending_name(pending, "other", kPendingFileEnding));
  EXPECT_NE(pending, pending_name(longest, kPendingFileEnding));
}

TEST_F(OutputFileTest, InputsThatAreNoFilesAreNamed) {
  ASSERT_EQ(::mkfifo(at("fifo").c_str(), 0600), 0);
  EXPECT_THROW((void)File::open_read(at("fifo")), IoError);  // and does not wait for a writer
  {
    std::jthread late_writer([&] {
      EXPECT_TRUE(test::other_threads_wait());  // nobody writes to it so far
      std::ofstream fifo(at("fifo"));
      EXPECT_TRUE(test::other_threads_wait());  // somebody could, and does not yet
      fifo << "late";
    });
    EXPECT_EQ(read_whole_file(at("fifo")).size(), 4U);
  }
  EXPECT_THROW((void)File::open_read("/dev/zero"), IoError);
  EXPECT_THROW((void)read_whole_file("/dev/zero"), IoError);
  EXPECT_THROW((void)read_whole_file(directory_.path()), IoError);
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe(ends.data()), 0);
  ASSERT_EQ(::write(ends[1], "token", 5), 5);
  ::close(ends[1]);
  // What a shell makes of <(command).
  const auto bytes = read_whole_file("/dev/fd/" + std::to_string(ends[0]), 5);
  EXPECT_EQ(std::string(bytes.begin(), bytes.end()), "token");
  ::close(ends[0]);
  put(at("five"), "12345");
  EXPECT_EQ(read_whole_file(at("five"), 5).size(), 5U);
  EXPECT_THROW((void)read_whole_file(at("five"), 4), InvalidBytesLength);
}

// A library in a service that was started without descriptors 0 to 2: what its process prints must
// not get into a file of the library.
TEST_F(OutputFileTest, FilesAreNeverStandardStreams) {
  EXPECT_EQ(in_child([&] {
              for (int descriptor = 0; descriptor <= STDERR_FILENO; ++descriptor) {
                ::close(descriptor);
              }
              const File first = File::create_new(at("first"));
              const File second = File::create_new(at("second"));
              for (int descriptor = 0; descriptor <= STDERR_FILENO; ++descriptor) {
                if (::write(descriptor, "printed", 7) >= 0) {
                  return 1;
                }
              }
              return 0;
            }),
            0);
  EXPECT_EQ(text_of(at("first")) + text_of(at("second")), "");
}

}  // namespace
}  // namespace furrow
