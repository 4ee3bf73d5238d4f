// SPDX-License-Identifier: Apache-2.0
#include "host/farm/farm_size.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "host/base/rollback.hpp"
#include "host/farm/farm_errors.hpp"
#include "host/pieces/piece_cache.hpp"

namespace furrow {
namespace {

namespace fs = std::filesystem;

FarmSize make_size(std::uint64_t allocated_space, std::uint16_t pieces_in_sector,
                   unsigned cache_percentage) {
  return {allocated_space, cache_percentage,
          SpaceDistribution::compute(allocated_space, pieces_in_sector, cache_percentage)};
}

std::optional<FarmSize> size_if_any(std::uint64_t allocated_space, std::uint16_t pieces_in_sector,
                                    unsigned cache_percentage) {
  const auto space =
      SpaceDistribution::compute_if_any(allocated_space, pieces_in_sector, cache_percentage);
  return space ? std::optional(FarmSize{allocated_space, cache_percentage, *space}) : std::nullopt;
}

/// The decision about a farm that exists, in the terms of one place.
class Choice {
 public:
  Choice(const FarmOptions& options, const FarmInfo& info, const FarmFileSizes& sizes)
      : options_(options),
        info_(info),
        sizes_(sizes),
        stored_share_(cache_percentage_of(info.allocated_space, info.pieces_in_sector, sizes)) {
    if (!stored_share_ && options.cache_percentage) {
      FarmFileSizes planned = sizes;  // a share that is named needs no cache file to be believed
      const auto named =
          size_if_any(info.allocated_space, info.pieces_in_sector, *options.cache_percentage);
      planned.piece_cache = named ? round_up_to_page(named->space.piece_cache_file_size) : 0;
      stored_share_ = cache_percentage_of(info.allocated_space, info.pieces_in_sector, planned);
    }
  }

  /// That of the files as they are; none when the stored one is not theirs.
  [[nodiscard]] std::optional<FarmSize> stored() const {
    return stored_share_ ? size_if_any(info_.allocated_space, info_.pieces_in_sector,
                                       share_at(info_.allocated_space))
                         : std::nullopt;
  }

  [[nodiscard]] FarmSize size(std::uint16_t counted) const {
    if (options_.allocated_space) {
      return at(*options_.allocated_space);
    }
    if (options_.min_sectors) {
      return for_sectors(counted);
    }
    require_stored_size();
    return at(info_.allocated_space);
  }

 private:
  void require_stored_size() const {
    if (!stored_share_) {
      throw stored_size_mismatch(options_, info_, sizes_);
    }
  }

  [[nodiscard]] FarmSize at(std::uint64_t allocated_space) const {
    return make_size(allocated_space, info_.pieces_in_sector, share_at(allocated_space));
  }

  [[nodiscard]] unsigned share_at(std::uint64_t allocated_space) const {
    if (options_.cache_percentage) {
      return *options_.cache_percentage;
    }
    const bool has_cache = sizes_.piece_cache != 0;
    if (stored_share_ && !(has_cache && *stored_share_ == 0)) {
      return *stored_share_;
    }
    return has_cache ? cache_percentage_beside(allocated_space, info_.pieces_in_sector,
                                               sizes_.piece_cache)
                           .value_or(kDefaultCachePercentage)
                     : 0;
  }

  [[nodiscard]] FarmSize for_sectors(std::uint16_t counted) const {
    const bool may_shrink = options_.may_drop_sectors;
    const std::uint16_t needed =
        may_shrink ? *options_.min_sectors : std::max(*options_.min_sectors, counted);
    const unsigned share = share_at(info_.allocated_space);
    if (stored_share_) {
      const auto now = size_if_any(info_.allocated_space, info_.pieces_in_sector, share);
      if (now &&
          (may_shrink ? now->space.sector_count == needed : now->space.sector_count >= needed)) {
        return *now;
      }
    }
    const FarmSize other =
        make_size(allocated_space_for_sectors(needed, info_.pieces_in_sector, share),
                  info_.pieces_in_sector, share);
    if (!is_interrupted_growth(info_, sizes_, share, other.space)) {
      require_stored_size();
    }
    return other;
  }

  const FarmOptions& options_;
  const FarmInfo& info_;
  const FarmFileSizes& sizes_;
  /// None when the stored size is not that of the files.
  std::optional<unsigned> stored_share_;
};

using WantedSizes = std::vector<std::pair<const File*, std::uint64_t>>;

/// Where one file grows and another one shrinks, a full disk has room for that only when the other
/// one goes first. Its bytes go, but its size stays until all is done, so that a crash in between
/// leaves a farm whose sizes are those of its info file. What counted sectors have stays, too.
/// `removed` is a piece cache that goes as a whole, or null. A rollback reserves the space again if
/// it is there; the bytes were nobody's, or cached.
void release_what_goes(const WantedSizes& wanted, const FarmFiles& files, const fs::path* removed,
                       Rollback& rollback) {
  const bool does_any_grow =
      std::ranges::any_of(wanted, [](const auto& one) { return one.first->size() < one.second; });
  if (!does_any_grow) {
    return;
  }
  const auto counted = static_cast<std::uint16_t>(files.slots.size());
  const auto release_from = [](const File& file, std::uint64_t begin) {
    const std::uint64_t size = file.size();
    if (begin < size) {
      file.release(begin, size - begin);
    }
  };
  for (const auto& [file, new_size] : wanted) {
    const std::uint64_t old_size = file->size();
    if (old_size <= new_size) {
      continue;
    }
    rollback.add([shrunk = file, old_size] { shrunk->preallocate(old_size); });
    const std::uint64_t needed = file == &files.plot.file()       ? files.plot.size_for(counted)
                                 : file == &files.metadata.file() ? MetadataFile::size_for(counted)
                                                                  : 0;
    release_from(*file, std::max(new_size, needed));
  }
  if (removed != nullptr) {
    rollback.add([path = *removed] {
      const File file = File::open_or_create(path);
      file.preallocate(file.size());
    });
    release_from(File::open_or_create(*removed), 0);
  }
}

}  // namespace

FarmSize size_of_new_farm(const FarmOptions& options) {
  const std::uint16_t pieces = options.pieces_in_sector.value_or(kMaxPiecesInSector);
  const unsigned share = options.cache_percentage.value_or(kDefaultCachePercentage);
  if (!options.allocated_space && !options.min_sectors) {
    throw InvalidArgument("no farm in " + options.directory.native() +
                          ": creating one needs an allocated space");
  }
  return make_size(options.allocated_space
                       ? *options.allocated_space
                       : allocated_space_for_sectors(*options.min_sectors, pieces, share),
                   pieces, share);
}

std::optional<FarmSize> stored_size(const FarmOptions& options, const FarmInfo& info,
                                    const FarmFileSizes& sizes) {
  return Choice(options, info, sizes).stored();
}

FarmSize size_of_existing_farm(const FarmOptions& options, const FarmInfo& info,
                               const FarmFileSizes& sizes, std::uint16_t counted) {
  const FarmSize size = Choice(options, info, sizes).size(counted);
  if (counted > size.space.sector_count && !options.may_drop_sectors) {
    throw WouldLoseSectors(
        size.allocated_space, size.cache_percentage, size.space.sector_count, counted,
        allocated_space_for_sectors(counted, info.pieces_in_sector, size.cache_percentage));
  }
  return size;
}

void change_size(FarmFiles& files, const fs::path& directory, const FarmSize& size) {
  const fs::path cache_path = directory / kPieceCacheFileName;
  std::error_code ignored;  // what hinders this hinders opening too, which says so
  const bool had_cache = fs::exists(cache_path, ignored);
  const std::uint64_t cache_size = round_up_to_page(size.space.piece_cache_file_size);
  std::optional<File> cache;  // outlives the rollback
  Rollback rollback;
  WantedSizes wanted = {{&files.metadata.file(), round_up_to_page(size.space.metadata_file_size)},
                        {&files.plot.file(), size.space.plot_file_size}};
  if (cache_size != 0) {
    if (!had_cache) {
      rollback.remove(cache_path);
    }
    cache = File::open_or_create(cache_path);
    wanted.emplace_back(&*cache, cache_size);
  }
  release_what_goes(wanted, files, cache_size == 0 && had_cache ? &cache_path : nullptr, rollback);
  for (const auto& [file, new_size] : wanted) {
    const std::uint64_t old_size = file->size();
    if (old_size < new_size) {
      rollback.add([grown = file, old_size] { grown->resize(old_size); });
      file->preallocate(new_size);
      file->sync();
    }
  }
  if (cache.has_value() && !had_cache) {
    sync_directory(directory);
  }
  const auto counted = static_cast<std::uint16_t>(files.slots.size());
  const bool are_dropped = counted > size.space.sector_count;
  if (are_dropped) {
    rollback.add([&files, counted] { files.metadata.write_header(counted); });
    files.metadata.write_header(size.space.sector_count);
    files.metadata.sync();
  }
  if (size.allocated_space != files.info.allocated_space) {
    const FarmInfo old_info = files.info;
    rollback.add([&files, old_info] {
      files.info = old_info;
      old_info.write_to(*files.info_file);
    });
    files.info.allocated_space = size.allocated_space;
    files.info.write_to(*files.info_file);
  }
  rollback.dismiss();  // from here on what is given up cannot come back
  if (are_dropped) {
    files.slots.resize(size.space.sector_count);
    files.warnings.push_back("sectors " + std::to_string(size.space.sector_count) + " to " +
                             std::to_string(counted - 1) + " are dropped, as asked for");
  }
  for (const auto& [file, new_size] : wanted) {
    if (file->size() > new_size) {
      file->resize(new_size);
      file->sync();
    }
  }
  if (cache_size == 0 && had_cache) {
    std::error_code error;
    fs::remove(cache_path, error);
    if (error) {
      throw IoError("remove", cache_path.native(), error.value());
    }
    sync_directory(directory);
  }
}

}  // namespace furrow
