// SPDX-License-Identifier: Apache-2.0
#include "host/pos/table_observation.hpp"

#include <algorithm>
#include <utility>

namespace furrow {

TableObservation::TableObservation(TableObserver& observer, std::size_t n_buckets,
                                   std::uint32_t bucket_places)
    : observer_(observer),
      bucket_places_(bucket_places),
      parents_(n_buckets * bucket_places),
      children_(n_buckets * bucket_places),
      sizes_(n_buckets) {}

void TableObservation::add_entry(unsigned table, const EntryBatch& batch, std::size_t index) {
  if (table == core::pos::kNumTables) {
    y_.push_back(batch.y[index]);
    metadata_.push_back(0);
    return;
  }
  const std::uint32_t* entry = batch.children.data() + index * entry_words(table);
  const std::size_t bucket = batch.buckets[index];
  y_.push_back(static_cast<std::uint32_t>(bucket * core::pos::kParamBC) +
               entry_residue(table, entry));
  metadata_.push_back(entry_metadata(table, entry));
  if (sizes_[bucket] < bucket_places_) {
    children_[bucket * bucket_places_ + sizes_[bucket]++] = position_;
  }
  ++position_;
}

void TableObservation::add_first_entries(std::size_t count, const EntryBatch& batch) {
  for (std::size_t i = 0; i < count; ++i) {
    add_entry(1, batch, i);
  }
}

void TableObservation::add_pair(unsigned table, std::size_t pair, std::size_t n_found,
                                std::size_t n_kept, const Match* matches, const EntryBatch& batch) {
  for (std::size_t i = 0; i < n_kept; ++i) {
    add_entry(table, batch, i);
    origins_.push_back(positions(Origin(pair, matches[i] >> 16, matches[i] & 0xFFFFU)));
  }
  observer_.on_entries(table, n_found, y_, metadata_, origins_);
  y_.clear();
  metadata_.clear();
  origins_.clear();
}

void TableObservation::end_table(unsigned table) {
  if (table == 1) {
    observer_.on_entries(1, 0, y_, metadata_, {});
    y_.clear();
    metadata_.clear();
  }
  std::swap(parents_, children_);
  std::fill(sizes_.begin(), sizes_.end(), std::uint16_t{0});
  position_ = 0;
}

ParentPositions TableObservation::positions(Origin origin) const {
  return {parents_[origin.left_slot(bucket_places_)], parents_[origin.right_slot(bucket_places_)]};
}

}  // namespace furrow
