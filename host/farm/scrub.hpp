// SPDX-License-Identifier: Apache-2.0
// Verification of a farm without changing it (docs/spec/06-farm-format.md, section 7).
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "furrow/types.hpp"

#include "host/base/observer.hpp"

namespace furrow {

struct ScrubOptions {
  std::filesystem::path directory;
  /// Chain that the farm should belong to; not checked when not given.
  std::optional<Hash> genesis_root = {};
  /// Whether sectors are read, all of them; otherwise files, sizes and slots only.
  bool with_contents = true;
};

/// Something that is not as it should be.
struct ScrubFinding {
  std::string thing;  ///< such as "plot.bin: contents map of sector 3"
  std::string reason;
  std::optional<SectorIndex> sector;
};

struct ScrubReport {
  /// Damage.
  std::vector<ScrubFinding> broken;
  /// Oddities that lose nothing: files of another size than configured, sectors that are complete
  /// but not counted (a crash may leave one; so does a damaged count), records with too few chunks,
  /// something else than zeros where nothing belongs.
  std::vector<ScrubFinding> notes;
  /// Sectors marked as lost, to be plotted again. Nothing else is wrong with them.
  std::vector<SectorIndex> lost;
  std::uint16_t counted_sectors = 0;
  /// Counted sectors in which nothing is broken and which are not lost.
  std::uint16_t intact_sectors = 0;
  /// Counted sectors in which something is broken, or which are missing in a file that is too
  /// short.
  std::uint16_t broken_sectors = 0;
  std::uint64_t bytes_read = 0;  ///< of plot.bin
  /// A stop request came before the end; sectors not reached are in none of the counts. Nor are
  /// they when the info file is broken.
  bool stopped = false;
};

struct ScrubProgress {
  std::uint16_t sectors_done = 0;
  std::uint16_t sectors_total = 0;
  std::uint64_t bytes_done = 0;
  std::uint64_t bytes_total = 0;
};

/// Called after each read of 1 MiB and after each sector.
using ScrubProgressSink = Observer<const ScrubProgress&>;

/// Checks info file, identity, chain parameters, metadata.bin, plot.bin and all counted sectors. Damage goes into the
/// report; throws only FarmNotFound without an info file. A stop request takes effect within one
/// read.
///
/// The farm may be plotted meanwhile. A sector that is plotted anew holds nothing, by its slot,
/// before its first byte is written over; so a sector in which something is broken, in files that
/// were written since, is looked at once more before that is reported.
ScrubReport scrub_farm(const ScrubOptions& options, const ScrubProgressSink& progress = {},
                       const std::stop_token& stop = {});

}  // namespace furrow
