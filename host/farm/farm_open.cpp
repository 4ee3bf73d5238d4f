// SPDX-License-Identifier: Apache-2.0
#include "host/farm/farm_open.hpp"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "host/base/counted.hpp"
#include "host/base/existence.hpp"
#include "host/base/rollback.hpp"
#include "host/farm/farm_consistency.hpp"
#include "host/farm/farm_create.hpp"
#include "host/farm/farm_errors.hpp"
#include "host/farm/farm_size.hpp"
#include "host/farm/space.hpp"
#include "host/farm/uncounted_sectors.hpp"

namespace furrow {
namespace {

namespace fs = std::filesystem;

void check_options(const FarmOptions& options) {
  if (options.pieces_in_sector &&
      (*options.pieces_in_sector == 0 || *options.pieces_in_sector > kMaxPiecesInSector)) {
    throw InvalidArgument("pieces in sector: expected 1 to " + std::to_string(kMaxPiecesInSector) +
                          ", actual " + std::to_string(*options.pieces_in_sector));
  }
}

void take_lock(const FarmOptions& options, const File& info_file) {
  if (options.mode == FarmMode::kPlot && options.lock && !info_file.try_lock()) {
    throw FarmInUse(info_file.path());
  }
}

File open_existing(const fs::path& path, FarmMode access) {
  if (!is_there(path)) {
    throw IoError("open", path.native(), ENOENT);
  }
  return access == FarmMode::kPlot ? File::open_or_create(path) : File::open_read(path);
}

/// Plotting on needs all sectors that are counted.
void check_sizes(const FarmFiles& files) {
  const auto count = static_cast<std::uint16_t>(files.slots.size());
  const auto n_whole = std::count_if(files.slots.begin(), files.slots.end(),
                                     [](const LoadedSlot& slot) { return slot.damage.empty(); });
  const std::string needed_for =
      std::to_string(count) + " plotted sectors, " + std::to_string(n_whole) +
      " of which can be read (docs/manual/damaged-farm.md says how to go on)";
  files.metadata.check_holds(count, needed_for);
  files.plot.check_holds(count, needed_for);
}

/// Whether what is not counted would be written over by mistake. Sectors for which there will be no
/// room are no mistake when dropping some is asked for: a shrinking that was interrupted leaves
/// such ones, and is completed by the same request.
void check_uncounted_sectors(FarmFiles& files, bool may_drop_sectors) {
  const auto count = static_cast<std::uint16_t>(files.slots.size());
  const auto sector =
      uncounted_sector(files.metadata, files.plot, files.info.pieces_in_sector, count,
                       may_drop_sectors ? files.target_sector_count : kMaxSectors);
  if (sector.has_value() && sector->value() < files.target_sector_count) {
    files.warnings.push_back(files.metadata.file().path().native() + ": counts " +
                             std::to_string(count) + " sectors, but has the slot of sector " +
                             std::to_string(sector->value()) + ", too; it will be plotted again");
  }
}

/// Reads and verifies one slot after another; what is in them does not stay in memory. A sound slot
/// that disagrees with the info file is damage of the info file: it is refused, unless other slots
/// agree and nothing will be written.
void load_slots(FarmFiles& files, FarmMode mode) {
  files.slots.resize(files.metadata.read_plotted_sector_count());
  std::optional<SlotMismatch> mismatch;
  bool agrees = false;
  for (std::size_t i = 0; i < files.slots.size(); ++i) {
    const SectorIndex index(static_cast<std::uint16_t>(i));
    LoadedSlot& slot = files.slots[i];
    try {
      slot.summary = summarize(files.metadata.read_slot(index, files.info.pieces_in_sector));
      agrees = true;
      files.plot.check_holds_sector(index);
    } catch (const SlotMismatch& error) {
      if (mode == FarmMode::kPlot) {
        throw;
      }
      slot.damage = error.what();
      mismatch = mismatch.value_or(error);
    } catch (const DamagedSlot& error) {
      slot.damage = error.what();
    } catch (const FarmFileTooShort& error) {
      slot.damage = error.what();
    } catch (const IoError& error) {
      if (mode == FarmMode::kPlot) {
        throw;  // the slot may be readable another time: no reason to replace it
      }
      slot.damage = error.what();
    }
  }
  if (mismatch.has_value() && !agrees) {
    throw SlotMismatch(*mismatch);
  }
}

void replace_damaged_slots(FarmFiles& files) {
  bool is_any_replaced = false;
  for (std::size_t i = 0; i < files.slots.size(); ++i) {
    LoadedSlot& slot = files.slots[i];
    if (slot.damage.empty()) {
      continue;
    }
    const SectorMetadata dummy = SectorMetadata::expired_dummy(
        Network::kAbundance, SectorIndex(static_cast<std::uint16_t>(i)),
        files.info.pieces_in_sector);
    files.metadata.write_slot(dummy);
    is_any_replaced = true;
    files.warnings.push_back(slot.damage + "; the sector is lost and will be plotted again");
    slot = {summarize(dummy), ""};
  }
  if (is_any_replaced) {
    files.metadata.sync();
  }
}

/// What is broken in a sector is told when somebody asks for it; that there is one, at once.
void tell_damaged_slots(FarmFiles& files) {
  const auto is_damaged = [](const LoadedSlot& slot) { return !slot.damage.empty(); };
  const auto first = std::ranges::find_if(files.slots, is_damaged);
  if (first != files.slots.end()) {
    files.warnings.push_back(files.metadata.file().path().native() + ": of " +
                             counted(files.slots.size(), "sector") + ", " +
                             std::to_string(std::ranges::count_if(files.slots, is_damaged)) +
                             " damaged and left out; the first: " + first->damage);
  }
}

/// A farm that is only looked at shows what it has, whatever size is stored.
std::uint16_t readable_sector_count(FarmFiles& files, const FarmOptions& options) {
  const auto count = static_cast<std::uint16_t>(files.slots.size());
  const FarmFileSizes sizes = FarmFileSizes::of(options.directory, files.metadata, files.plot);
  if (const auto size = stored_size(options, files.info, sizes)) {
    files.cache_percentage = size->cache_percentage;
    return std::max(size->space.sector_count, count);
  }
  files.warnings.emplace_back(stored_size_mismatch(options, files.info, sizes).what());
  const auto space =
      SpaceDistribution::compute_if_any(files.info.allocated_space, files.info.pieces_in_sector,
                                        options.cache_percentage.value_or(0));
  return space ? std::max(space->sector_count, count) : count;
}

std::optional<ChainParameters> read_chain(const FarmOptions& options) {
  const std::optional<ChainParameters> chain = ChainParameters::read_from(options.directory);
  const ChainParameters in_force = chain.value_or(ChainParameters());
  if (options.chain_parameters.has_value() && *options.chain_parameters != in_force) {
    throw ChainParametersMismatch(options.directory / kChainFileName, *options.chain_parameters,
                                  in_force);
  }
  return chain;
}

/// Reads and checks what is there. `access` is what the files are opened for, which for a plan is
/// less than options.mode.
FarmFiles read_existing_farm(const FarmOptions& options, std::shared_ptr<File> info_file,
                             FarmMode access) {
  const FarmInfo info = FarmInfo::read_from(*info_file);
  check_info(options, info, info_file->path());
  Identity identity = open_identity(options, info);
  FarmFiles files{
      .info = info,
      .chain = read_chain(options),
      .info_file = std::move(info_file),
      .identity = std::move(identity),
      .metadata = MetadataFile(open_existing(options.directory / kMetadataFileName, access)),
      .plot =
          PlotFile(open_existing(options.directory / kPlotFileName, access), info.pieces_in_sector),
      .directory = File::open_read(options.directory),
      .places = {},
      .target_sector_count = 0,
      .cache_percentage = 0,
      .slots = {},
      .warnings = {}};
  const File* const opened[] = {&files.directory, files.info_file.get(), &files.metadata.file(),
                                &files.plot.file()};
  for (const File* file : opened) {
    files.places.emplace_back(*file);
  }
  load_slots(files, options.mode);
  if (options.mode == FarmMode::kPlot) {
    check_sizes(files);
  }
  return files;
}

/// Pre: options.mode is kPlot, with which the files were read.
FarmSize size_for_plotting(const FarmOptions& options, const FarmFiles& files) {
  return size_of_existing_farm(options, files.info,
                               FarmFileSizes::of(options.directory, files.metadata, files.plot),
                               static_cast<std::uint16_t>(files.slots.size()));
}

/// Pre: `info_file` is locked, if wanted.
FarmFiles open_existing_farm(const FarmOptions& options, std::shared_ptr<File> info_file) {
  FarmFiles files = read_existing_farm(options, std::move(info_file), options.mode);
  if (options.mode != FarmMode::kPlot) {
    files.target_sector_count = readable_sector_count(files, options);
    tell_damaged_slots(files);
    return files;
  }
  const FarmSize size = size_for_plotting(options, files);
  files.target_sector_count = size.space.sector_count;
  files.cache_percentage = size.cache_percentage;
  check_uncounted_sectors(files, options.may_drop_sectors);
  check_state_is_of(options, files.info.id);  // the last check: opening a database writes into it
  change_size(files, options.directory, size);
  replace_damaged_slots(files);
  end_creation(options.directory);
  return files;
}

FarmFiles create_farm(FarmOptions options) {
  std::shared_ptr<File> info_file;  // with the lock, until the rollback is through
  Rollback rollback;
  create_farm_files(options, info_file, rollback);
  FarmFiles files = open_existing_farm(options, info_file);
  rollback.dismiss();
  return files;
}

bool is_to_be_created(const FarmOptions& options) {
  return options.mode == FarmMode::kPlot && options.make_directory != MakeDirectory::kNever &&
         is_farm_to_be_created(options.directory);
}

std::shared_ptr<File> open_info_file(const FarmOptions& options, FarmMode access) {
  const fs::path path = options.directory / kFarmInfoFileName;
  if (!is_there(path)) {
    throw FarmNotFound(options.directory);
  }
  return std::make_shared<File>(open_existing(path, access));
}

}  // namespace

FarmPlan plan_farm(const FarmOptions& options) {
  check_options(options);
  FarmPlan plan;
  if (is_to_be_created(options)) {
    const FarmSize size = size_of_new_farm(options);
    check_farm_can_be_created(options);
    plan.pieces_in_sector = options.pieces_in_sector.value_or(kMaxPiecesInSector);
    plan.allocated_space = size.allocated_space;
    plan.sector_count = size.space.sector_count;
    return plan;
  }
  FarmFiles files = read_existing_farm(options, open_info_file(options, FarmMode::kReadOnly),
                                       FarmMode::kReadOnly);
  const FarmSize size = size_for_plotting(options, files);
  files.target_sector_count = size.space.sector_count;
  check_uncounted_sectors(files, options.may_drop_sectors);
  plan.pieces_in_sector = files.info.pieces_in_sector;
  plan.allocated_space = size.allocated_space;
  plan.sector_count = size.space.sector_count;
  const std::size_t kept = std::min<std::size_t>(files.slots.size(), plan.sector_count);
  for (std::size_t i = 0; i < kept; ++i) {
    const LoadedSlot& slot = files.slots[i];
    plan.is_plotted.push_back(slot.damage.empty() && !slot.summary.holds_nothing);
  }
  return plan;
}

FarmFiles open_farm_files(const FarmOptions& options) {
  check_options(options);
  if (is_to_be_created(options)) {
    return create_farm(options);
  }
  const std::shared_ptr<File> info_file = open_info_file(options, options.mode);
  take_lock(options, *info_file);
  return open_existing_farm(options, info_file);
}

}  // namespace furrow
