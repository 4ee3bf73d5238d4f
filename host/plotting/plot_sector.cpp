// SPDX-License-Identifier: Apache-2.0
#include "host/plotting/plot_sector.hpp"

#include <utility>

namespace furrow {

std::optional<PlottedSector> plot_sector(const SectorPlan& plan, const DownloadOptions& download,
                                         RecordsEncoder& encoder, std::vector<std::uint8_t>& output,
                                         const std::stop_token& stop) {
  std::optional<DownloadedSector> downloaded = download_sector(plan, download, stop);
  if (!downloaded.has_value()) {
    return std::nullopt;
  }
  std::optional<EncodedSector> encoded = encode_sector(*std::move(downloaded), encoder, stop);
  if (!encoded.has_value()) {
    return std::nullopt;
  }
  lay_out_sector(*encoded, output);
  return std::move(encoded->plotted_sector);
}

}  // namespace furrow
