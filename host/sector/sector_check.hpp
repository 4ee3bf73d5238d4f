// SPDX-License-Identifier: Apache-2.0
// A sector that somebody else laid out, checked by sample.
#pragma once

#include <cstdint>
#include <span>

#include "furrow/sector_contents.hpp"

namespace furrow {

/// Whether `sector` holds `contents` (docs/spec/03-record-encoding-and-sector.md, section 4) as far
/// as this looks: contents map, its checksum and record metadata completely, and all chunks of the
/// s-buckets in `sample`. The checksum of the sector is not computed. False also for a wrong size.
/// Pre: the spans of `contents` have the same length.
bool sector_agrees(const SectorContents& contents, std::span<const std::uint8_t> sector,
                   std::span<const SBucket> sample);

}  // namespace furrow
