// SPDX-License-Identifier: Apache-2.0
#include "host/farm/farm_create.hpp"

#include <array>
#include <cerrno>
#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include <sodium.h>

#include "host/base/existence.hpp"
#include "host/farm/farm_errors.hpp"
#include "host/farm/farm_info.hpp"
#include "host/farm/farm_size.hpp"
#include "host/farm/file_place.hpp"
#include "host/farm/identity.hpp"
#include "host/farm/metadata_file.hpp"
#include "host/farm/space.hpp"
#include "host/pieces/piece_cache.hpp"

namespace furrow {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kMarkText =
    "furrow is making a farm here. Repeat the command to complete it, or remove what is here.\n";

/// What may not be there when a farm is made.
constexpr std::array kOwnNames = {kFarmInfoFileName,   kIdentityFileName,   kMetadataFileName,
                                  kPlotFileName,       kPieceCacheFileName, kStateDirectoryName,
                                  kIndexDirectoryName, kChainFileName};

Ulid new_ulid() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  std::array<std::uint8_t, 10> random{};
  randombytes_buf(random.data(), random.size());
  return Ulid::from_parts(static_cast<std::uint64_t>(
                              std::chrono::duration_cast<std::chrono::milliseconds>(now).count()),
                          random);
}

/// Opens a file for writing; `rollback` removes it or gives it its old size back.
File open_with_rollback(const fs::path& path, Rollback& rollback) {
  const bool is_new = !is_name_taken(path);
  File file = File::open_or_create(path);
  if (is_new) {
    rollback.remove(path);
  } else {
    rollback.restore_size(path, file.size());
  }
  return file;
}

/// Reserves the space of a file of a new farm.
void set_size(const File& file, std::uint64_t size) {
  file.preallocate(size);
  file.resize(size);
}

/// Without an info file nothing says what the sectors are, yet they may be worth months of work.
void refuse_sectors_without_info(const fs::path& directory) {
  std::uint16_t count = 0;
  try {
    count =
        MetadataFile(File::open_read(directory / kMetadataFileName)).read_plotted_sector_count();
  } catch (const FarmFileTooShort&) {
    return;  // nothing that counts sectors
  } catch (const IoError& error) {
    if (error.error_number() == ENOENT || !is_name_taken(directory / kCreationMarkName)) {
      return;
    }
    throw;
  } catch (const UnsupportedMetadataVersion&) {
    if (!is_name_taken(directory / kCreationMarkName)) {
      return;  // nobody's file, which begin_creation refuses
    }
    throw;
  }
  if (count != 0) {
    throw MalformedData((directory / kFarmInfoFileName).native() +
                        ": missing or empty, but metadata.bin counts " + std::to_string(count) +
                        " plotted sectors; a new farm would lose them");
  }
}

/// What is there without the mark is not ours.
void refuse_files_of_no_farm(const fs::path& directory) {
  for (const char* name : kOwnNames) {
    if (is_name_taken(directory / name)) {
      throw FileOfNoFarm(directory / name);
    }
  }
}

/// Puts the mark down, or finds that of an interrupted creation. Whatever is made is made after it.
void begin_creation(const fs::path& directory, Rollback& rollback) {
  const fs::path mark = directory / kCreationMarkName;
  if (is_name_taken(mark)) {
    return;
  }
  refuse_files_of_no_farm(directory);
  const File file = File::create_new(mark);
  rollback.remove(mark);
  file.write_at(0, {reinterpret_cast<const std::uint8_t*>(kMarkText.data()), kMarkText.size()});
  file.sync();
  sync_directory(directory);
}

FarmInfo info_of_new_farm(const FarmOptions& options) {
  if (!options.genesis_root) {
    throw InvalidArgument("no farm in " + options.directory.native() +
                          ": creating one needs a genesis root");
  }
  FarmInfo info;
  info.genesis_root = *options.genesis_root;
  info.pieces_in_sector = options.pieces_in_sector.value_or(kMaxPiecesInSector);
  return info;
}

}  // namespace

bool is_farm_to_be_created(const fs::path& directory) {
  const fs::path path = directory / kFarmInfoFileName;
  if (!is_name_taken(path)) {
    return true;
  }
  const File file = File::open_read(path);
  if (file.size() == 0 || !is_name_taken(directory / kCreationMarkName)) {
    return file.size() == 0;
  }
  try {
    (void)FarmInfo::read_from(file);
    return false;
  } catch (const MalformedData&) {
    return true;
  }
}

void check_farm_can_be_created(const FarmOptions& options) {
  refuse_sectors_without_info(options.directory);
  check_directory_can_be_made(options.directory, options.make_directory);
  if (!is_name_taken(options.directory / kCreationMarkName)) {
    refuse_files_of_no_farm(options.directory);
  }
}

void create_farm_files(FarmOptions& options, std::shared_ptr<File>& info_file, Rollback& rollback) {
  std::optional<FarmSize> size;
  if (!options.sectors_of_new_farm) {
    size = size_of_new_farm(options);  // what makes no farm is refused before anything is made
  }
  FarmInfo info = info_of_new_farm(options);
  const fs::path& directory = options.directory;
  refuse_sectors_without_info(directory);
  make_directory(directory, options.make_directory,
                 [&](const fs::path& made) { rollback.remove(made); });
  begin_creation(directory, rollback);

  const fs::path info_path = directory / kFarmInfoFileName;
  const bool is_new = !is_name_taken(info_path);
  info_file = std::make_shared<File>(File::open_or_create(info_path));
  if (options.lock && !info_file->try_lock()) {
    rollback.dismiss();  // all that is here is needed by whoever has the lock
    throw FarmInUse(info_path);
  }
  if (!FilePlace(*info_file).is_there()) {  // somebody else has taken a creation back
    rollback.dismiss();
    throw FarmGone(info_path);
  }
  if (!is_farm_to_be_created(directory)) {  // somebody else was faster
    rollback.dismiss();
    return;
  }
  if (is_new) {
    rollback.remove(info_path);
  } else {
    rollback.restore_size(info_path, 0);
  }
  info_file->resize(0);

  const fs::path identity_path = directory / kIdentityFileName;
  if (!is_name_taken(identity_path)) {
    rollback.remove(identity_path);
  }
  const Identity identity = Identity::open_or_create(identity_path);
  info.id = new_ulid();
  info.public_key = identity.public_key();
  info.shard_commitments_seed = identity.shard_commitments_seed();
  if (!size.has_value()) {
    options.min_sectors = options.sectors_of_new_farm(identity, info.pieces_in_sector);
    size = size_of_new_farm(options);
  }
  info.allocated_space = size->allocated_space;
  const SpaceDistribution& space = size->space;

  const MetadataFile metadata(open_with_rollback(directory / kMetadataFileName, rollback));
  set_size(metadata.file(), round_up_to_page(space.metadata_file_size));
  metadata.write_header(0);
  metadata.sync();
  const File plot = open_with_rollback(directory / kPlotFileName, rollback);
  set_size(plot, space.plot_file_size);
  plot.sync();
  if (space.piece_cache_capacity != 0) {
    const File cache = open_with_rollback(directory / kPieceCacheFileName, rollback);
    set_size(cache, round_up_to_page(space.piece_cache_file_size));
    cache.sync();
  }
  options.chain_parameters.value_or(ChainParameters())
      .write_to(open_with_rollback(directory / kChainFileName, rollback));
  sync_directory(directory);
  info.write_to(*info_file);
}

void end_creation(const fs::path& directory) {
  const fs::path mark = directory / kCreationMarkName;
  std::error_code error;
  fs::remove(mark, error);
  if (error) {
    throw IoError("remove", mark.native(), error.value());
  }
}

}  // namespace furrow
