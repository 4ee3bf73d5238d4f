// SPDX-License-Identifier: Apache-2.0
// Second stage of plotting: records into their encoded form, and those into the bytes of the sector
// (docs/spec/03-record-encoding-and-sector.md, section 6.1).
#pragma once

#include <cstdint>
#include <optional>
#include <stop_token>
#include <vector>

#include "furrow/records_encoder.hpp"

#include "host/base/observer.hpp"
#include "host/plotting/download_sector.hpp"
#include "host/plotting/plotted_sector.hpp"
#include "host/sector/contents_map.hpp"

namespace furrow {

struct EncodedSector {
  PlottedSector plotted_sector;
  RawSector raw_sector;  ///< records are the encoded ones
  SectorContentsMap contents_map;
};

/// Encodes a downloaded sector; none when a stop was requested. `on_record_done` is told of each
/// record, from any thread, possibly several at once. Throws RecordsEncoderError, and WrongEncoding
/// when a device gave wrong bytes: the sector then has to be downloaded again.
std::optional<EncodedSector> encode_sector(DownloadedSector downloaded, RecordsEncoder& encoder,
                                           std::stop_token stop,
                                           const Observer<>& on_record_done = {});

/// The bytes of the sector, into `output`, which must be empty (it is then sized) or have the right
/// size already; throws BadSectorOutputSize otherwise.
void lay_out_sector(const EncodedSector& encoded, std::vector<std::uint8_t>& output);

}  // namespace furrow
