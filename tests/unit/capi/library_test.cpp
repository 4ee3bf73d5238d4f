// SPDX-License-Identifier: Apache-2.0
// furrow/c/library.h: lines that are told, threads that are shown, memory that is kept.
#include <atomic>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <pthread.h>
#include <unistd.h>

#include "host/capi/handle.hpp"
#include "tests/unit/capi/capi_support.hpp"

namespace furrow {
namespace {

using test::expect_null_refused;
using test::make_library;

furrow_library_options default_options() {
  furrow_library_options options;
  furrow_library_options_init(&options, sizeof(options));
  return options;
}

TEST(CLibrary, TellsLinesThatATerminalCanShow) {
  using Lines = std::vector<std::pair<furrow_log_level, std::string>>;
  Lines lines;
  furrow_library_options options = default_options();
  options.log_user = &lines;
  options.on_log = [](void* user, furrow_log_level level, const char* line) {
    static_cast<Lines*>(user)->emplace_back(level, line);
  };
  const auto library = make_library(&options);
  library->library()->log(FURROW_LOG_NOTE, "a note");
  library->library()->warn("two\nlines and \x1b[31mred");
  EXPECT_EQ(lines, (Lines{{FURROW_LOG_NOTE, "a note"},
                          {FURROW_LOG_WARNING, "two\\nlines and \\x1B[31mred"}}));
  make_library()->library()->warn("nobody is told");
}

/// What the hooks of a library have seen.
struct Seen {
  std::mutex mutex;
  std::map<pid_t, std::string> running;
  std::vector<std::string> names;
  bool is_right = true;

  void start(const char* name) {
    char own[16] = {};
    pthread_getname_np(pthread_self(), own, sizeof(own));
    const std::lock_guard lock(mutex);
    is_right = is_right && ::gettid() != ::getpid() && std::string(name).substr(0, 15) == own;
    is_right = running.emplace(::gettid(), name).second && is_right;
    names.emplace_back(name);
  }
  void end(const char* name) {
    const std::lock_guard lock(mutex);
    const auto started = running.find(::gettid());
    is_right = is_right && started != running.end() && started->second == name;
    running.erase(::gettid());
  }
};

test::LibraryHandle library_seen_by(Seen& seen) {
  furrow_library_options options = default_options();
  options.thread_user = &seen;
  options.on_thread_start = [](void* user, const char* name) {
    static_cast<Seen*>(user)->start(name);
  };
  options.on_thread_end = [](void* user, const char* name) { static_cast<Seen*>(user)->end(name); };
  return make_library(&options);
}

/// Encodes two records with two threads, watched for a flag.
void encode(furrow_library* library) {
  furrow_encoder_config config;
  furrow_encoder_config_init(&config, sizeof(config));
  config.kind = "cpu";
  config.threads = 2;
  furrow_encoder* encoder = nullptr;
  ASSERT_EQ(furrow_encoder_open(library, &config, &encoder), FURROW_OK) << furrow_last_error();
  const std::vector<std::uint8_t> sector_id(FURROW_HASH_SIZE);
  std::vector<std::uint8_t> records(std::size_t{2} * FURROW_RECORD_SIZE);
  std::vector<std::uint8_t> map(std::size_t{2} * FURROW_FOUND_PROOFS_SIZE);
  const std::uint8_t flag = 0;
  furrow_encode_request request;
  furrow_encode_request_init(&request, sizeof(request));
  request.sector_id = sector_id.data();
  request.records = records.data();
  request.record_count = 2;
  request.contents_map = map.data();
  request.abort_flag = &flag;
  EXPECT_EQ(furrow_encoder_encode(encoder, &request), FURROW_OK) << furrow_last_error();
  furrow_encoder_destroy(encoder);
}

TEST(CLibrary, ShowsEachOfItsThreadsFromStartToEnd) {
  Seen seen;
  {
    const auto library = library_seen_by(seen);
    encode(library.get());
    EXPECT_TRUE(seen.is_right);
    EXPECT_NE(std::ranges::find(seen.names, "fw-abort"), seen.names.end());
    EXPECT_GE(seen.names.size(), 2U) << "one that watches, one that encodes besides the caller";
  }
  EXPECT_TRUE(seen.running.empty()) << "each has ended";
}

TEST(CLibrary, ThreadsOfOthersAreNotItsOwn) {
  Seen seen;
  const auto library = library_seen_by(seen);
  const auto other = make_library();
  encode(other.get());
  EXPECT_TRUE(seen.names.empty());
}

TEST(CLibrary, OneHookAloneIsCalledToo) {
  std::atomic<int> ends = 0;
  furrow_library_options options = default_options();
  options.thread_user = &ends;
  options.on_thread_end = [](void* user, const char*) { ++*static_cast<std::atomic<int>*>(user); };
  encode(make_library(&options).get());
  EXPECT_GE(ends, 2);
}

TEST(CLibrary, StructAndPointersAreChecked) {
  furrow_library_options options = default_options();
  EXPECT_EQ(options.size, sizeof(options));
  EXPECT_EQ(options.on_log, nullptr);
  expect_null_refused(furrow_library_create(&options, nullptr), "library");
  furrow_library* library = nullptr;
  for (const std::size_t size : {std::size_t{0}, sizeof(options) - 1, SIZE_MAX}) {
    options.size = size;
    library = reinterpret_cast<furrow_library*>(&options);
    test::expect_refused(furrow_library_create(&options, &library),
                         "size of furrow_library_options");
    EXPECT_EQ(library, nullptr);
  }
  options = default_options();
  options.reserved[7] = 1;
  test::expect_refused(furrow_library_create(&options, &library), "does not know");
  std::uint64_t bytes = 7;
  expect_null_refused(furrow_library_kept_memory(nullptr, &bytes), "library");
  expect_null_refused(furrow_library_kept_memory(make_library().get(), nullptr), "bytes");
  expect_null_refused(furrow_library_release_memory(nullptr), "library");
  EXPECT_EQ(bytes, 7U);
  furrow_library_destroy(nullptr);
  furrow_library_options_init(nullptr, sizeof(options));
}

}  // namespace
}  // namespace furrow
