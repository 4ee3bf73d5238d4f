// SPDX-License-Identifier: Apache-2.0
// Verification of a whole piece pack without changing it (docs/formats/piece-pack.md).
#pragma once

#include <cstdint>
#include <filesystem>
#include <stop_token>
#include <string>
#include <vector>

#include "host/base/observer.hpp"
#include "host/store/pack_table.hpp"

namespace furrow {

/// Something that is not as it should be.
struct PackFinding {
  std::string thing;  ///< such as "frame of chunk 7 at byte 32"
  std::string reason;
};

struct PackReport {
  /// Damage. An unfinished pack has at least one finding.
  std::vector<PackFinding> broken;
  /// Whether table and trailer are there and whole.
  bool is_finished = false;
  /// Counts of the frames found: those of the table, or else the whole ones from the beginning of
  /// the file on.
  PackStatistics statistics;
  std::uint64_t intact_frames = 0;
  std::uint64_t bytes_read = 0;  ///< of frames
  /// A stop request came before the end.
  bool stopped = false;
};

struct PackProgress {
  std::uint64_t bytes_done = 0;
  std::uint64_t bytes_total = 0;  ///< of the file
};
/// Called after each frame.
using PackProgressSink = Observer<const PackProgress&>;

/// Verifies every byte of a pack: each frame by its checksum, against the table, and by the hash of
/// the bytes that it decompresses to. Without a whole table it reads frame by frame up to the first
/// that is damaged. Damage goes into the report; throws only when the file cannot be opened, and
/// NotAPiecePack or UnsupportedPackVersion. A stop request takes effect within one frame.
PackReport verify_pack(const std::filesystem::path& file, const PackProgressSink& progress = {},
                       const std::stop_token& stop = {});

}  // namespace furrow
