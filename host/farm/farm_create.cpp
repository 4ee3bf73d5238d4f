#include "host/farm/farm_create.hpp"

#include <array>
#include <chrono>
#include <string>
#include <vector>

#include <sodium.h>

#include "host/farm/farm_errors.hpp"
#include "host/farm/farm_info.hpp"
#include "host/farm/farm_size.hpp"
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
constexpr std::array kOwnNames = {kFarmInfoFileName,  kIdentityFileName,   kMetadataFileName,
                                  kPlotFileName,      kPieceCacheFileName, kStateDirectoryName,
                                  kIndexDirectoryName};

/// Also of a symbolic link that leads nowhere.
bool is_there(const fs::path& path) {
  std::error_code error;
  const fs::file_status status = fs::symlink_status(path, error);
  if (status.type() == fs::file_type::none) {
    throw IoError("look for", path.native(), error.value());
  }
  return status.type() != fs::file_type::not_found;
}

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
  const bool is_new = !is_there(path);
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
  } catch (const Error&) {
    return;  // not there, or nothing that counts sectors
  }
  if (count != 0) {
    throw MalformedData((directory / kFarmInfoFileName).native() +
                        ": missing or empty, but metadata.bin counts " + std::to_string(count) +
                        " plotted sectors; a new farm would lose them");
  }
}

/// Puts the mark down, or finds that of an interrupted creation. Whatever is made is made after it.
void begin_creation(const fs::path& directory, Rollback& rollback) {
  const fs::path mark = directory / kCreationMarkName;
  if (is_there(mark)) {
    return;
  }
  for (const char* name : kOwnNames) {
    if (is_there(directory / name)) {
      throw FileOfNoFarm(directory / name);
    }
  }
  const File file = File::create_new(mark);
  rollback.remove(mark);
  file.write_at(0, {reinterpret_cast<const std::uint8_t*>(kMarkText.data()), kMarkText.size()});
  file.sync();
  sync_directory(directory);
}

FarmInfo info_of_new_farm(const FarmOptions& options, std::uint64_t allocated_space) {
  if (!options.genesis_root) {
    throw InvalidArgument("no farm in " + options.directory.native() +
                          ": creating one needs a genesis root");
  }
  FarmInfo info;
  info.genesis_root = *options.genesis_root;
  info.pieces_in_sector = options.pieces_in_sector.value_or(kMaxPiecesInSector);
  info.allocated_space = allocated_space;
  return info;
}

}  // namespace

bool is_farm_to_be_created(const fs::path& directory) {
  const fs::path path = directory / kFarmInfoFileName;
  if (!is_there(path)) {
    return true;
  }
  const File file = File::open_read(path);
  if (file.size() == 0 || !is_there(directory / kCreationMarkName)) {
    return file.size() == 0;
  }
  try {
    (void)FarmInfo::read_from(file);
    return false;
  } catch (const MalformedData&) {
    return true;
  }
}

File create_farm_files(const FarmOptions& options, Rollback& rollback) {
  const FarmSize size = size_of_new_farm(options);
  const SpaceDistribution& space = size.space;
  FarmInfo info = info_of_new_farm(options, size.allocated_space);
  const fs::path& directory = options.directory;
  refuse_sectors_without_info(directory);
  make_directory(directory, options.make_directory,
                 [&](const fs::path& made) { rollback.remove(made); });
  begin_creation(directory, rollback);

  const fs::path info_path = directory / kFarmInfoFileName;
  const bool is_new = !is_there(info_path);
  File info_file = File::open_or_create(info_path);
  if (options.lock && !info_file.try_lock()) {
    rollback.dismiss();  // all that is here is needed by whoever has the lock
    throw FarmInUse(info_path);
  }
  if (!is_farm_to_be_created(directory)) {  // somebody else was faster
    rollback.dismiss();
    return info_file;
  }
  if (is_new) {
    rollback.remove(info_path);
  } else {
    rollback.restore_size(info_path, 0);
  }
  info_file.resize(0);

  const fs::path identity_path = directory / kIdentityFileName;
  if (!is_there(identity_path)) {
    rollback.remove(identity_path);
  }
  const Identity identity = Identity::open_or_create(identity_path);
  info.id = new_ulid();
  info.public_key = identity.public_key();
  info.shard_commitments_seed = identity.shard_commitments_seed();

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
  sync_directory(directory);
  info.write_to(info_file);
  return info_file;
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
