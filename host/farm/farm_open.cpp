// A new farm comes into being in this order: directory, lock on the still empty info file,
// identity, metadata.bin and plot.bin with all their space, and at last the text of the info file.
// An empty info file therefore means that a creation was interrupted, before there was anything to
// lose.
#include "host/farm/farm_open.hpp"

#include <array>
#include <cerrno>
#include <chrono>
#include <utility>

#include <sodium.h>

#include "host/farm/farm_errors.hpp"
#include "host/farm/rollback.hpp"
#include "host/farm/space.hpp"

namespace furrow {
namespace {

namespace fs = std::filesystem;

bool is_there(const fs::path& path) {
  std::error_code error;
  const bool result = fs::exists(path, error);
  if (error) {
    throw IoError("look for", path.native(), error.value());
  }
  return result;
}

void check_options(const FarmOptions& options) {
  if (options.pieces_in_sector &&
      (*options.pieces_in_sector == 0 || *options.pieces_in_sector > kMaxPiecesInSector)) {
    throw InvalidArgument("pieces in sector: expected 1 to " + std::to_string(kMaxPiecesInSector) +
                          ", actual " + std::to_string(*options.pieces_in_sector));
  }
}

void take_lock(const FarmOptions& options, const File& info_file) {
  if (options.lock && !info_file.try_lock()) {
    throw FarmInUse(info_file.path());
  }
}

File open_existing(const fs::path& path, FarmMode mode) {
  if (!is_there(path)) {
    throw IoError("open", path.native(), ENOENT);
  }
  return mode == FarmMode::kPlot ? File::open_or_create(path) : File::open_read(path);
}

Ulid new_ulid() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  std::array<std::uint8_t, 10> random{};
  randombytes_buf(random.data(), random.size());
  return Ulid::from_parts(static_cast<std::uint64_t>(
                              std::chrono::duration_cast<std::chrono::milliseconds>(now).count()),
                          random);
}

void create_directories(const fs::path& directory, Rollback& rollback) {
  std::vector<fs::path> missing;
  for (fs::path path = fs::absolute(directory); !is_there(path); path = path.parent_path()) {
    missing.push_back(path);
  }
  for (; !missing.empty(); missing.pop_back()) {
    const fs::path& path = missing.back();
    std::error_code error;
    if (fs::create_directory(path, error)) {
      rollback.remove(path);
    }
    if (error) {
      throw IoError("create directory", path.native(), error.value());
    }
    sync_directory(path.parent_path());
  }
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
void refuse_sectors_without_info(const FarmOptions& options) {
  const fs::path path = options.directory / kMetadataFileName;
  if (!is_there(path)) {
    return;
  }
  const MetadataFile metadata(File::open_read(path));
  if (metadata.file().size() < MetadataFile::kHeaderSize) {
    return;
  }
  const std::uint16_t count = metadata.read_plotted_sector_count();
  if (count != 0) {
    throw MalformedData((options.directory / kFarmInfoFileName).native() +
                        ": missing or empty, but metadata.bin counts " + std::to_string(count) +
                        " plotted sectors; a new farm would lose them");
  }
}

void check_info(const FarmOptions& options, const FarmInfo& info, const fs::path& path) {
  if (options.genesis_root && *options.genesis_root != info.genesis_root) {
    throw WrongChain(path, *options.genesis_root, info.genesis_root);
  }
  if (info.pieces_in_sector == 0) {
    throw MalformedData(path.native() + ": \"piecesInSector\", expected at least 1, actual 0");
  }
  if (info.pieces_in_sector > kMaxPiecesInSector) {
    throw PiecesInSectorMismatch(path, "at most " + std::to_string(kMaxPiecesInSector),
                                 info.pieces_in_sector);
  }
  if (options.pieces_in_sector && *options.pieces_in_sector != info.pieces_in_sector) {
    throw PiecesInSectorMismatch(path, std::to_string(*options.pieces_in_sector),
                                 info.pieces_in_sector);
  }
}

Identity open_identity(const FarmOptions& options, const FarmInfo& info) {
  const fs::path path = options.directory / kIdentityFileName;
  if (!is_there(path)) {
    throw IdentityMissing(path);
  }
  Identity identity = Identity::open(path);
  if (identity.public_key() != info.public_key) {
    throw IdentityMismatch(options.directory / kFarmInfoFileName, info.public_key,
                           identity.public_key());
  }
  return identity;
}

SpaceDistribution stored_space(const FarmOptions& options, const FarmInfo& info) {
  try {
    return SpaceDistribution::compute(info.allocated_space, info.pieces_in_sector,
                                      options.cache_percentage);
  } catch (const InsufficientSpace& error) {
    throw MalformedData((options.directory / kFarmInfoFileName).native() + ": " + error.what());
  } catch (const FarmTooLarge& error) {
    throw MalformedData((options.directory / kFarmInfoFileName).native() + ": " + error.what());
  }
}

void check_sizes(const FarmFiles& files, std::uint16_t count) {
  const std::string needed_for = std::to_string(count) + " plotted sectors";
  const auto check = [&](const File& file, std::uint64_t expected) {
    const std::uint64_t actual = file.size();
    if (actual < expected) {
      throw FarmFileTooShort(file.path(), needed_for, expected, actual);
    }
  };
  check(files.metadata.file(), MetadataFile::size_for(count));
  check(files.plot.file(), files.plot.size_for(count));
}

void check_count(const FarmFiles& files, std::uint16_t count, std::uint64_t allocated_space) {
  if (count <= files.target_sector_count) {
    return;
  }
  if (allocated_space != files.info.allocated_space) {
    throw WouldLoseSectors(allocated_space, files.target_sector_count, count);
  }
  throw MalformedData(files.metadata.file().path().native() + ": counts " + std::to_string(count) +
                      " plotted sectors, but the allocated space in single_disk_farm.json has room "
                      "for " +
                      std::to_string(files.target_sector_count));
}

/// Reads and verifies one slot after another; what is in them does not stay in memory.
std::vector<LoadedSlot> load_slots(const FarmFiles& files, std::uint16_t count, FarmMode mode) {
  std::vector<LoadedSlot> slots(count);
  for (std::uint16_t i = 0; i < count; ++i) {
    try {
      slots[i].summary =
          summarize(files.metadata.read_slot(SectorIndex(i), files.info.pieces_in_sector));
    } catch (const DamagedSlot& error) {
      slots[i].damage = error.what();
    } catch (const IoError& error) {
      if (mode == FarmMode::kPlot) {
        throw;  // the slot may be readable another time: no reason to replace it
      }
      slots[i].damage = error.what();
    }
  }
  return slots;
}

/// Brings files and info to the wanted size. The info file comes after the space that it promises
/// and before the space that it gives up.
void change_size(FarmFiles& files, const SpaceDistribution& space, std::uint64_t allocated_space) {
  const std::pair<const File&, std::uint64_t> wanted[] = {
      {files.metadata.file(), round_up_to_page(space.metadata_file_size)},
      {files.plot.file(), space.plot_file_size}};
  Rollback rollback;
  for (const auto& [file, size] : wanted) {
    const std::uint64_t old_size = file.size();
    if (old_size < size) {
      rollback.add([&grown = file, old_size] { grown.resize(old_size); });
      file.preallocate(size);
      file.sync();
    }
  }
  if (allocated_space != files.info.allocated_space) {
    const FarmInfo old_info = files.info;
    rollback.add([&files, old_info] {
      files.info = old_info;
      old_info.write_to(files.info_file);
    });
    files.info.allocated_space = allocated_space;
    files.info.write_to(files.info_file);
  }
  for (const auto& [file, size] : wanted) {
    if (file.size() > size) {
      file.resize(size);
      file.sync();
    }
  }
  rollback.dismiss();
}

void replace_damaged_slots(FarmFiles& files) {
  for (std::size_t i = 0; i < files.slots.size(); ++i) {
    LoadedSlot& slot = files.slots[i];
    if (slot.damage.empty()) {
      continue;
    }
    const SectorMetadata dummy = SectorMetadata::expired_dummy(
        SectorIndex(static_cast<std::uint16_t>(i)), files.info.pieces_in_sector);
    files.metadata.write_slot(dummy);
    files.warnings.push_back(slot.damage + "; the sector is lost and will be plotted again");
    slot = {summarize(dummy), ""};
  }
  if (!files.warnings.empty()) {
    files.metadata.sync();
  }
}

/// Pre: `info_file` is locked, if wanted.
FarmFiles open_existing_farm(const FarmOptions& options, File info_file) {
  const FarmInfo info = FarmInfo::read_from(info_file);
  check_info(options, info, info_file.path());
  Identity identity = open_identity(options, info);

  const bool is_plotting = options.mode == FarmMode::kPlot;
  const std::uint64_t allocated_space =
      is_plotting ? options.allocated_space.value_or(info.allocated_space) : info.allocated_space;
  const SpaceDistribution space =
      allocated_space == info.allocated_space
          ? stored_space(options, info)
          : SpaceDistribution::compute(allocated_space, info.pieces_in_sector,
                                       options.cache_percentage);
  FarmFiles files{
      .info = info,
      .info_file = std::move(info_file),
      .identity = std::move(identity),
      .metadata = MetadataFile(open_existing(options.directory / kMetadataFileName, options.mode)),
      .plot = PlotFile(open_existing(options.directory / kPlotFileName, options.mode),
                       info.pieces_in_sector),
      .target_sector_count = space.sector_count,
      .slots = {},
      .warnings = {}};
  const std::uint16_t count = files.metadata.read_plotted_sector_count();
  check_sizes(files, count);
  check_count(files, count, allocated_space);
  files.slots = load_slots(files, count, options.mode);
  if (is_plotting) {
    change_size(files, space, allocated_space);
    replace_damaged_slots(files);
  }
  return files;
}

FarmFiles create_farm(const FarmOptions& options) {
  if (!options.genesis_root || !options.allocated_space) {
    throw InvalidArgument("no farm in " + options.directory.native() +
                          ": creating one needs a genesis root and an allocated space");
  }
  FarmInfo info;
  info.genesis_root = *options.genesis_root;
  info.pieces_in_sector = options.pieces_in_sector.value_or(kMaxPiecesInSector);
  info.allocated_space = *options.allocated_space;
  const SpaceDistribution space = SpaceDistribution::compute(
      info.allocated_space, info.pieces_in_sector, options.cache_percentage);
  refuse_sectors_without_info(options);

  Rollback rollback;
  create_directories(options.directory, rollback);
  const fs::path info_path = options.directory / kFarmInfoFileName;
  const bool is_new = !is_there(info_path);
  File info_file = File::open_or_create(info_path);
  take_lock(options, info_file);
  if (info_file.size() != 0) {  // somebody else was faster
    return open_existing_farm(options, std::move(info_file));
  }
  if (is_new) {
    rollback.remove(info_path);
  } else {
    rollback.restore_size(info_path, 0);
  }

  const fs::path identity_path = options.directory / kIdentityFileName;
  if (!is_there(identity_path)) {
    rollback.remove(identity_path);
  }
  Identity identity = Identity::open_or_create(identity_path);
  info.id = new_ulid();
  info.public_key = identity.public_key();
  info.shard_commitments_seed = identity.shard_commitments_seed();

  const MetadataFile metadata(open_with_rollback(options.directory / kMetadataFileName, rollback));
  set_size(metadata.file(), round_up_to_page(space.metadata_file_size));
  metadata.write_header(0);
  metadata.sync();
  File plot = open_with_rollback(options.directory / kPlotFileName, rollback);
  set_size(plot, space.plot_file_size);
  plot.sync();
  sync_directory(options.directory);
  info.write_to(info_file);
  FarmFiles files = open_existing_farm(options, std::move(info_file));
  rollback.dismiss();
  return files;
}

}  // namespace

FarmFiles open_farm_files(const FarmOptions& options) {
  check_options(options);
  const fs::path info_path = options.directory / kFarmInfoFileName;
  const bool is_absent = !is_there(info_path);
  std::error_code error;
  const bool is_empty = !is_absent && fs::file_size(info_path, error) == 0 && !error;
  if (options.mode == FarmMode::kPlot && (is_absent || is_empty)) {
    return create_farm(options);
  }
  if (is_absent) {
    throw FarmNotFound(options.directory);
  }
  File info_file = open_existing(info_path, options.mode);
  take_lock(options, info_file);
  return open_existing_farm(options, std::move(info_file));
}

}  // namespace furrow
