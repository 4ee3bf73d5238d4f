// SPDX-License-Identifier: Apache-2.0
#include "host/farm/farm_consistency.hpp"

#include <algorithm>
#include <string>
#include <system_error>

#include "host/pieces/piece_cache.hpp"

namespace furrow {
namespace {

namespace fs = std::filesystem;

bool has_sizes(const SpaceDistribution& space, const FarmFileSizes& sizes) {
  return space.plot_file_size == sizes.plot &&
         round_up_to_page(space.metadata_file_size) == sizes.metadata;
}

std::string difference(const char* name, std::uint64_t expected, std::uint64_t actual) {
  return expected == actual ? ""
                            : std::string(name) + ", expected " + std::to_string(expected) +
                                  " bytes, actual " + std::to_string(actual);
}

/// An allocated space for as many sectors as plot.bin has room for, beside the piece cache.
std::uint64_t mending_size(const FarmInfo& info, const FarmFileSizes& sizes) {
  const auto sectors = static_cast<std::uint16_t>(std::clamp<std::uint64_t>(
      sizes.plot / sector_size(Network::kAbundance, info.pieces_in_sector), 1, kMaxSectors));
  for (unsigned percentage = 0; percentage < 100; ++percentage) {
    const std::uint64_t size =
        allocated_space_for_sectors(sectors, info.pieces_in_sector, percentage);
    const auto space = SpaceDistribution::compute_if_any(size, info.pieces_in_sector, percentage);
    if (space && round_up_to_page(space->piece_cache_file_size) >= sizes.piece_cache) {
      return size;
    }
  }
  return allocated_space_for_sectors(sectors, info.pieces_in_sector, kDefaultCachePercentage);
}

/// The smallest share with which all files get exactly these sizes but for a piece cache that is
/// not there; none when no share does, or there is one.
std::optional<unsigned> share_without_its_cache(const FarmInfo& info, const FarmFileSizes& sizes) {
  for (unsigned percentage = 1; percentage < 100 && sizes.piece_cache == 0; ++percentage) {
    const auto space =
        SpaceDistribution::compute_if_any(info.allocated_space, info.pieces_in_sector, percentage);
    if (space && has_sizes(*space, sizes)) {
      return percentage;
    }
  }
  return std::nullopt;
}

}  // namespace

FarmFileSizes FarmFileSizes::of(const fs::path& directory, const MetadataFile& metadata,
                                const PlotFile& plot) {
  std::error_code absent;
  const std::uintmax_t cache = fs::file_size(directory / kPieceCacheFileName, absent);
  return {.metadata = metadata.file().size(),
          .plot = plot.file().size(),
          .piece_cache = absent ? 0 : cache};
}

std::optional<unsigned> cache_percentage_of(std::uint64_t allocated_space,
                                            std::uint16_t pieces_in_sector,
                                            const FarmFileSizes& sizes) {
  const auto fits = [&](unsigned percentage, bool with_cache) {
    const auto space =
        SpaceDistribution::compute_if_any(allocated_space, pieces_in_sector, percentage);
    return space.has_value() && has_sizes(*space, sizes) &&
           (!with_cache || round_up_to_page(space->piece_cache_file_size) == sizes.piece_cache);
  };
  for (unsigned percentage = 0; percentage < 100; ++percentage) {
    if (fits(percentage, true)) {
      return percentage;
    }
  }
  return fits(0, false) ? std::optional(0U) : std::nullopt;
}

std::optional<unsigned> cache_percentage_beside(std::uint64_t allocated_space,
                                                std::uint16_t pieces_in_sector,
                                                std::uint64_t piece_cache) {
  for (unsigned percentage = 0; percentage < 100; ++percentage) {
    const auto space =
        SpaceDistribution::compute_if_any(allocated_space, pieces_in_sector, percentage);
    if (space && round_up_to_page(space->piece_cache_file_size) >= piece_cache) {
      return percentage;
    }
  }
  return std::nullopt;
}

void check_info(const FarmOptions& options, const FarmInfo& info, const fs::path& info_file) {
  if (options.genesis_root && *options.genesis_root != info.genesis_root) {
    throw WrongChain(info_file, *options.genesis_root, info.genesis_root);
  }
  if (info.pieces_in_sector == 0) {
    throw MalformedData(info_file.native() + ": \"piecesInSector\", expected at least 1, actual 0");
  }
  if (info.pieces_in_sector > kMaxPiecesInSector) {
    throw PiecesInSectorMismatch(info_file, "at most " + std::to_string(kMaxPiecesInSector),
                                 info.pieces_in_sector);
  }
  if (options.pieces_in_sector && *options.pieces_in_sector != info.pieces_in_sector) {
    throw PiecesInSectorMismatch(info_file, std::to_string(*options.pieces_in_sector),
                                 info.pieces_in_sector);
  }
}

Identity open_identity(const FarmOptions& options, const FarmInfo& info) {
  const fs::path path = options.directory / kIdentityFileName;
  const fs::path info_file = options.directory / kFarmInfoFileName;
  std::error_code ignored;  // what hinders this hinders opening too, which says so
  if (!fs::exists(path, ignored) && !ignored) {
    throw IdentityMissing(path);
  }
  Identity identity = Identity::open(path);
  if (identity.public_key() != info.public_key) {
    throw IdentityMismatch(info_file, info.public_key, identity.public_key());
  }
  if (identity.shard_commitments_seed() != info.shard_commitments_seed) {
    throw ShardCommitmentsSeedMismatch(info_file, identity.shard_commitments_seed(),
                                       info.shard_commitments_seed);
  }
  return identity;
}

bool is_interrupted_growth(const FarmInfo& info, const FarmFileSizes& sizes,
                           unsigned cache_percentage, const SpaceDistribution& wanted) {
  const auto before = SpaceDistribution::compute_if_any(info.allocated_space, info.pieces_in_sector,
                                                        cache_percentage);
  return before.has_value() && before->plot_file_size <= sizes.plot &&
         sizes.plot <= wanted.plot_file_size &&
         round_up_to_page(before->metadata_file_size) <= sizes.metadata &&
         sizes.metadata <= round_up_to_page(wanted.metadata_file_size);
}

StoredSizeMismatch stored_size_mismatch(const FarmOptions& options, const FarmInfo& info,
                                        const FarmFileSizes& sizes) {
  const auto wanted = SpaceDistribution::compute_if_any(
      info.allocated_space, info.pieces_in_sector,
      options.cache_percentage.value_or(sizes.piece_cache == 0 ? 0 : kDefaultCachePercentage));
  const fs::path info_file = options.directory / kFarmInfoFileName;
  const std::uint64_t mending = mending_size(info, sizes);
  if (const auto share = share_without_its_cache(info, sizes)) {
    return StoredSizeMismatch::without_cache(info_file, info.allocated_space, *share, mending);
  }
  std::string differences = "no farm has that space";
  if (wanted.has_value()) {
    differences = difference(kPlotFileName, wanted->plot_file_size, sizes.plot);
    const std::string other =
        difference(kMetadataFileName, round_up_to_page(wanted->metadata_file_size), sizes.metadata);
    differences += (differences.empty() || other.empty() ? "" : ", and ") + other;
  }
  return {info_file, info.allocated_space, differences, mending};
}

}  // namespace furrow
