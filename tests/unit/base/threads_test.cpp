// SPDX-License-Identifier: Apache-2.0
// Threads that the system does not start. This program has a pthread_create of its own, which
// refuses after a number of threads, like a limit of the system does.
#include "host/base/threads.hpp"

#include <array>
#include <atomic>
#include <cerrno>
#include <limits>
#include <new>
#include <stdexcept>
#include <string>

#include <dlfcn.h>
#include <gtest/gtest.h>
#include <pthread.h>
#include <signal.h>

#include "host/base/parallel_for.hpp"
#include "host/base/thread_count.hpp"
#include "host/plotting/cpu_records_encoder.hpp"
#include "host/plotting/encoder_pool.hpp"
#include "host/plotting/plot_pipeline.hpp"
#include "host/plotting/verified_encoder.hpp"
#include "host/primitives/sector_id.hpp"
#include "host/store/pack_pipeline.hpp"
#include "tests/unit/plotting/fake_encoder.hpp"
#include "tests/unit/store/paged_store/paged_objects.hpp"

namespace {

std::atomic<int> threads_left = std::numeric_limits<int>::max();

}  // namespace

extern "C" __attribute__((visibility("default"))) int pthread_create(
    pthread_t* thread, const pthread_attr_t* attributes, void* (*start)(void*),
    void* argument) noexcept {
  using Create = int (*)(pthread_t*, const pthread_attr_t*, void* (*)(void*), void*);
  static const auto kReal = reinterpret_cast<Create>(dlsym(RTLD_NEXT, "pthread_create"));
  return threads_left-- > 0 ? kReal(thread, attributes, start, argument) : EAGAIN;
}

namespace furrow {
namespace {

/// While it lives, the system starts so many threads and no more.
class ThreadsLeft {
 public:
  explicit ThreadsLeft(int n) { threads_left = n; }
  ThreadsLeft(const ThreadsLeft&) = delete;
  ThreadsLeft& operator=(const ThreadsLeft&) = delete;
  ~ThreadsLeft() { threads_left = std::numeric_limits<int>::max(); }
};

TEST(StartThread, HasItsNameAndBlocksSignals) {
  std::string name;
  bool is_blocked = false;
  bool is_fault_blocked = true;
  start_thread("fw-a-name-that-is-too-long", [&] {
    std::array<char, 32> text{};
    pthread_getname_np(pthread_self(), text.data(), text.size());
    name = text.data();
    sigset_t blocked;
    pthread_sigmask(SIG_BLOCK, nullptr, &blocked);
    is_blocked = sigismember(&blocked, SIGTERM) == 1 && sigismember(&blocked, SIGUSR1) == 1;
    is_fault_blocked = sigismember(&blocked, SIGSEGV) == 1;
  }).join();
  EXPECT_EQ(name, "fw-a-name-that-");
  EXPECT_TRUE(is_blocked);
  EXPECT_FALSE(is_fault_blocked);
  sigset_t own;
  pthread_sigmask(SIG_BLOCK, nullptr, &own);
  EXPECT_EQ(sigismember(&own, SIGTERM), 0);
}

TEST(StartThread, ThatTheSystemRefusesIsATypedError) {
  const ThreadsLeft none(0);
  try {
    start_thread("fw-test", [] { ADD_FAILURE() << "must not run"; }).join();
    FAIL() << "expected ResourceExhausted";
  } catch (const ResourceExhausted& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kIo);
    EXPECT_EQ(error.error_number(), EAGAIN);
    EXPECT_NE(std::string(error.what()).find("fw-test"), std::string::npos);
  }
}

TEST(StartableThreads, AreCounted) {
  EXPECT_EQ(count_startable_threads(5), 5U);
  const ThreadsLeft three(3);
  EXPECT_EQ(count_startable_threads(5), 3U);
  EXPECT_EQ(count_startable_threads(5), 0U);
}

const MachineLimits kFourOfSix{
    .processors_online = 6, .processors = 4, .processors_limit = "CPU affinity"};

TEST(ThreadCountTest, FollowsTheLimitsOfTheMachine) {
  const ThreadCount all = choose_thread_count(0, 1, kFourOfSix);
  EXPECT_EQ(all.threads, 4U);
  ASSERT_EQ(all.notes.size(), 1U);
  EXPECT_EQ(all.notes[0], "4 of 6 processors can be used (CPU affinity); 4 threads");
  EXPECT_EQ(choose_thread_count(3, 1, kFourOfSix).threads, 3U);
  EXPECT_TRUE(choose_thread_count(3, 1, kFourOfSix).notes.empty());
  EXPECT_EQ(choose_thread_count(24, 1, kFourOfSix).threads, 24U);
  EXPECT_EQ(choose_thread_count(24, 1, kFourOfSix).notes.size(), 1U);
  try {
    (void)choose_thread_count(25, 1, kFourOfSix);
    FAIL() << "expected InvalidArgument";
  } catch (const InvalidArgument& error) {
    EXPECT_STREQ(error.what(), "threads: expected at most 24, 4 for each processor, actual 25");
  }
  EXPECT_THROW((void)choose_thread_count(4294967295U, 1, kFourOfSix), InvalidArgument);
}

TEST(ThreadCountTest, FewerThatStartAreANoteAndTooFewAnError) {
  const MachineLimits machine{.processors_online = 6, .processors = 6};
  for (int n = 0; n < 10; ++n) {
    const ThreadsLeft left(n);
    if (n <= 3) {
      EXPECT_THROW((void)choose_thread_count(5, 3, machine), ResourceExhausted) << n;
      continue;
    }
    const ThreadCount count = choose_thread_count(5, 3, machine);
    EXPECT_EQ(count.threads, static_cast<unsigned>(std::min(n - 3, 5)));
    EXPECT_EQ(count.notes.empty(), n >= 8);
  }
}

TEST(ThreadGroupTest, GoesOnWithThoseThatStarted) {
  for (int n = 1; n <= 4; ++n) {
    const ThreadsLeft left(n);
    std::atomic<int> worked = 0;
    ThreadGroup group;
    EXPECT_EQ(group.start_up_to(3, "fw-test", [&](std::size_t) { ++worked; }),
              static_cast<std::size_t>(std::min(n, 3)));
    group.finish();
    EXPECT_EQ(worked, std::min(n, 3));
  }
  const ThreadsLeft none(0);
  ThreadGroup group;
  EXPECT_THROW(group.start_up_to(3, "fw-test", [](std::size_t) {}), ResourceExhausted);
}

/// Work of which there is no memory for a copy.
struct TooLargeToCopy {
  TooLargeToCopy() = default;
  TooLargeToCopy(const TooLargeToCopy&) { throw std::bad_alloc(); }
  TooLargeToCopy(TooLargeToCopy&&) = default;
  TooLargeToCopy& operator=(const TooLargeToCopy&) = delete;
  TooLargeToCopy& operator=(TooLargeToCopy&&) = delete;
  ~TooLargeToCopy() = default;
  void operator()(std::size_t) const {}
};

TEST(ThreadGroupTest, NoMemoryForTheFirstIsNoThread) {
  ThreadGroup group;
  EXPECT_THROW(group.start_up_to(3, "fw-test", TooLargeToCopy()), ResourceExhausted);
}

TEST(ThreadGroupTest, FirstErrorEndsTheOthersAndIsThrown) {
  ThreadGroup group;
  group.start("fw-test", [&] {
    while (!group.end().stop_requested()) {
      std::this_thread::yield();
    }
    throw std::runtime_error("second");
  });
  group.start("fw-test", [] { throw std::runtime_error("first"); });
  try {
    group.finish();
    FAIL() << "expected an exception";
  } catch (const std::runtime_error& error) {
    EXPECT_STREQ(error.what(), "first");
  }
}

TEST(FewerThreads, ParallelForDoesAllOfIt) {
  for (const int n : {0, 1, 2}) {
    const ThreadsLeft left(n);
    std::array<std::atomic<int>, 50> calls{};
    parallel_for(calls.size(), 4, [&](std::size_t i) { ++calls.at(i); });
    for (const std::atomic<int>& count : calls) {
      EXPECT_EQ(count, 1);
    }
  }
}

/// Chunks of one byte, numbered.
class Numbers final : public ChunkSource {
 public:
  std::optional<RawChunk> next() override {
    return n_ == 20 ? std::nullopt
                    : std::optional(RawChunk{.key = n_++, .data = std::vector<std::uint8_t>(1)});
  }

 private:
  std::uint64_t n_ = 0;
};

TEST(FewerThreads, PackingNeedsAFeederAndAWorker) {
  for (const int n : {0, 1, 2, 3, 9}) {
    const ThreadsLeft left(n);
    Numbers source;
    std::uint64_t written = 0;
    const auto pack = [&] {
      return pack_chunks(source, ZstdCompressor(), {.num_workers = 4, .max_chunks_in_flight = 2},
                         [&](PackedChunk chunk) { EXPECT_EQ(chunk.key, written++); });
    };
    if (n >= 2) {
      EXPECT_EQ(pack(), PackOutcome::kFinished);
      EXPECT_EQ(written, 20U);
    } else {
      EXPECT_THROW(pack(), ResourceExhausted);
    }
  }
}

TEST(FewerThreads, OneEncoderOfAPoolDoesTheWorkOfAll) {
  FakeSector sector(9, 1);
  std::vector<std::string> warnings;
  EncoderPool::Options options{
      .on_warning = [&](const std::string& line) { warnings.push_back(line); }};
  options.encoders.push_back(std::make_unique<FakeEncoder>(FakeEncoder::Options{.name = "one"}));
  options.encoders.push_back(std::make_unique<FakeEncoder>(FakeEncoder::Options{.name = "two"}));
  const ThreadsLeft left(1);
  EncoderPool pool(std::move(options));
  EncodingJob job = sector.job();
  EXPECT_EQ(pool.encode(job, {}), EncodeOutcome::kComplete);
  EXPECT_TRUE(sector.is_encoded());
  ASSERT_EQ(warnings.size(), 1U);
  EXPECT_EQ(warnings[0].rfind("two is not used: ", 0), 0U) << warnings[0];
}

TEST(FewerThreads, APoolWithoutAnyIsRefused) {
  EncoderPool::Options options;
  options.encoders.push_back(std::make_unique<FakeEncoder>(FakeEncoder::Options{}));
  options.make_fallback = [] { return std::make_unique<FakeEncoder>(FakeEncoder::Options{}); };
  const ThreadsLeft none(0);
  EXPECT_THROW(EncoderPool(std::move(options)), ResourceExhausted);
}

TEST(FewerThreads, TheCallerOfTheCpuEncoderEncodesAlone) {
  std::vector<Record> records(3);
  for (std::size_t i = 0; i < records.size(); ++i) {
    records[i][i].bytes.fill(static_cast<std::uint8_t>(i + 1));
  }
  std::vector<Record> again = records;
  std::vector<FoundProofs> found(records.size());
  std::vector<FoundProofs> found_again(records.size());
  CpuRecordsEncoder encoder({.threads = 3, .k = 17});
  EXPECT_EQ(encoder.encode_records(SectorId(), records, found, {}), EncodeOutcome::kComplete);
  const ThreadsLeft none(0);
  EXPECT_EQ(encoder.encode_records(SectorId(), again, found_again, {}), EncodeOutcome::kComplete);
  EXPECT_EQ(again, records);
  EXPECT_EQ(found_again, found);
}

TEST(FewerThreads, RecordsAreVerifiedAfterwards) {
  bool is_wrong = false;
  VerifiedEncoder encoder(
      std::make_unique<FakeEncoder>(FakeEncoder::Options{
          .after_record = [&](PieceOffset, Record& record,
                              FoundProofs&) { record[5].bytes[0] ^= is_wrong ? 1 : 0; }}),
      {.records_per_sector = 2, .seed = 1, .reference = fake_encode_one});
  const ThreadsLeft none(0);
  FakeSector good(6, 1);
  EncodingJob job = good.job();
  EXPECT_EQ(encoder.encode(job, {}), EncodeOutcome::kComplete);
  EXPECT_TRUE(good.is_encoded());
  is_wrong = true;
  FakeSector bad(6, 2);
  EncodingJob bad_job = bad.job();
  EXPECT_THROW(encoder.encode(bad_job, {}), WrongEncoding);
}

/// Has every piece.
class EmptyPieces final : public PieceGetter {
 public:
  void get_pieces(std::span<const PieceIndex> indices, const Sink& sink, std::stop_token) override {
    for (const PieceIndex index : indices) {
      sink(index, PieceAnswer::found(std::make_unique<Piece>()));
    }
  }
};

/// Plots three sectors of two pieces while the system starts `n` threads once there is an encoder;
/// returns how many were written.
int plot_with_threads(int n) {
  EncoderPool::Options encoders;
  encoders.encoders.push_back(std::make_unique<FakeEncoder>(
      FakeEncoder::Options{.after_record = [](PieceOffset, Record&, FoundProofs& found_proofs) {
        found_proofs.bytes.fill(0x5A);  // half of all chunks, as in a real record
      }}));
  EncoderPool pool(std::move(encoders));
  EmptyPieces getter;
  const PlotPipelineOptions options{
      .download = {.piece_getter = getter}, .encoders = pool, .sectors_in_memory = 2};
  std::uint16_t next = 0;
  int written = 0;
  const ThreadsLeft left(n);
  const PlotResult result = plot_sectors(
      [&]() -> std::optional<SectorPlan> {
        if (next == 3) {
          return std::nullopt;
        }
        SectorPlan plan;
        plan.protocol_info.history_size = HistorySize::from_count(2);
        plan.sector_index = SectorIndex(next++);
        plan.pieces_in_sector = 2;
        return plan;
      },
      options, [&](const PlottedSector&, std::span<const std::uint8_t>) { ++written; }, {});
  EXPECT_EQ(result.outcome, PlotOutcome::kFinished);
  return written;
}

TEST(FewerThreads, PlottingNeedsAWriterAndOneSectorUnderWay) {
  EXPECT_THROW(plot_with_threads(0), ResourceExhausted);
  EXPECT_THROW(plot_with_threads(1), ResourceExhausted);
  for (int n = 2; n < 8; ++n) {  // from 3 on the next one of whoever comes first
    EXPECT_EQ(plot_with_threads(n), 3) << n;
  }
}

TEST(FewerThreads, APagedStoreWithoutABackgroundPagesOutWhenItIsDrained) {
  const ThreadsLeft none(0);
  PagedStore store(std::make_unique<MemoryBackend>());
  const Paged<test::Node> object = test::node(7);
  store.schedule_for_paging(object);
  store.drain();
  ASSERT_FALSE(object.needs_paging_out());
  EXPECT_EQ(store.fetch<test::Node>(object.data_key().value())->value, 7U);
}

}  // namespace
}  // namespace furrow
