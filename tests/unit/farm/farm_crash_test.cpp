// SPDX-License-Identifier: Apache-2.0
// What a farm is after its process was killed, or a write failed, at any moment
// (docs/spec/06-farm-format.md, section 6.4).
#include <csignal>
#include <map>
#include <string>

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/farm/farm.hpp"
#include "host/farm/scrub.hpp"
#include "tests/support/made_up_farm.hpp"
#include "tests/support/temp_directory.hpp"

namespace furrow {
namespace {

using test::made_up_sector;
using test::MadeUpSector;
using test::plot_options;
using test::read_options;
using test::TempDirectory;

constexpr std::uint16_t kSectors = 3;
constexpr std::uint16_t kReplotted = 1;

/// What was reported as finished, in order: one letter each.
enum Report : char {
  kOpened = 'o',
  kFirstSector = '0',  // sector i is '0' + i
  kReplotBegins = 'b',
  kReplotEnds = 'e',
  kGrowthBegins = 'g',
  kGrown = 'G',
};

/// Creates a farm, plots it, plots one sector once more and grows the farm by one sector.
template <class Sink>
void plot_a_farm(const std::filesystem::path& path, Sink report) {
  auto farm = Farm::open(plot_options(path, kSectors));
  report(kOpened);
  for (std::uint16_t i = 0; i < kSectors; ++i) {
    const MadeUpSector sector = made_up_sector(i);
    farm->write_sector(SectorIndex(i), sector.bytes, sector.metadata);
    report(static_cast<char>(kFirstSector + i));
  }
  report(kReplotBegins);
  const MadeUpSector again = made_up_sector(kReplotted, 2);
  farm->write_sector(SectorIndex(kReplotted), again.bytes, again.metadata);
  report(kReplotEnds);
  report(kGrowthBegins);
  farm.reset();
  Farm::open(plot_options(path, kSectors + 1));
  report(kGrown);
}

bool was_reported(const std::string& reports, char report) {
  return reports.find(report) != std::string::npos;
}

/// The farm holds all that was reported, wholly, and nothing that is half written.
void expect_nothing_lost(const std::filesystem::path& path, const std::string& reports) {
  if (!was_reported(reports, kOpened)) {
    return;
  }
  const auto farm = Farm::open(read_options(path));
  EXPECT_TRUE(farm->sectors_in_state(SectorState::kDamaged).empty());
  std::uint16_t reported = 0;
  while (was_reported(reports, static_cast<char>(kFirstSector + reported))) {
    ++reported;
  }
  EXPECT_GE(farm->sector_count(), reported);
  EXPECT_LE(farm->sector_count(), reported + 1);  // one may be finished, but not yet reported
  for (std::uint16_t i = 0; i < farm->sector_count(); ++i) {
    if (i != kReplotted || !was_reported(reports, kReplotBegins)) {
      EXPECT_TRUE(test::holds(*farm, made_up_sector(i))) << "sector " << i;
    } else if (was_reported(reports, kReplotEnds)) {
      EXPECT_TRUE(test::holds(*farm, made_up_sector(i, 2)));
    } else {
      EXPECT_TRUE(test::holds(*farm, made_up_sector(i)) ||
                  test::holds(*farm, made_up_sector(i, 2)) ||
                  farm->sector_state(SectorIndex(i)) == SectorState::kLost);
    }
  }
  const std::uint16_t target = farm->target_sector_count();
  EXPECT_TRUE(target == kSectors || target == kSectors + 1);
  EXPECT_TRUE(target == kSectors || was_reported(reports, kGrowthBegins));
  EXPECT_TRUE(target == kSectors + 1 || !was_reported(reports, kGrown));
}

/// Plotting goes on where it stopped, to a farm in which everything is whole.
void expect_plotting_completes(const std::filesystem::path& path) {
  {
    const auto farm = Farm::open(plot_options(path, kSectors + 1));
    EXPECT_EQ(farm->target_sector_count(), kSectors + 1);
    std::vector<SectorIndex> missing = farm->sectors_in_state(SectorState::kNotPlotted);
    const std::vector<SectorIndex> lost = farm->sectors_in_state(SectorState::kLost);
    missing.insert(missing.end(), lost.begin(), lost.end());
    for (const SectorIndex index : missing) {
      const MadeUpSector sector = made_up_sector(index.value(), 3);
      farm->write_sector(index, sector.bytes, sector.metadata);
    }
    EXPECT_EQ(farm->sectors_in_state(SectorState::kPlotted).size(), kSectors + 1U);
  }
  const ScrubReport report = scrub_farm({.directory = path, .genesis_root = {}});
  EXPECT_EQ(report.intact_sectors, kSectors + 1);
  for (const auto& findings : {report.broken, report.notes}) {
    for (const ScrubFinding& finding : findings) {
      ADD_FAILURE() << finding.thing << ": " << finding.reason;
    }
  }
}

/// Everything a child wrote into the pipe before it ended.
std::string read_all(int descriptor) {
  std::string text;
  char buffer[64];
  for (ssize_t n = 0; (n = ::read(descriptor, buffer, sizeof(buffer))) > 0;) {
    text.append(buffer, static_cast<std::size_t>(n));
  }
  return text;
}

struct ChildResult {
  std::string reports;
  bool was_killed = false;
};

/// Runs plot_a_farm in a child that kills itself before file operation `n`.
ChildResult plot_until_killed(const std::filesystem::path& path, std::size_t n) {
  int pipe_ends[2] = {-1, -1};
  EXPECT_EQ(::pipe(pipe_ends), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    std::size_t done = 0;
    set_file_fault_hook([&](FileOperation, const std::filesystem::path&) {
      if (done++ == n) {
        ::kill(::getpid(), SIGKILL);
      }
    });
    const auto report = [&](char letter) {
      if (::write(pipe_ends[1], &letter, 1) != 1) {
        ::_exit(2);
      }
    };
    try {
      plot_a_farm(path, report);
    } catch (...) {
      ::_exit(1);
    }
    ::_exit(0);
  }
  ::close(pipe_ends[1]);
  ChildResult result;
  result.reports = read_all(pipe_ends[0]);
  ::close(pipe_ends[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  result.was_killed = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
  EXPECT_TRUE(result.was_killed || (WIFEXITED(status) && WEXITSTATUS(status) == 0))
      << "status " << status;
  return result;
}

TEST(FarmCrash, KilledAtAnyFileOperationNothingFinishedIsLost) {
  for (std::size_t n = 0;; ++n) {
    SCOPED_TRACE("killed before file operation " + std::to_string(n));
    const TempDirectory directory;
    const std::filesystem::path path = directory.path() / "farm";
    const ChildResult child = plot_until_killed(path, n);
    expect_nothing_lost(path, child.reports);
    expect_plotting_completes(path);
    if (!child.was_killed || HasFailure()) {
      EXPECT_GT(n, 40U);  // the hook was at work
      EXPECT_TRUE(was_reported(child.reports, kGrown));
      return;
    }
  }
}

TEST(FarmCrash, AFailureOfAnyFileOperationNothingFinishedIsLost) {
  for (std::size_t n = 0;; ++n) {
    SCOPED_TRACE("failure of file operation " + std::to_string(n));
    const TempDirectory directory;
    const std::filesystem::path path = directory.path() / "farm";
    std::string reports;
    std::size_t done = 0;
    set_file_fault_hook([&](FileOperation, const std::filesystem::path& file) {
      if (done++ == n) {
        throw IoError("write", file.native(), ENOSPC);
      }
    });
    bool has_failed = false;
    try {
      plot_a_farm(path, [&](char letter) { reports += letter; });
    } catch (const IoError& error) {
      has_failed = true;
      EXPECT_EQ(error.error_number(), ENOSPC);
    }
    set_file_fault_hook(nullptr);
    expect_nothing_lost(path, reports);
    expect_plotting_completes(path);
    if (!has_failed || HasFailure()) {
      EXPECT_GT(n, 40U);
      return;
    }
  }
}

// A write of a slot that power loss cut short, over the old slot (the marker "lost" being written)
// or over the marker (the new slot being written).
TEST(FarmCrash, ATornSlotMakesTheSectorLostAndNothingElse) {
  const std::vector<std::uint8_t> old_slot = made_up_sector(1).metadata.encode();
  const std::vector<std::uint8_t> marker =
      SectorMetadata::expired_dummy(Network::kAbundance, SectorIndex(1), 1).encode();
  const std::vector<std::uint8_t> new_slot = made_up_sector(1, 2).metadata.encode();
  for (const auto& [below, above] :
       {std::pair{old_slot, marker}, std::pair{marker, new_slot}, std::pair{old_slot, new_slot}}) {
    for (const std::size_t torn_at :
         {std::size_t{64}, std::size_t{512}, std::size_t{4096}, std::size_t{65536},
          kSectorMetadataSize - kHashSize, kSectorMetadataSize - 1}) {
      SCOPED_TRACE("torn at " + std::to_string(torn_at));
      const TempDirectory directory;
      test::make_farm(directory.path(), kSectors, kSectors);
      const std::filesystem::path path = directory.path() / kMetadataFileName;
      test::overwrite(path, MetadataFile::slot_offset(1), below);
      test::overwrite(path, MetadataFile::slot_offset(1), std::span(above).first(torn_at));

      const ScrubReport report = scrub_farm({.directory = directory.path(), .genesis_root = {}});
      ASSERT_EQ(report.broken.size(), 1U);
      EXPECT_EQ(report.broken.front().sector, SectorIndex(1));
      EXPECT_EQ(report.broken.front().thing, "metadata.bin: slot of sector 1");

      const auto farm = Farm::open(plot_options(directory.path(), kSectors));
      EXPECT_EQ(farm->warnings().size(), 1U);
      EXPECT_EQ(farm->sectors_in_state(SectorState::kLost), std::vector{SectorIndex(1)});
      EXPECT_TRUE(test::holds(*farm, made_up_sector(0)));
      EXPECT_TRUE(test::holds(*farm, made_up_sector(2)));
      const MadeUpSector again = made_up_sector(1, 3);
      EXPECT_EQ(farm->write_sector(SectorIndex(1), again.bytes, again.metadata), kSectors);
      EXPECT_TRUE(test::holds(*farm, again));
    }
  }
}

// Whatever a crash left behind the counted sectors does not exist.
TEST(FarmCrash, RubbishBehindTheCountedSectorsIsIgnored) {
  const TempDirectory directory;
  test::make_farm(directory.path(), kSectors, 1);
  const MadeUpSector second = made_up_sector(1);
  test::overwrite(directory.path() / kPlotFileName, sector_size(Network::kAbundance, 1),
                  std::span(second.bytes).first(second.bytes.size() / 2));
  test::overwrite(directory.path() / kMetadataFileName, MetadataFile::slot_offset(1),
                  vectors::stream(7, kSectorMetadataSize));
  test::overwrite(directory.path() / kMetadataFileName, MetadataFile::slot_offset(2),
                  made_up_sector(2).metadata.encode());

  const ScrubReport report = scrub_farm({.directory = directory.path(), .genesis_root = {}});
  EXPECT_TRUE(report.broken.empty());
  EXPECT_EQ(report.intact_sectors, 1);
  ASSERT_EQ(report.notes.size(), 1U);
  EXPECT_EQ(report.notes.front().sector, SectorIndex(2));

  const auto farm = Farm::open(plot_options(directory.path(), kSectors));
  EXPECT_TRUE(farm->warnings().empty());
  EXPECT_EQ(farm->sector_count(), 1);
  EXPECT_EQ(farm->write_sector(SectorIndex(1), second.bytes, second.metadata), 2);
  EXPECT_TRUE(test::holds(*farm, made_up_sector(0)));
  EXPECT_TRUE(test::holds(*farm, second));
}

}  // namespace
}  // namespace furrow
