// SPDX-License-Identifier: Apache-2.0
// Creating and growing farms where it fails: at every file operation, and on full disks
// (docs/spec/06-farm-format.md, section 5).
#include <csignal>
#include <fstream>
#include <iostream>

#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/farm/farm.hpp"
#include "host/farm/farm_create.hpp"
#include "tests/support/made_up_farm.hpp"
#include "tests/support/temp_directory.hpp"
#include "tests/unit/farm/farm_files.hpp"

namespace furrow {
namespace {

namespace fs = std::filesystem;
using test::contents_of;
using test::copy_farm;
using test::FaultHook;
using test::make_farm;
using test::plot_options;
using test::read_options;
using test::TempDirectory;

/// Runs `attempt` with each file operation failing in turn, once alone and once with all that
/// follow, until it succeeds. `check` runs after each failure.
template <class Attempt, class Check>
void with_each_operation_failing(Attempt attempt, Check check) {
  for (const bool keeps_failing : {false, true}) {
    for (std::size_t failing = 0;; ++failing) {
      SCOPED_TRACE("operation " + std::to_string(failing) +
                   (keeps_failing ? " and all after it" : ""));
      std::size_t done = 0;
      bool has_failed = false;
      try {
        const FaultHook hook([&](FileOperation, const fs::path& path) {
          const std::size_t now = done++;
          if (now == failing || (keeps_failing && now > failing)) {
            throw IoError("write", path.native(), ENOSPC);
          }
        });
        attempt();
      } catch (const IoError& error) {
        ASSERT_EQ(error.error_number(), ENOSPC) << error.what();
        has_failed = true;
      }
      if (!has_failed) {
        EXPECT_LE(done, failing);
        EXPECT_GT(failing, 3U);
        break;
      }
      check();
    }
  }
}

TEST(FarmOpenFaults, AFailingCreationLeavesNothing) {
  const TempDirectory directory;
  FarmOptions options = plot_options(directory.path() / "a" / "farm", 2);
  options.make_directory = MakeDirectory::kParents;
  with_each_operation_failing(
      [&] {
        Farm::open(options);
        fs::remove_all(directory.path() / "a");
      },
      [&] { EXPECT_TRUE(fs::is_empty(directory.path())); });
}

TEST(FarmOpenFaults, AFailingCreationKeepsWhatWasThereBefore) {
  const TempDirectory directory;
  const fs::path path = directory.path() / "farm";
  fs::create_directory(path);
  // A creation that was interrupted behind the key, and a file that is not ours.
  Identity::create(path / kIdentityFileName);
  std::ofstream(path / kCreationMarkName) << "";
  std::ofstream(path / "notes.txt") << "mine";
  const auto before = contents_of(path);
  with_each_operation_failing(
      [&] {
        Farm::open(plot_options(path, 2));
        fs::remove(path / kFarmInfoFileName);
        fs::remove(path / kMetadataFileName);
        fs::remove(path / kPlotFileName);
        fs::remove(path / kChainFileName);
        std::ofstream(path / kCreationMarkName) << "";
      },
      [&] { EXPECT_EQ(contents_of(path), before); });
}

// What is taken back goes by its path: nobody may take the farm over before it is gone.
TEST(FarmOpenFaults, TheLockIsHeldUntilACreationIsTakenBack) {
  const TempDirectory directory;
  const fs::path path = directory.path();
  for (const char* name : {kCreationMarkName, kFarmInfoFileName, kMetadataFileName}) {
    std::ofstream(path / name) << "";
  }
  bool has_failed = false;
  std::size_t steps_back = 0;
  const FaultHook hook([&](FileOperation operation, const fs::path& file) {
    if (operation == FileOperation::kPreallocate && file.filename() == kPlotFileName) {
      has_failed = true;
      throw IoError("reserve", file.native(), ENOSPC);
    }
    if (has_failed && operation == FileOperation::kOpenForWriting) {
      ++steps_back;
      EXPECT_FALSE(File::open_read(path / kFarmInfoFileName).try_lock()) << file;
    }
  });
  EXPECT_THROW(Farm::open(plot_options(path, 2)), IoError);
  EXPECT_GE(steps_back, 2U);
}

TEST(FarmOpenFaults, AFailingGrowthLeavesTheOldFarm) {
  const TempDirectory directory;
  const fs::path path = directory.path() / "farm";
  const fs::path good = directory.path() / "good";
  make_farm(good, 2, 2);
  const auto before = contents_of(good);
  copy_farm(good, path);
  with_each_operation_failing([&] { Farm::open(plot_options(path, 5)); },
                              [&] {
                                const auto farm = Farm::open(read_options(path));
                                EXPECT_EQ(farm->sector_count(), 2);
                                EXPECT_TRUE(test::holds(*farm, test::made_up_sector(0)));
                                EXPECT_TRUE(test::holds(*farm, test::made_up_sector(1)));
                                copy_farm(good, path);
                              });
  copy_farm(good, path);
  // With a single failure everything is as before, sizes included.
  for (std::size_t failing = 0;; ++failing) {
    std::size_t done = 0;
    bool has_failed = false;
    try {
      const FaultHook hook([&](FileOperation, const fs::path& file) {
        if (done++ == failing) {
          throw IoError("write", file.native(), ENOSPC);
        }
      });
      Farm::open(plot_options(path, 5));
    } catch (const IoError&) {
      has_failed = true;
    }
    if (!has_failed) {
      break;
    }
    EXPECT_EQ(contents_of(path), before) << "operation " << failing;
  }
}

/// Runs the body in a child whose files cannot grow beyond `limit` bytes; its exit status.
template <class Body>
int in_child_with_file_size_limit(rlim_t limit, Body body) {
  const pid_t child = ::fork();
  if (child == 0) {
    std::signal(SIGXFSZ, SIG_IGN);
    const rlimit limits{limit, limit};
    ::setrlimit(RLIMIT_FSIZE, &limits);
    ::_exit(body());
  }
  int status = -1;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/// Exit code 0 when creating a farm of 5 sectors fails with IoError and leaves nothing.
int create_where_it_does_not_fit(const fs::path& path) {
  try {
    Farm::open(plot_options(path, 5));
    return 1;
  } catch (const IoError&) {
    return fs::exists(path) ? 2 : 0;
  }
}

/// Exit code 0 when growing a farm to 5 sectors fails with IoError and leaves it as it was.
int grow_where_it_does_not_fit(const fs::path& path) {
  const auto before = contents_of(path);
  try {
    Farm::open(plot_options(path, 5));
    return 1;
  } catch (const IoError&) {
    return contents_of(path) == before ? 0 : 2;
  }
}

/// Unmounts also when a test leaves early.
struct Mounted {
  fs::path path;
  ~Mounted() { ::umount2(path.c_str(), MNT_DETACH); }
};

TEST(FarmOpenFaults, AFullDiskIsSurvived) {
  const TempDirectory directory;
  const fs::path disk = directory.path() / "disk";
  fs::create_directory(disk);
  if (::mount("tmpfs", disk.c_str(), "tmpfs", 0, "size=3m") == 0) {
    std::cout << "full disk: a tmpfs of 3 MiB\n";
    const Mounted mounted{disk};
    EXPECT_EQ(create_where_it_does_not_fit(disk / "new"), 0);
    make_farm(disk / "farm", 1, 1);
    EXPECT_EQ(grow_where_it_does_not_fit(disk / "farm"), 0);
    EXPECT_TRUE(test::holds(*Farm::open(read_options(disk / "farm")), test::made_up_sector(0)));
    return;
  }
  std::cout << "full disk: a limit of the file size, tmpfs cannot be mounted here\n";
  make_farm(disk / "farm", 1, 1);
  EXPECT_EQ(in_child_with_file_size_limit(
                2'000'000, [&] { return create_where_it_does_not_fit(disk / "new"); }),
            0);
  EXPECT_EQ(in_child_with_file_size_limit(
                2'000'000, [&] { return grow_where_it_does_not_fit(disk / "farm"); }),
            0);
  EXPECT_TRUE(test::holds(*Farm::open(read_options(disk / "farm")), test::made_up_sector(0)));
}

}  // namespace
}  // namespace furrow
