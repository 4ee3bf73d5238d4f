// SPDX-License-Identifier: Apache-2.0
// What single_disk_farm.json says, held against everything else that says the same: the key, the
// state of the farm, the slots, the sizes of the files. One changed bit in that file must not make
// anybody write over a sector, so all of this comes before the first write. Nothing here writes.
//
//   id                    FARM/state
//   genesisRoot           the chain that the caller names
//   publicKey             identity.bin
//   shardCommitmentsSeed  identity.bin
//   piecesInSector        slots whose checksum holds (MetadataFile::read_slot), sizes of the files
//   allocatedSpace        sizes of the files
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

#include "host/farm/farm_errors.hpp"
#include "host/farm/farm_info.hpp"
#include "host/farm/farm_options.hpp"
#include "host/farm/identity.hpp"
#include "host/farm/metadata_file.hpp"
#include "host/farm/plot_file.hpp"
#include "host/farm/space.hpp"

namespace furrow {

/// Bytes of the files whose sizes follow from the allocated space.
struct FarmFileSizes {
  std::uint64_t metadata = 0;
  std::uint64_t plot = 0;
  std::uint64_t piece_cache = 0;  ///< 0 when there is none

  static FarmFileSizes of(const std::filesystem::path& directory, const MetadataFile& metadata,
                          const PlotFile& plot);
};

/// Share of `allocated_space` for a piece cache, the smallest one, with which all files get exactly
/// these sizes; none when no share does. A piece cache that no share explains leaves the share 0.
/// That the cache, too, has to fit is what keeps a changed `allocated_space` from being explained
/// by some share.
std::optional<unsigned> cache_percentage_of(std::uint64_t allocated_space,
                                            std::uint16_t pieces_in_sector,
                                            const FarmFileSizes& sizes);

/// Throws WrongChain, PiecesInSectorMismatch, and MalformedData for a farm without pieces.
void check_info(const FarmOptions& options, const FarmInfo& info,
                const std::filesystem::path& info_file);

/// The key of the farm. Throws IdentityMissing, IdentityMismatch, ShardCommitmentsSeedMismatch and
/// what Identity::open throws.
Identity open_identity(const FarmOptions& options, const FarmInfo& info);

/// The smallest share of the space that makes a piece cache of at least this many bytes; none when
/// no share does.
std::optional<unsigned> cache_percentage_beside(std::uint64_t allocated_space,
                                                std::uint16_t pieces_in_sector,
                                                std::uint64_t piece_cache);

/// Whether the files are what a growth to `wanted` leaves that was interrupted before the info file
/// was written: larger than stored, but not yet too large.
bool is_interrupted_growth(const FarmInfo& info, const FarmFileSizes& sizes,
                           unsigned cache_percentage, const SpaceDistribution& wanted);

/// Pre: no share makes these sizes of the stored allocated space. Says why, and which size mends
/// it.
StoredSizeMismatch stored_size_mismatch(const FarmOptions& options, const FarmInfo& info,
                                        const FarmFileSizes& sizes);

}  // namespace furrow
