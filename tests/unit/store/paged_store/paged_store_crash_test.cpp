// SPDX-License-Identifier: Apache-2.0
// What a paged store on disk holds after its process was killed while it paged out. The writer is a
// program of its own (paged_store_writer.cpp), because a fork does not take RocksDB's threads
// along.
#include <algorithm>
#include <csignal>
#include <cstdio>
#include <random>
#include <sstream>

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/base/hex.hpp"
#include "host/store/paged_store/paged_store_check.hpp"
#include "host/store/paged_store/rocksdb_backend.hpp"
#include "tests/support/temp_directory.hpp"
#include "tests/unit/store/paged_store/paged_objects.hpp"

namespace furrow {
namespace {

using test::kByHand;
using test::Node;
using test::TempDirectory;

struct WriterResult {
  std::vector<std::pair<DataKey, std::uint64_t>> stored;
  std::size_t flushed = 0;
  bool is_done = false;
  int status = 0;
};

/// How the writer is to end.
struct End {
  std::size_t kill_after_bytes = std::string::npos;  // of its output
  std::string operation = {};                        // that it ends itself before; empty: none
  rlim_t largest_file = RLIM_INFINITY;               // the system refuses to write beyond
};

void parse_line(const std::string& line, WriterResult& result) {
  std::istringstream words(line);
  std::string kind;
  words >> kind;
  if (kind == "P") {
    std::string hex;
    std::uint64_t value = 0;
    words >> hex >> value;
    DataKey key;
    from_hex(hex, key.bytes, "key");
    result.stored.emplace_back(key, value);
  } else if (kind == "F") {
    words >> result.flushed;
  } else if (kind == "D") {
    result.is_done = true;
  }
}

WriterResult run_writer(const std::filesystem::path& directory, std::uint64_t seed,
                        const End& end) {
  int pipe_ends[2] = {-1, -1};
  EXPECT_EQ(::pipe(pipe_ends), 0);
  const std::string seed_text = std::to_string(seed);
  const pid_t child = ::fork();
  if (child == 0) {
    ::dup2(pipe_ends[1], STDOUT_FILENO);
    ::close(pipe_ends[0]);
    ::close(pipe_ends[1]);
    if (end.largest_file != RLIM_INFINITY) {
      ::signal(SIGXFSZ, SIG_IGN);  // an error instead of the end
      const rlimit limit{.rlim_cur = end.largest_file, .rlim_max = end.largest_file};
      ::setrlimit(RLIMIT_FSIZE, &limit);
    }
    ::execl(FURROW_PAGED_STORE_WRITER, FURROW_PAGED_STORE_WRITER, directory.c_str(),
            seed_text.c_str(), end.operation.empty() ? nullptr : end.operation.c_str(), nullptr);
    ::_exit(3);
  }
  ::close(pipe_ends[1]);
  std::string output;
  bool is_killed = false;
  char buffer[256];
  for (ssize_t n = 0; (n = ::read(pipe_ends[0], buffer, sizeof(buffer))) > 0;) {
    output.append(buffer, static_cast<std::size_t>(n));
    if (output.size() >= end.kill_after_bytes && !is_killed) {
      is_killed = ::kill(child, SIGKILL) == 0;
    }
  }
  ::close(pipe_ends[0]);
  WriterResult result;
  ::waitpid(child, &result.status, 0);
  output.resize(output.rfind('\n') == std::string::npos ? 0 : output.rfind('\n') + 1);
  std::istringstream lines(output);
  for (std::string line; std::getline(lines, line);) {
    parse_line(line, result);
  }
  return result;
}

/// Every record is sound and has its children, and everything reported is there. (Flushed or not:
/// what a killed process wrote is with the system. Only power loss makes a difference.)
void expect_whole(const std::filesystem::path& directory, const WriterResult& result) {
  PagedStore store(open_rocksdb_backend(directory), {}, kByHand);
  const PagedStoreReport report = check_paged_store(store.backend());
  for (const std::string& broken : report.broken) {
    ADD_FAILURE() << broken;
  }
  EXPECT_GE(report.records, result.stored.size());
  EXPECT_GE(result.stored.size(), result.flushed);
  for (const auto& [key, value] : result.stored) {
    EXPECT_EQ(store.fetch<Node>(key)->value, value);
  }
}

TEST(PagedStoreCrash, KilledAtAnyInstantNothingStoredIsLost) {
  const std::uint64_t seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  const TempDirectory whole_directory;
  const WriterResult whole = run_writer(whole_directory.path() / "db", seed, {});
  ASSERT_TRUE(whole.is_done);
  expect_whole(whole_directory.path() / "db", whole);

  std::size_t killed = 0;
  for (int round = 0; round < 25 && !HasFailure(); ++round) {
    // About 60 bytes of output for each root; the signal arrives at whatever it does next.
    const std::size_t bytes = 1 + random() % 3500;
    SCOPED_TRACE("killed after " + std::to_string(bytes) + " bytes of output");
    const TempDirectory directory;
    const WriterResult result =
        run_writer(directory.path() / "db", seed, {.kill_after_bytes = bytes});
    killed += WIFSIGNALED(result.status) ? 1 : 0;
    expect_whole(directory.path() / "db", result);
    // The same work again, on what is there.
    const WriterResult again = run_writer(directory.path() / "db", seed, {});
    EXPECT_TRUE(again.is_done);
    EXPECT_EQ(again.stored, whole.stored);
    expect_whole(directory.path() / "db", again);
  }
  EXPECT_GT(killed, 0U);
}

TEST(PagedStoreCrash, EndedBeforeAnyOperationNothingStoredIsLost) {
  const std::uint64_t seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  for (std::size_t operation = 0; operation < 80 && !HasFailure(); operation += 6) {
    SCOPED_TRACE("ended before operation " + std::to_string(operation));
    const TempDirectory directory;
    const WriterResult result =
        run_writer(directory.path() / "db", seed, {.operation = std::to_string(operation)});
    EXPECT_TRUE(WIFEXITED(result.status) && WEXITSTATUS(result.status) == 0);
    // 60 roots, and a flush after each fifth of them: 72 operations in all.
    EXPECT_EQ(result.is_done, operation >= 72);
    EXPECT_EQ(result.stored.size(), std::min<std::size_t>(60, operation - operation / 6));
    expect_whole(directory.path() / "db", result);
  }
}

// The system takes no more bytes, as when a disk is full: an error, and what was stored stays.
TEST(PagedStoreCrash, WhenNoMoreCanBeWrittenWhatIsStoredStays) {
  const std::uint64_t seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::size_t refused = 0;
  for (const rlim_t largest : {2'000U, 8'000U, 15'000U, 30'000U, 45'000U, 60'000U, 65'000U}) {
    SCOPED_TRACE("no file beyond " + std::to_string(largest) + " bytes");
    const TempDirectory directory;
    const WriterResult result =
        run_writer(directory.path() / "db", seed, {.largest_file = largest});
    EXPECT_TRUE(WIFEXITED(result.status)) << "status " << result.status;
    refused += result.is_done ? 0 : 1;
    expect_whole(directory.path() / "db", result);
  }
  EXPECT_GT(refused, 0U);
}

}  // namespace
}  // namespace furrow
