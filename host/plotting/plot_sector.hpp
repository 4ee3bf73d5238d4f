// SPDX-License-Identifier: Apache-2.0
// One sector from pieces to bytes in one call, for whoever has a sector to plot and no others to plot beside
// it (docs/spec/03-record-encoding-and-sector.md, section 6.1). Many: plot_pipeline.hpp.
#pragma once

#include <cstdint>
#include <optional>
#include <stop_token>
#include <vector>

#include "host/plotting/encode_sector.hpp"

namespace furrow {

/// Downloads, encodes and lays out a sector, one after the other. `output` is empty or has the size of
/// the sector. None when a stop was requested; `output` is as it was then. Throws what
/// download_sector, encode_sector and lay_out_sector throw. After WrongEncoding (of a VerifiedEncoder)
/// the call may be repeated with another encoder.
std::optional<PlottedSector> plot_sector(const SectorPlan& plan, const DownloadOptions& download,
                                         RecordsEncoder& encoder, std::vector<std::uint8_t>& output,
                                         const std::stop_token& stop);

}  // namespace furrow
