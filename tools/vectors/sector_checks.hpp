// SPDX-License-Identifier: Apache-2.0
// What the vector files of each network say of the bytes of a sector in the same words.
#pragma once

#include <cstdint>
#include <span>

#include "host/sector/sector_metadata.hpp"
#include "nlohmann/json.hpp"
#include "tools/vectors/vector_report.hpp"

namespace furrow::vectors {

/// Regions, lengths and digests of the sector, and its metadata.
void check_sector(const nlohmann::json& expected, const SectorMetadata& metadata,
                  std::span<const std::uint8_t> sector, const CaseChecker& check);

}  // namespace furrow::vectors
