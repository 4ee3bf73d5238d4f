// SPDX-License-Identifier: Apache-2.0
// Opening and creating the files of a farm (docs/spec/06-farm-format.md, section 5). Everything is
// read and checked before anything is written, and what a failing call has written is taken back.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "host/farm/farm_info.hpp"
#include "host/farm/farm_options.hpp"
#include "host/farm/file_place.hpp"
#include "host/farm/identity.hpp"
#include "host/farm/metadata_file.hpp"
#include "host/farm/plot_file.hpp"
#include "host/farm/sector_state.hpp"

namespace furrow {

/// What is in the slot of a counted sector, or why nothing is.
struct LoadedSlot {
  SlotSummary summary;
  std::string damage;  ///< empty when the slot is sound
};

struct FarmFiles {
  FarmInfo info;
  /// None when the farm states none: it is of a development chain then.
  std::optional<ChainParameters> chain;
  std::shared_ptr<File> info_file;  ///< holds the lock
  Identity identity;
  MetadataFile metadata;
  PlotFile plot;
  File directory;  ///< open, so that no other directory can look like it
  /// Of the directory and of the three files above.
  std::vector<FilePlace> places;
  std::uint16_t target_sector_count = 0;
  /// Share of the allocated space that is left to a piece cache.
  unsigned cache_percentage = 0;
  /// One for each counted sector.
  std::vector<LoadedSlot> slots;
  /// What was found wrong and repaired.
  std::vector<std::string> warnings;
};

/// What opening a farm in kPlot mode would make of it.
struct FarmPlan {
  std::uint16_t pieces_in_sector = 0;
  std::uint64_t allocated_space = 0;
  std::uint16_t sector_count = 0;  ///< for which there is room
  std::vector<bool> is_plotted;    ///< sectors that are counted and not dropped
};

/// Resolves the options as open_farm_files does, down to the size, for a mode of kPlot, and changes
/// nothing. Throws what opening would, but for what only a lock or a write can tell.
FarmPlan plan_farm(const FarmOptions& options);

/// See Farm::open for the errors.
FarmFiles open_farm_files(const FarmOptions& options);

}  // namespace furrow
