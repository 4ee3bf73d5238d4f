// SPDX-License-Identifier: Apache-2.0
#include "host/farm/farm.hpp"

#include <utility>

#include "host/base/counted.hpp"
#include "host/base/mutex.hpp"
#include "host/farm/farm_parts.hpp"
#include "host/farm/file_age.hpp"
#include "host/primitives/sector_id.hpp"

namespace furrow {

ModificationMark::ModificationMark(ModificationMark&& other) noexcept
    : farm_(std::exchange(other.farm_, nullptr)), index_(other.index_) {}

ModificationMark& ModificationMark::operator=(ModificationMark&& other) noexcept {
  std::swap(farm_, other.farm_);
  std::swap(index_, other.index_);
  return *this;
}

ModificationMark::~ModificationMark() {
  if (farm_ != nullptr) {
    farm_->end_modifying(index_);
  }
}

std::unique_ptr<Farm> Farm::open(const FarmOptions& options) {
  return std::unique_ptr<Farm>(new Farm(options, open_farm_files(options)));
}

Farm::Farm(const FarmOptions& options, FarmFiles files)
    : directory_(options.directory),
      mode_(options.mode),
      on_warning_(options.on_warning),
      files_(std::move(files)),
      metadata_(files_.metadata, files_.info.pieces_in_sector,
                [this](const std::string& text) { warn(text); }),
      roots_(files_.info.shard_commitments_seed),
      sectors_(files_.target_sector_count),
      sector_count_(static_cast<std::uint16_t>(files_.slots.size())) {
  for (const std::string& warning : std::exchange(files_.warnings, {})) {
    warn(warning);
  }
  for (std::size_t i = 0; i < files_.slots.size(); ++i) {
    const LoadedSlot& slot = files_.slots[i];
    sectors_[i].state = slot.damage.empty() ? state_of(slot.summary) : SectorState::kDamaged;
    sectors_[i].is_written = true;
    sectors_[i].slot = slot.summary;
  }
  files_.slots = {};
  // Without the lock somebody else may have the same state.
  const bool is_alone = mode_ == FarmMode::kPlot && options.lock;
  if (is_alone && options.state_backend) {
    open_state(options);
  }
  if (is_alone && options.keep_index) {
    open_index();
  }
}

/// Pre: no slot is damaged, kPlot has seen to that.
void Farm::open_state(const FarmOptions& options) {
  std::vector<SlotSummary> slots;
  {
    const SharedLock lock(state_mutex_);
    for (std::uint16_t i = 0; i < sector_count_; ++i) {
      slots.push_back(sectors_[i].slot);
    }
  }
  metadata_.use(open_sector_state(
      options, info().id, slots,
      [&](SectorIndex index) { return metadata_.load(index, slots[index.value()].key); },
      [this](const std::string& text) { warn(text); }));
}

void Farm::open_index() {
  std::unique_ptr<PlottedPieceIndex> index = open_piece_index(
      directory_ / kIndexDirectoryName, info().id, plotted_sectors(), pieces_in_sector(),
      [this](const IndexedSector& sector) { return pieces_of(sector); },
      [this](const std::string& text) { warn(text); });
  const Lock lock(index_mutex_);
  index_ = std::move(index);
}

/// The sector is durable already, so the index may fail: the next opening makes up for it.
void Farm::index_pieces(const IndexedSector& sector) {
  std::shared_ptr<PlottedPieceIndex> index;
  {
    const Lock lock(index_mutex_);
    index = index_;
  }
  if (index == nullptr) {
    return;
  }
  try {
    index->add_sector(sector, pieces_of(sector));
    index->flush();
  } catch (const std::exception& error) {
    {
      const Lock lock(index_mutex_);
      index_.reset();
    }
    warn((directory_ / kIndexDirectoryName).native() + ": " + error.what() +
         "; going on without it");
  }
}

std::vector<PieceIndex> Farm::pieces_of(const IndexedSector& sector) const {
  return pieces_of_sector(sector_id(sector.index, sector.history_size),
                          chain_parameters().at(sector.history_size), pieces_in_sector());
}

std::shared_ptr<const PlottedPieceIndex> Farm::piece_index() const {
  const Lock lock(index_mutex_);
  return index_;
}

void Farm::check_presence() const {
  for (const FilePlace& place : files_.places) {
    place.check();
  }
}

std::vector<std::string> Farm::warnings() const {
  const Lock lock(warnings_mutex_);
  return warnings_;
}

void Farm::warn(const std::string& text) {
  {
    const Lock lock(warnings_mutex_);
    warnings_.push_back(text);
  }
  on_warning_(text);
}

std::uint16_t Farm::sector_count() const {
  const SharedLock lock(state_mutex_);
  return sector_count_;
}

SectorState Farm::sector_state(SectorIndex index) const {
  check_index(index);
  const SharedLock lock(state_mutex_);
  return sectors_[index.value()].state;
}

std::vector<SectorIndex> Farm::sectors_in_state(SectorState state) const {
  std::vector<SectorIndex> found;
  const SharedLock lock(state_mutex_);
  for (std::size_t i = 0; i < sectors_.size(); ++i) {
    if (sectors_[i].state == state) {
      found.emplace_back(static_cast<std::uint16_t>(i));
    }
  }
  return found;
}

std::vector<IndexedSector> Farm::plotted_sectors() const {
  std::vector<IndexedSector> found;
  const SharedLock lock(state_mutex_);
  for (std::size_t i = 0; i < sectors_.size(); ++i) {
    if (sectors_[i].state == SectorState::kPlotted) {
      found.push_back({SectorIndex(static_cast<std::uint16_t>(i)), sectors_[i].slot.history_size});
    }
  }
  return found;
}

std::optional<HistorySize> Farm::plotted_history_size(SectorIndex index) const {
  check_index(index);
  const SharedLock lock(state_mutex_);
  const Sector& sector = sectors_[index.value()];
  return sector.state == SectorState::kPlotted ? std::optional(sector.slot.history_size)
                                               : std::nullopt;
}

std::shared_ptr<const SectorMetadata> Farm::sector_metadata(SectorIndex index) const {
  for (;;) {
    const SlotSummary slot = slot_of_counted(index);
    // While a sector is written its slot is anything but what counts.
    if (slot.is_lost_marker()) {
      return std::make_shared<const SectorMetadata>(
          SectorMetadata::expired_dummy(Network::kAbundance, index, pieces_in_sector()));
    }
    try {
      return metadata_.load(index, slot.key);
    } catch (const Error&) {
      if (slot_of_counted(index).key == slot.key) {
        throw;  // no writer of this process came in between
      }
    }
  }
}

HistorySize Farm::history_size(SectorIndex index) const {
  return slot_of_counted(index).history_size;
}

SlotSummary Farm::slot_of_counted(SectorIndex index) const {
  check_index(index);
  {
    const SharedLock lock(state_mutex_);
    const Sector& sector = sectors_[index.value()];
    if (sector.state == SectorState::kNotPlotted) {
      throw InvalidArgument(sector_name(index) + " is not plotted, the farm has " +
                            counted(sector_count_, "sector"));
    }
    if (sector.state != SectorState::kDamaged) {
      return sector.slot;
    }
  }
  // What is wrong is found once more rather than kept.
  (void)files_.metadata.read_slot(index, pieces_in_sector());
  files_.plot.check_holds_sector(index);
  throw SlotChanged(index);
}

SectorId Farm::sector_id(SectorIndex index) const {
  return sector_id(index, history_size(index));
}

SectorId Farm::sector_id(SectorIndex index, HistorySize history_size) const {
  check_index(index);
  return derive_sector_id(Network::kAbundance, identity().public_key_hash(),
                          shard_commitments_root(history_size), index, history_size);
}

Hash Farm::shard_commitments_root(HistorySize history_size) const {
  return roots_.root(history_size);
}

void Farm::read_sector_bytes(SectorIndex index, std::uint64_t offset,
                             std::span<std::uint8_t> out) const {
  check_index(index);
  files_.plot.read(index, offset, out);
}

bool Farm::reload_slot(SectorIndex index) {
  check_index(index);
  if (mode_ == FarmMode::kPlot) {
    return false;
  }
  SlotSummary slot;
  SectorState state = SectorState::kDamaged;
  try {
    slot = summarize(files_.metadata.read_slot(index, pieces_in_sector()));
    files_.plot.check_holds_sector(index);
    state = state_of(slot);
  } catch (const IoError&) {
    throw;
  } catch (const Error&) {
    // Damaged it was, or is now: what of it is said by whoever asks for the metadata.
  }
  const Lock lock(state_mutex_);
  Sector& sector = sectors_[index.value()];
  if (index.value() >= sector_count_ || (sector.state == state && sector.slot.key == slot.key)) {
    return false;
  }
  sector.slot = slot;
  sector.state = state;
  return true;
}

bool Farm::was_written_lately() const {
  return was_written_within(files_.plot.file().path(), MetadataFile::kSettling) ||
         was_written_within(files_.metadata.file().path(), MetadataFile::kSettling);
}

std::optional<ModificationMark> Farm::begin_modifying(SectorIndex index) {
  check_index(index);
  const Lock lock(state_mutex_);
  if (std::exchange(sectors_[index.value()].is_marked, true)) {
    return std::nullopt;
  }
  return ModificationMark(*this, index);
}

void Farm::end_modifying(SectorIndex index) noexcept {
  const Lock lock(state_mutex_);
  sectors_[index.value()].is_marked = false;
}

bool Farm::is_being_modified(SectorIndex index) const {
  check_index(index);
  const SharedLock lock(state_mutex_);
  const Sector& sector = sectors_[index.value()];
  return sector.is_marked || sector.is_being_written;
}

void Farm::check_index(SectorIndex index) const {
  if (index.value() >= target_sector_count()) {
    throw InvalidArgument(sector_name(index) + ": the farm has room for " +
                          counted(target_sector_count(), "sector"));
  }
}

void Farm::check_writable() const {
  if (mode_ != FarmMode::kPlot) {
    throw InvalidArgument("the farm in " + directory_.native() + " is open for reading only");
  }
}

}  // namespace furrow
