// SPDX-License-Identifier: Apache-2.0
// Plans of sectors on their way across the C interface, and the parameters of a chain that they
// carry.
#pragma once

#include <cstdint>
#include <string>

#include "furrow/c/sector.h"
#include "furrow/types.hpp"

#include "host/farm/chain_parameters.hpp"
#include "host/plotting/download_sector.hpp"

namespace furrow::capi {

/// A history size of this many segments; throws InvalidArgument, naming `what`, for none.
HistorySize segments(std::uint64_t count, const std::string& what);

/// What furrow_sector_plan_init sets.
furrow_sector_plan default_sector_plan();

/// A caller's plan. Throws InvalidArgument for NULL, for a struct that is none of ours, and for
/// numbers that no sector and no chain has.
SectorPlan read_sector_plan(const furrow_sector_plan* given);
/// The parameters of the chain alone, whatever the rest of the plan is. Throws as above.
ChainParameters read_chain_parameters(const furrow_sector_plan* given);

/// The same of a plan whose struct was checked.
SectorPlan sector_plan_of(const furrow_sector_plan& plan);
ChainParameters chain_parameters_of(const furrow_sector_plan& plan);

/// The way back; the size is left to write_struct.
furrow_sector_plan plan_of(const SectorPlan& plan);

}  // namespace furrow::capi
