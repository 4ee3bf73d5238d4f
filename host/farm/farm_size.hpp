// SPDX-License-Identifier: Apache-2.0
// How large a farm is to be, and how much of that a piece cache gets (docs/spec/06-farm-format.md,
// section 4). The share for the cache is stored nowhere: it is what the user says, else what the
// sizes of the files tell, else that of a farmer who says nothing either.
//
// piece_cache.bin counts as used space, whoever made it: where no share gives it its size, the
// sectors get what is left beside it.
#pragma once

#include <cstdint>
#include <optional>

#include "host/farm/farm_consistency.hpp"
#include "host/farm/farm_open.hpp"
#include "host/farm/farm_options.hpp"
#include "host/farm/space.hpp"

namespace furrow {

/// An allocated space and what it makes.
struct FarmSize {
  std::uint64_t allocated_space = 0;
  unsigned cache_percentage = 0;
  SpaceDistribution space;
};

/// Of a new farm. Throws InvalidArgument when the options name no size, and what
/// SpaceDistribution::compute throws.
FarmSize size_of_new_farm(const FarmOptions& options);

/// Of a farm that exists, as it is: what size_of_existing_farm gives when nothing is asked for.
/// None when the stored size is not that of the files, or makes no farm.
std::optional<FarmSize> stored_size(const FarmOptions& options, const FarmInfo& info,
                                    const FarmFileSizes& sizes);

/// Of a farm that exists and has `counted` sectors: the size that is asked for, or the one that it
/// has. Asking for a size completes a change of size that was interrupted. Throws
/// StoredSizeMismatch for a stored size that the files do not have when none is asked for,
/// WouldLoseSectors when there is no room for all counted sectors and they may not be dropped, and
/// what SpaceDistribution::compute throws.
FarmSize size_of_existing_farm(const FarmOptions& options, const FarmInfo& info,
                               const FarmFileSizes& sizes, std::uint16_t counted);

/// Brings files, count and info to that size. The info file comes after the space that it promises
/// and before the sizes that it gives up (their blocks may go before, when something else grows);
/// sectors for which there is no more room are no longer
/// counted before anything of them goes. piece_cache.bin keeps the elements that it has room for,
/// new ones are empty, and one that gets no space is removed.
void change_size(FarmFiles& files, const std::filesystem::path& directory, const FarmSize& size);

}  // namespace furrow
