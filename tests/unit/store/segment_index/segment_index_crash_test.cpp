// SPDX-License-Identifier: Apache-2.0
// What an age-tiered index on disk is after its process died, or a system call failed, at any
// moment.
#include <csignal>
#include <string>

#include <gtest/gtest.h>
#include <sys/resource.h>

#include "host/base/pending_file.hpp"
#include "host/store/segment_index/age_tiered_index.hpp"
#include "host/store/segment_index/index_errors.hpp"
#include "tests/support/temp_directory.hpp"
#include "tests/unit/archive/archive_faults.hpp"
#include "tests/unit/store/segment_index/segment_index_model.hpp"

namespace furrow {
namespace {

using test::add;
using test::agree;
using test::Fault;
using test::IndexModel;
using test::numbered_entries;
using test::numbered_key;
using test::removal;
using test::TempDirectory;

constexpr std::uint32_t kKeys = 60;
constexpr unsigned kRounds = 6;
constexpr IndexOptions kOptions = {.fan_in = 2, .memory_entries = 45, .max_segments = 2};

/// Batch number `round`: every key added, some of the ones before removed.
std::vector<IndexEntry> batch(unsigned round) {
  std::vector<IndexEntry> entries;
  const auto height = static_cast<std::int32_t>(round);
  for (std::uint32_t i = round % 3; i < kKeys; i += 3) {
    entries.push_back(add(numbered_key(i), height, 1000 * round + i));
  }
  for (std::uint32_t i = (round + 1) % 3; i < kKeys; i += 6) {
    entries.push_back(removal(numbered_key(i), height));
  }
  return entries;
}

IndexModel model_of(unsigned rounds) {
  IndexModel model;
  for (unsigned round = 0; round < rounds; ++round) {
    for (const IndexEntry& entry : batch(round)) {
      model.apply(entry);
    }
  }
  return model;
}

/// Whether the index says what it says after so many batches.
bool holds(const AgeTieredIndex& index, unsigned rounds) {
  const IndexModel model = model_of(rounds);
  for (std::uint32_t i = 0; i < kKeys; ++i) {
    if (!agree(model.lookup(numbered_key(i), {}), index.lookup(numbered_key(i)))) {
      return false;
    }
  }
  return true;
}

/// Appends, spills, flushes and compacts. Reports "appendedN" before batch N may be in, "flushedN"
/// when batches up to N are durable.
template <class Report>
void work(const std::filesystem::path& path, Report report) {
  const auto index = AgeTieredIndex::open(path, kOptions);
  for (unsigned round = 0; round < kRounds; ++round) {
    report("appended" + std::to_string(round + 1));
    index->append(batch(round));
    if (round % 2 == 1) {
      index->advance_horizon(static_cast<std::int32_t>(round));
      index->flush();
      report("flushed" + std::to_string(round));
      report("flushed" + std::to_string(round + 1));
    }
    index->compact();
  }
  index->compact_all();
}

/// All that was flushed is there, and nothing but whole batches, in their order.
void expect_sound(const std::filesystem::path& path, unsigned appended, unsigned flushed) {
  const auto index = AgeTieredIndex::open(path, kOptions);
  bool is_sound = false;
  unsigned held = flushed;
  for (; held <= appended && !is_sound; ++held) {
    is_sound = holds(*index, held);
  }
  EXPECT_TRUE(is_sound) << flushed << " batches flushed, " << appended << " appended";
  const std::size_t listed = index->status().segments;
  std::size_t present = 0;
  for (const auto& entry : std::filesystem::directory_iterator(path)) {
    EXPECT_FALSE(is_pending_file_name(entry.path().filename().native())) << entry.path();
    present += entry.path().extension() == ".bin" ? 1 : 0;
  }
  EXPECT_EQ(present, listed);
  // What may be lost is appended again; what is below the horizon is durable together with it.
  for (unsigned round = flushed; round < kRounds; ++round) {
    if (static_cast<std::int32_t>(round) >= index->status().horizon) {
      index->append(batch(round));
    }
  }
  index->flush();
  index->compact_all();
  EXPECT_TRUE(holds(*index, kRounds));
}

TEST(SegmentIndexCrash, DeadAtAnySystemCallNothingFlushedIsLost) {
  for (std::size_t n = 0;; ++n) {
    SCOPED_TRACE("dead before file operation " + std::to_string(n));
    const TempDirectory directory;
    const std::filesystem::path path = directory.path() / "index";
    const std::filesystem::path reports = directory.path() / "reports";
    const bool has_died = test::dies_at(n, [&] {
      // The hook does not see directories, so progress is told by making some.
      work(path,
           [&](const std::string& what) { std::filesystem::create_directories(reports / what); });
    });
    const auto rounds_of = [&](const std::string& what) {
      unsigned rounds = 0;
      while (std::filesystem::exists(reports / (what + std::to_string(rounds + 1)))) {
        ++rounds;
      }
      return rounds;
    };
    const unsigned flushed = rounds_of("flushed");
    expect_sound(path, rounds_of("appended"), flushed);
    if (!has_died || HasFailure()) {
      EXPECT_GT(n, 60U);  // the hook was at work
      EXPECT_EQ(flushed, kRounds);
      return;
    }
  }
}

TEST(SegmentIndexCrash, AFailureOfAnySystemCallNothingFlushedIsLost) {
  for (std::size_t n = 0;; ++n) {
    SCOPED_TRACE("failure of file operation " + std::to_string(n));
    const TempDirectory directory;
    const std::filesystem::path path = directory.path() / "index";
    unsigned appended = 0;
    unsigned flushed = 0;
    bool has_failed = false;
    {
      const Fault fault(n);
      try {
        work(path, [&](const std::string& what) {
          (what.starts_with("appended") ? appended : flushed) += 1;
        });
      } catch (const IoError& error) {
        has_failed = true;
        EXPECT_EQ(error.error_number(), ENOSPC);
      }
    }
    expect_sound(path, appended, flushed);
    if (!has_failed || HasFailure()) {
      EXPECT_GT(n, 60U);
      return;
    }
  }
}

// The same index goes on after a failure, without being opened again, unless it says that it must.
TEST(SegmentIndexCrash, AfterAFailureTheIndexGoesOnOrSaysThatItCannot) {
  unsigned n_went_on = 0;
  unsigned n_refused = 0;
  for (std::size_t n = 0;; ++n) {
    SCOPED_TRACE("failure of file operation " + std::to_string(n));
    const TempDirectory directory;
    const std::filesystem::path path = directory.path() / "index";
    auto index = AgeTieredIndex::open(path, kOptions);
    index->append(batch(0));
    index->flush();
    index->append(batch(1));
    bool has_failed = false;
    {
      const Fault fault(n);
      try {
        index->flush();
        index->append(batch(2));
        index->flush();
        index->compact();
      } catch (const IoError&) {
        has_failed = true;
      }
    }
    if (!has_failed) {
      EXPECT_GT(n, 20U);
      break;
    }
    EXPECT_TRUE(holds(*index, 2) || holds(*index, 3));  // reading goes on in any case
    try {
      index->append(batch(2));
      index->flush();
      ++n_went_on;
    } catch (const IndexNeedsReopening&) {
      ++n_refused;
      EXPECT_THROW(index->compact_all(), IndexNeedsReopening);
      EXPECT_THROW(index->advance_horizon(1), IndexNeedsReopening);
      index.reset();
      index = AgeTieredIndex::open(path, kOptions);
      index->append(batch(1));
      index->append(batch(2));
      index->flush();
    }
    EXPECT_TRUE(holds(*index, 3));
    index.reset();
    EXPECT_TRUE(holds(*AgeTieredIndex::open(path, kOptions), 3));
  }
  EXPECT_GT(n_went_on, 10U);
  EXPECT_GT(n_refused, 0U);
}

// Writes that the system takes in part and then refuses: a limit on the size of files.
TEST(SegmentIndexCrash, ShortWritesLeaveNothingHalf) {
  for (const rlim_t limit : {rlim_t{1}, rlim_t{100}, rlim_t{4096}, rlim_t{4097}, rlim_t{6000}}) {
    SCOPED_TRACE("limit of " + std::to_string(limit) + " bytes");
    const TempDirectory directory;
    const std::filesystem::path path = directory.path() / "index";
    {
      const auto index = AgeTieredIndex::open(path);
      index->append(batch(0));
      index->flush();
    }
    const pid_t child = ::fork();
    if (child == 0) {
      int result = 1;
      try {
        const auto index = AgeTieredIndex::open(path);
        index->append(numbered_entries(500));
        std::signal(SIGXFSZ, SIG_IGN);
        rlimit limits{limit, RLIM_INFINITY};
        ::setrlimit(RLIMIT_FSIZE, &limits);
        try {
          index->flush();
        } catch (const IoError& error) {
          limits.rlim_cur = RLIM_INFINITY;
          ::setrlimit(RLIMIT_FSIZE, &limits);
          const bool is_same = index->lookup(numbered_key(400)) == 1400U;
          index->flush();  // now it can
          result = error.error_number() == EFBIG && is_same ? 0 : 2;
        }
      } catch (...) {
        result = 3;
      }
      ::_exit(result);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
    const auto index = AgeTieredIndex::open(path);
    EXPECT_EQ(index->status().segments, 2U);
    EXPECT_EQ(index->lookup(numbered_key(400)), 1400U);
  }
}

// A crash between the new manifest and the removal of what it replaces, or before the manifest.
TEST(SegmentIndexCrash, LeftoversAreRemovedAndStrangersAreNot) {
  const TempDirectory directory;
  const std::filesystem::path path = directory.path() / "index";
  const std::filesystem::path saved = directory.path() / "saved";
  {
    const auto index = AgeTieredIndex::open(path);
    for (unsigned round = 0; round < 3; ++round) {
      index->append(batch(round));
      index->flush();
    }
    std::filesystem::copy(path, saved);
    index->compact_all();
  }
  std::filesystem::copy(saved / "seg_000001.bin", path / "seg_000001.bin");
  std::filesystem::copy(saved / "seg_000002.bin", path / "seg_000099.bin");
  std::filesystem::copy(saved / "seg_000002.bin", path / "seg_000100.bin.tmp");
  std::filesystem::copy(saved / "seg_000002.bin", path / "segments.manifest.tmp");
  std::filesystem::copy(saved / "seg_000002.bin",
                        path / ".seg_000101.bin.0123456789abcdef.furrow-tmp");
  std::filesystem::copy(saved / "seg_000002.bin", path / "notes.bin");
  const auto index = AgeTieredIndex::open(path);
  EXPECT_TRUE(holds(*index, 3));
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(path)) {
    names.push_back(entry.path().filename().native());
  }
  std::sort(names.begin(), names.end());
  EXPECT_EQ(names,
            (std::vector<std::string>{"lock", "notes.bin", "seg_000003.bin", "segments.manifest"}));
}

TEST(SegmentIndexCrash, WhatIsNotFlushedIsNotPromised) {
  const TempDirectory directory;
  const std::filesystem::path path = directory.path() / "index";
  {
    const auto index = AgeTieredIndex::open(path);
    index->append(batch(0));
    index->flush();
    index->append(batch(1));
  }
  EXPECT_TRUE(holds(*AgeTieredIndex::open(path), 1));
}

}  // namespace
}  // namespace furrow
