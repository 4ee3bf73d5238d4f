// SPDX-License-Identifier: Apache-2.0
// The C interface where a C program cannot look: hostile options, first offsets, aborts inside a
// record, fork, signals, limits of the machine, and what belongs to the rest of the process.
#include <algorithm>
#include <array>
#include <atomic>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <latch>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <pthread.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "furrow/cuda.hpp"
#include "furrow/furrow.h"

namespace furrow {
namespace {

constexpr std::array<std::uint8_t, FURROW_SECTOR_ID_SIZE> kSectorId = {1, 2, 3};

struct Destroy {
  void operator()(furrow_encoder* encoder) const { furrow_encoder_destroy(encoder); }
};
using Encoder = std::unique_ptr<furrow_encoder, Destroy>;

Encoder cpu_encoder(std::uint32_t threads = 1) {
  furrow_encoder_options options{};
  options.size = sizeof(options);
  options.kind = "cpu";
  options.threads = threads;
  furrow_encoder* encoder = nullptr;
  EXPECT_EQ(furrow_encoder_create(&options, &encoder), FURROW_OK) << furrow_last_error();
  return Encoder(encoder);
}

/// Records that differ, and their entries of the contents map.
struct Batch {
  explicit Batch(std::size_t n)
      : records(n * FURROW_RECORD_SIZE), map(n * FURROW_FOUND_PROOFS_SIZE) {
    for (std::size_t i = 0; i < records.size(); ++i) {
      records[i] = static_cast<std::uint8_t>(i % 251);
    }
  }
  [[nodiscard]] std::vector<std::uint8_t> record(std::size_t i) const {
    const auto begin = records.begin() + static_cast<std::ptrdiff_t>(i * FURROW_RECORD_SIZE);
    return {begin, begin + FURROW_RECORD_SIZE};
  }
  [[nodiscard]] std::vector<std::uint8_t> bitmap(std::size_t i) const {
    const auto begin = map.begin() + static_cast<std::ptrdiff_t>(i * FURROW_FOUND_PROOFS_SIZE);
    return {begin, begin + FURROW_FOUND_PROOFS_SIZE};
  }
  std::vector<std::uint8_t> records;
  std::vector<std::uint8_t> map;
};

furrow_status encode_at(furrow_encoder* encoder, std::size_t first, Batch& batch,
                        const volatile std::uint8_t* abort_flag = nullptr) {
  return furrow_encode_records_at(encoder, kSectorId.data(), first, batch.records.data(),
                                  batch.records.size() / FURROW_RECORD_SIZE, batch.map.data(),
                                  abort_flag);
}

TEST(CInterface, ASizeThatEndsInsideAMemberIsRefusedAndOthersAreTaken) {
  static_assert(sizeof(furrow_encoder_options) == 24, "programs that exist have 24 bytes");
  for (std::size_t size = 0; size <= 40; ++size) {
    // Behind what the size announces there is nothing to read but rubbish.
    std::vector<std::uint8_t> bytes(40, 0xEE);
    furrow_encoder_options options{};
    options.kind = "cpu";
    options.threads = 1;
    std::memcpy(bytes.data(), &options, std::min<std::size_t>(size, 20));
    std::memcpy(bytes.data(), &size, sizeof(size));
    furrow_encoder* encoder = nullptr;
    const furrow_status status = furrow_encoder_create(
        reinterpret_cast<const furrow_encoder_options*>(bytes.data()), &encoder);
    const char* const inside = size < 8                 ? "size"
                               : size > 8 && size < 16  ? "kind"
                               : size > 16 && size < 20 ? "threads"
                                                        : nullptr;
    if (inside == nullptr) {
      EXPECT_EQ(status, FURROW_OK) << size << ": " << furrow_last_error();
      EXPECT_NE(encoder, nullptr) << size;
    } else {
      EXPECT_EQ(status, FURROW_INVALID_ARGUMENT) << size;
      EXPECT_EQ(encoder, nullptr) << size;
      const std::string text = furrow_last_error();
      EXPECT_NE(text.find(std::string("member ") + inside), std::string::npos) << text;
      if (size != 0) {
        EXPECT_NE(text.find("size " + std::to_string(size)), std::string::npos) << text;
      }
    }
    furrow_encoder_destroy(encoder);
  }
}

TEST(CInterface, MoreThreadsThanAnybodyMeansAreRefused) {
  furrow_encoder_options options{};
  options.size = sizeof(options);
  options.kind = "cpu";
  options.threads = 100'000;
  furrow_encoder* encoder = nullptr;
  EXPECT_EQ(furrow_encoder_create(&options, &encoder), FURROW_INVALID_ARGUMENT);
  EXPECT_EQ(encoder, nullptr);
  EXPECT_NE(std::string(furrow_last_error()).find("100000"), std::string::npos);
}

TEST(CInterface, RecordsCanStartAtAnyPieceOffset) {
  const Encoder encoder = cpu_encoder();
  Batch whole(2);
  Batch last(1);
  std::copy_n(whole.records.begin() + FURROW_RECORD_SIZE, FURROW_RECORD_SIZE, last.records.begin());
  ASSERT_EQ(encode_at(encoder.get(), 0, whole), FURROW_OK);
  ASSERT_EQ(encode_at(encoder.get(), 1, last), FURROW_OK);
  EXPECT_EQ(last.record(0), whole.record(1));
  EXPECT_EQ(last.bitmap(0), whole.bitmap(1));

  Batch untouched(2);
  for (const std::size_t first : {std::size_t{65534}, std::size_t{65536}, SIZE_MAX}) {
    EXPECT_EQ(encode_at(encoder.get(), first, untouched), FURROW_INVALID_ARGUMENT) << first;
    EXPECT_NE(std::string(furrow_last_error()).find(std::to_string(first)), std::string::npos);
  }
  EXPECT_EQ(untouched.records, Batch(2).records);
  Batch none(0);
  EXPECT_EQ(encode_at(encoder.get(), 65535, none), FURROW_OK);
}

TEST(CInterface, AnArgumentThatIsNullIsNamed) {
  const Encoder encoder = cpu_encoder();
  Batch batch(1);
  EXPECT_EQ(furrow_encode_records(encoder.get(), nullptr, batch.records.data(), 1, batch.map.data(),
                                  nullptr),
            FURROW_INVALID_ARGUMENT);
  EXPECT_NE(std::string(furrow_last_error()).find("sector_id"), std::string::npos);
  EXPECT_EQ(furrow_encode_records(encoder.get(), kSectorId.data(), batch.records.data(), 1, nullptr,
                                  nullptr),
            FURROW_INVALID_ARGUMENT);
  EXPECT_NE(std::string(furrow_last_error()).find("contents_map"), std::string::npos);
}

TEST(CInterface, CancelledRecordsAreDoneOrAsTheyWere) {
  const Encoder encoder = cpu_encoder(2);
  const Batch source(3);
  Batch encoded = source;
  ASSERT_EQ(encode_at(encoder.get(), 0, encoded), FURROW_OK);
  // Aborted at about every instant of a call; whatever it was, this holds.
  for (int delay_ms = 0; delay_ms < 200; delay_ms += 25) {
    Batch batch = source;
    volatile std::uint8_t abort_flag = 0;
    const std::jthread aborter([&] {
      std::this_thread::sleep_for(std::chrono::milliseconds(delay_ms));
      __atomic_store_n(&abort_flag, 1, __ATOMIC_RELEASE);
    });
    const furrow_status status = encode_at(encoder.get(), 0, batch, &abort_flag);
    EXPECT_TRUE(status == FURROW_CANCELLED || status == FURROW_OK);
    for (std::size_t i = 0; i < 3; ++i) {
      const bool is_done = batch.bitmap(i) != source.bitmap(i);
      EXPECT_TRUE(is_done || status == FURROW_CANCELLED);
      EXPECT_EQ(batch.record(i), (is_done ? encoded : source).record(i));
      EXPECT_EQ(batch.bitmap(i), (is_done ? encoded : source).bitmap(i));
    }
  }
}

// Threads do not survive a fork: the call waited for them for ever.
TEST(CInterface, AfterAForkTheParentsEncoderAnswersAndANewOneWorks) {
  const Encoder encoder = cpu_encoder();
  Batch batch(1);
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    ::alarm(60);  // instead of hanging for ever
    if (encode_at(encoder.get(), 0, batch) != FURROW_INVALID_ARGUMENT ||
        std::strstr(furrow_last_error(), "fork") == nullptr) {
      ::_exit(1);
    }
    furrow_encoder_destroy(encoder.get());
#ifndef __SANITIZE_THREAD__  // which does not know threads after a fork
    furrow_encoder_options options{};
    options.size = sizeof(options);
    options.kind = "cpu";
    options.threads = 1;
    furrow_encoder* own = nullptr;
    if (furrow_encoder_create(&options, &own) != FURROW_OK ||
        encode_at(own, 0, batch) != FURROW_OK) {
      ::_exit(2);
    }
    furrow_encoder_destroy(own);
#endif
    ::_exit(0);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status)) << "signal " << WTERMSIG(status);
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

/// Threads of this process.
std::set<std::string> tasks() {
  std::set<std::string> result;
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
    result.insert(task.path().filename());
  }
  return result;
}

/// Whether the thread blocks the signal; true when the thread is gone.
bool blocks(const std::string& task, int signal) {
  std::ifstream status("/proc/self/task/" + task + "/status");
  for (std::string line; std::getline(status, line);) {
    if (line == "Threads:\t0") {  // it has ended since: the kernel then shows no signals either
      return true;
    }
    if (line.starts_with("SigBlk:")) {
      return (std::stoull(line.substr(7), nullptr, 16) >> (signal - 1) & 1) != 0;
    }
  }
  return true;
}

TEST(CInterface, SignalsAreBlockedInItsThreads) {
  std::thread([] {}).join();  // with the first one ThreadSanitizer starts one of its own
  const std::set<std::string> before = tasks();
  const Encoder encoder = cpu_encoder(2);
  std::set<std::string> seen;
  const auto look = [&] {
    for (const std::string& task : tasks()) {
      if (!before.contains(task)) {
        seen.insert(task);
        for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGCHLD, SIGALRM}) {
          EXPECT_TRUE(blocks(task, signal)) << "thread " << task << ", signal " << signal;
        }
      }
    }
  };
  look();
  EXPECT_FALSE(seen.empty());
  // Those that exist during a call only; the one that calls is the process's own.
  std::atomic<bool> is_over = false;
  std::latch is_masked(1);
  volatile std::uint8_t abort_flag = 0;
  std::jthread caller([&] {
    sigset_t all;
    sigfillset(&all);
    sigdelset(&all, SIGSEGV);
    pthread_sigmask(SIG_SETMASK, &all, nullptr);
    is_masked.count_down();
    Batch batch(2);
    encode_at(encoder.get(), 0, batch, &abort_flag);
    is_over = true;
  });
  is_masked.wait();
  while (!is_over) {
    look();
  }
  caller.join();
  for (const std::string& task : tasks()) {
    if (!before.contains(task)) {  // it has worked, so it is past its start, when all are blocked
      EXPECT_FALSE(blocks(task, SIGSEGV)) << "a fault has to reach its handler";
    }
  }
  sigset_t mask;
  pthread_sigmask(SIG_SETMASK, nullptr, &mask);
  EXPECT_FALSE(sigismember(&mask, SIGTERM)) << "the mask of the caller is as it was";
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // they need address space
TEST(CInterface, NoThreadToBeHadIsNoDefectOfTheLibrary) {
  const Encoder encoder = cpu_encoder();
  Batch batch(1);
  // A stack that no thread had before has to be mapped anew.
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, std::size_t{256} << 20);
  pthread_setattr_default_np(&attributes);
  rlimit before{};
  ::getrlimit(RLIMIT_AS, &before);
  std::ifstream statm("/proc/self/statm");
  std::size_t pages = 0;
  statm >> pages;
  const rlimit tight{pages * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE)) + (64U << 20),
                     before.rlim_max};
  ::setrlimit(RLIMIT_AS, &tight);
  const std::uint8_t abort_flag = 0;  // looking at it takes a thread
  const furrow_status encoded = encode_at(encoder.get(), 0, batch, &abort_flag);
  const std::string text = furrow_last_error();
  ::setrlimit(RLIMIT_AS, &before);
  pthread_attr_setstacksize(&attributes, std::size_t{8} << 20);
  pthread_setattr_default_np(&attributes);
  pthread_attr_destroy(&attributes);
  EXPECT_EQ(encoded, FURROW_RESOURCE_EXHAUSTED) << furrow_status_name(encoded) << ": " << text;
  EXPECT_EQ(batch.records, Batch(1).records) << "nothing was done";
  EXPECT_EQ(encode_at(encoder.get(), 0, batch, &abort_flag), FURROW_OK) << furrow_last_error();
}
#endif

TEST(CInterface, TheLogOfTheProcessIsLeftAlone) {
  const CudaLogSink own = [](CudaLogLevel, std::string_view) {};
  set_cuda_log_sink(own);
  cpu_encoder();
  EXPECT_EQ(set_cuda_log_sink(nullptr), own);
}

TEST(CInterface, EveryStatusHasAName) {
  std::set<std::string> names;
  for (int status = FURROW_OK; status <= FURROW_RESOURCE_EXHAUSTED; ++status) {
    names.insert(furrow_status_name(static_cast<furrow_status>(status)));
  }
  EXPECT_EQ(names.size(), 7U);
  EXPECT_FALSE(names.contains("unknown status"));
  EXPECT_EQ(FURROW_RESOURCE_EXHAUSTED, 6) << "programs that exist have the numbers built in";
}

}  // namespace
}  // namespace furrow
