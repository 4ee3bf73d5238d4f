// SPDX-License-Identifier: Apache-2.0
// What the files that make up class Farm share.
#pragma once

#include <string>

#include "host/farm/farm.hpp"

namespace furrow {

inline std::string sector_name(SectorIndex index) {
  return "sector " + std::to_string(index.value());
}

inline SectorState state_of(const SlotSummary& slot) {
  return slot.holds_nothing ? SectorState::kLost : SectorState::kPlotted;
}

}  // namespace furrow
