// SPDX-License-Identifier: Apache-2.0
// The half of class Farm that writes sectors; the order of the steps is in farm.hpp.
#include <memory>
#include <string>

#include "host/base/counted.hpp"
#include "host/base/mutex.hpp"
#include "host/farm/farm.hpp"
#include "host/farm/farm_parts.hpp"

namespace furrow {

/// Keeps every other writer off a sector.
class Farm::WritingTurn {
 public:
  WritingTurn(Farm& farm, SectorIndex index) : farm_(farm), index_(index) {
    const Lock lock(farm_.state_mutex_);
    bool& is_being_written = farm_.sectors_[index.value()].is_being_written;
    if (is_being_written) {
      throw InvalidArgument(sector_name(index) + " is being written already");
    }
    is_being_written = true;
  }
  WritingTurn(const WritingTurn&) = delete;
  WritingTurn& operator=(const WritingTurn&) = delete;
  ~WritingTurn() {
    const Lock lock(farm_.state_mutex_);
    farm_.sectors_[index_.value()].is_being_written = false;
  }

 private:
  Farm& farm_;
  SectorIndex index_;
};

std::uint16_t Farm::write_sector(SectorIndex index, std::span<const std::uint8_t> sector_bytes,
                                 const SectorMetadata& metadata) {
  check_writable();
  check_index(index);
  if (metadata.sector_index != index || metadata.pieces_in_sector != pieces_in_sector() ||
      metadata.s_bucket_sizes.size() != kNumSBuckets) {
    throw InvalidArgument(sector_name(index) + " with " + counted(pieces_in_sector(), "piece") +
                          ": metadata is that of sector " +
                          std::to_string(metadata.sector_index.value()) + " with " +
                          counted(metadata.pieces_in_sector, "piece") + " and " +
                          std::to_string(metadata.s_bucket_sizes.size()) + " s-buckets");
  }
  if (sector_bytes.size() != sector_size()) {
    throw InvalidArgument(sector_name(index) + ": expected " + std::to_string(sector_size()) +
                          " bytes, actual " + std::to_string(sector_bytes.size()));
  }

  check_presence();
  const SlotSummary slot = summarize(metadata);
  const WritingTurn turn(*this, index);
  write_lost_marker(index);
  files_.plot.write_sector_bytes(index, sector_bytes);
  files_.plot.sync();

  {
    const Lock lock(metadata_file_mutex_);
    mark_gap_lost(index);
    files_.metadata.write_slot(metadata);
    files_.metadata.sync();
    // Before readers know of it: what they ask the state for is there.
    metadata_.put(std::make_shared<const SectorMetadata>(metadata), slot.key);
    publish(index, slot);
    count_written_sectors();
  }
  if (!slot.holds_nothing) {
    index_pieces({index, slot.history_size});
  }
  check_presence();  // before anybody says that the sector is there
  return sector_count();
}

void Farm::mark_lost(SectorIndex index) {
  check_writable();
  (void)slot_of_counted(index);  // refuses a sector that is not counted
  const WritingTurn turn(*this, index);
  write_lost_marker(index);
}

/// Sectors before this one that are not there yet count as lost from now on, because nothing that
/// is finished may depend on them. Pre: metadata_file_mutex_ is held; the caller syncs the file.
void Farm::mark_gap_lost(SectorIndex index) {
  for (std::uint16_t i = sector_count(); i < index.value(); ++i) {
    bool is_there = false;
    {
      const SharedLock lock(state_mutex_);
      is_there = sectors_[i].is_written;
    }
    if (!is_there) {
      const SectorMetadata dummy =
          SectorMetadata::expired_dummy(Network::kAbundance, SectorIndex(i), pieces_in_sector());
      files_.metadata.write_slot(dummy);
      publish(SectorIndex(i), summarize(dummy));
    }
  }
}

/// From here until publish() the sector holds nothing, on disk as in memory. Of a sector that is
/// not counted the disk need not say so, and its old slot must not make it count.
void Farm::write_lost_marker(SectorIndex index) {
  const Lock lock(metadata_file_mutex_);
  bool is_counted = false;
  {
    const Lock state_lock(state_mutex_);
    is_counted = index.value() < sector_count_;
    sectors_[index.value()].is_written = is_counted;
  }
  if (!is_counted) {
    return;
  }
  const SectorMetadata dummy =
      SectorMetadata::expired_dummy(Network::kAbundance, index, pieces_in_sector());
  publish(index, summarize(dummy));
  files_.metadata.write_slot(dummy);
  files_.metadata.sync();
  metadata_.remove(index);
}

void Farm::publish(SectorIndex index, const SlotSummary& slot) {
  const Lock lock(state_mutex_);
  Sector& sector = sectors_[index.value()];
  sector.slot = slot;
  sector.is_written = true;
  if (index.value() < sector_count_) {
    sector.state = state_of(slot);
  }
}

/// Pre: metadata_file_mutex_ is held, hence nothing that is looked at here changes meanwhile.
void Farm::count_written_sectors() {
  std::uint16_t count = 0;
  {
    const SharedLock lock(state_mutex_);
    count = sector_count_;
    while (count < sectors_.size() && sectors_[count].is_written) {
      ++count;
    }
    if (count == sector_count_) {
      return;
    }
  }
  files_.metadata.write_header(count);
  files_.metadata.sync();
  const Lock lock(state_mutex_);
  for (; sector_count_ < count; ++sector_count_) {
    sectors_[sector_count_].state = state_of(sectors_[sector_count_].slot);
  }
}

}  // namespace furrow
