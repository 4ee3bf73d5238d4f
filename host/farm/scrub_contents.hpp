// SPDX-License-Identifier: Apache-2.0
// The bytes of one sector, held against its slot and against themselves.
#pragma once

#include <cstdint>
#include <functional>
#include <span>

#include "host/farm/scrub.hpp"
#include "host/sector/sector_metadata.hpp"

namespace furrow {

/// Reads bytes of the sector at an offset.
using SectorRead = std::function<void(std::uint64_t offset, std::span<std::uint8_t> out)>;

/// Whether checksum and contents map of the sector are right; what is not goes into the report, and
/// so does an Error of `read`. What else `read` throws comes out of here.
bool check_sector_contents(const SectorMetadata& metadata, const SectorRead& read,
                           ScrubReport& report);

}  // namespace furrow
