// SPDX-License-Identifier: Apache-2.0
#include "host/farm/sector_metadata_store.hpp"

#include <utility>

#include "host/base/mutex.hpp"
#include "host/farm/farm_errors.hpp"

namespace furrow {

SectorMetadataStore::SectorMetadataStore(const MetadataFile& file, std::uint16_t pieces_in_sector,
                                         Observer<const std::string&> warn)
    : file_(file), pieces_in_sector_(pieces_in_sector), warn_(std::move(warn)) {}

void SectorMetadataStore::use(std::unique_ptr<SectorStateTree> tree) {
  const Lock lock(mutex_);
  tree_ = std::move(tree);
}

std::shared_ptr<const SectorMetadata> SectorMetadataStore::load(SectorIndex index,
                                                                const DataKey& key) {
  Metadata metadata = find_recent(key);
  if (metadata == nullptr) {
    metadata = tree() != nullptr ? load_from_tree(index, key) : load_from_file(index, key);
    keep(key, metadata);
  }
  return metadata;
}

void SectorMetadataStore::put(std::shared_ptr<const SectorMetadata> metadata, const DataKey& key) {
  keep(key, metadata);
  if (const auto tree = this->tree()) {
    try {
      tree->put(std::move(metadata));
    } catch (const Error& error) {
      give_up_tree(error);
    }
  }
}

void SectorMetadataStore::remove(SectorIndex index) {
  if (const auto tree = this->tree()) {
    try {
      tree->remove(index);
    } catch (const Error& error) {
      give_up_tree(error);
    }
  }
}

void SectorMetadataStore::flush() {
  if (const auto tree = this->tree()) {
    try {
      tree->flush();
    } catch (const Error& error) {
      give_up_tree(error);
    }
  }
}

std::shared_ptr<SectorStateTree> SectorMetadataStore::tree() const {
  const Lock lock(mutex_);
  return tree_;
}

SectorMetadataStore::Metadata SectorMetadataStore::find_recent(const DataKey& key) {
  const Lock lock(mutex_);
  const auto place = places_.find(key);
  if (place == places_.end()) {
    return nullptr;
  }
  recent_.splice(recent_.begin(), recent_, place->second);
  return place->second->second;
}

void SectorMetadataStore::keep(const DataKey& key, const Metadata& metadata) {
  Metadata dropped;  // ends outside of the lock
  const Lock lock(mutex_);
  if (places_.contains(key)) {
    return;  // another thread was faster
  }
  recent_.emplace_front(key, metadata);
  places_.emplace(key, recent_.begin());
  if (recent_.size() > kKept) {
    dropped = std::move(recent_.back().second);
    places_.erase(recent_.back().first);
    recent_.pop_back();
  }
}

/// A record that is missing or damaged is written once more from the slot.
SectorMetadataStore::Metadata SectorMetadataStore::load_from_tree(SectorIndex index,
                                                                  const DataKey& key) {
  const auto tree = this->tree();
  if (tree == nullptr) {
    return load_from_file(index, key);  // given up meanwhile
  }
  std::string damage;
  try {
    return tree->load(key);
  } catch (const BackendError& error) {
    give_up_tree(error);
    return load_from_file(index, key);
  } catch (const Error& error) {
    damage = error.what();
  }
  Metadata metadata = load_from_file(index, key);
  warn_("state of the farm: sector " + std::to_string(index.value()) + ": " + damage +
        "; taken from metadata.bin");
  try {
    tree->repair(metadata);
  } catch (const Error& error) {
    give_up_tree(error);
  }
  return metadata;
}

SectorMetadataStore::Metadata SectorMetadataStore::load_from_file(SectorIndex index,
                                                                  const DataKey& key) const {
  auto metadata = std::make_shared<const SectorMetadata>(file_.read_slot(index, pieces_in_sector_));
  if (summarize(*metadata).key != key) {
    throw SlotChanged(index);
  }
  return metadata;
}

void SectorMetadataStore::give_up_tree(const Error& error) {
  {
    const Lock lock(mutex_);
    if (tree_ == nullptr) {
      return;
    }
    tree_.reset();
  }
  warn_(std::string("state of the farm: ") + error.what() +
        "; going on without it, sector metadata are read from metadata.bin");
}

}  // namespace furrow
