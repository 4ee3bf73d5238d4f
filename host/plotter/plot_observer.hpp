// SPDX-License-Identifier: Apache-2.0
// What a face is told of a plotting run while it goes on.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>

#include "furrow/types.hpp"

#include "host/base/observer.hpp"
#include "host/plotting/plot_pipeline.hpp"

namespace furrow {

class PlotMonitor;

/// The farm and what is to be done with it, as it is found when a run begins.
struct PlotBeginning {
  std::filesystem::path farm;
  std::uint16_t pieces_in_sector = 0;
  std::uint64_t sector_size = 0;    ///< bytes
  std::uint16_t sectors = 0;        ///< that the farm shall have in the end
  std::size_t sectors_to_plot = 0;  ///< of these
  std::size_t segments = 0;         ///< of the history
  std::string encoder;              ///< name of what encodes
};

/// As observers are: what they throw is dropped. Those that take lines are called from any thread,
/// possibly several at once.
struct PlotObserver {
  /// A line about something that is wrong, or may be, although the run goes on.
  Observer<const std::string&> on_warning = {};
  /// A line that is good to know.
  Observer<const std::string&> on_note = {};
  /// The farm is open, and nothing is plotted yet.
  Observer<const PlotBeginning&> on_farm = {};
  /// Plotting begins, if there is anything to plot. The monitor may be asked from any thread until
  /// on_end has returned, which is called however the run ends.
  Observer<PlotMonitor&> on_begin = {};
  Observer<> on_end = {};
  /// As PlotPipelineOptions::on_event; the monitor knows of it already.
  Observer<SectorIndex, const PlottingEvent&> on_event = {};
};

}  // namespace furrow
