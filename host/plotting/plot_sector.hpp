// SPDX-License-Identifier: Apache-2.0
// One sector from pieces to bytes in one call, for whoever has a sector to plot and no others to plot beside
// it (docs/spec/03-record-encoding-and-sector.md, section 6.1). Many: plot_pipeline.hpp.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>
#include <vector>

#include "host/base/gate.hpp"
#include "host/base/observer.hpp"
#include "host/base/permits.hpp"
#include "host/plotting/encode_sector.hpp"
#include "host/plotting/plotting_event.hpp"

namespace furrow {

struct PlotSectorOptions {
  DownloadOptions download;
  RecordsEncoder& encoder;
  /// When set, one is taken first, and given back at the end: sectors in memory at the same time.
  Permits* sectors = nullptr;
  /// Waited for before the download and before the layout, when set.
  Gate* gate = nullptr;
  /// Told how far the sector is; there is no Writing. Failed comes for what is thrown.
  Observer<const PlottingEvent&> on_event = {};
  /// Told of each record that is encoded, between Encoding and the next event; from any thread,
  /// possibly several at once.
  Observer<> on_record_done = {};
};

/// Downloads, encodes and lays out a sector, one after the other, the last by `lay_out`, which is not
/// called unless all before it is done. When an encoder gave wrong bytes (WrongEncoding), the sector
/// is made anew, since it is used no more. None when a stop was requested. Throws what
/// download_sector, encode_sector and lay_out throw.
std::optional<PlottedSector> plot_sector(const SectorPlan& plan, const PlotSectorOptions& options,
                                         const std::function<void(const EncodedSector&)>& lay_out,
                                         const std::stop_token& stop);

/// The same into `output`, which is empty or has the size of the sector; it is as it was when there
/// is no sector.
std::optional<PlottedSector> plot_sector(const SectorPlan& plan, const PlotSectorOptions& options,
                                         std::vector<std::uint8_t>& output,
                                         const std::stop_token& stop);

}  // namespace furrow
