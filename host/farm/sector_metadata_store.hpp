// SPDX-License-Identifier: Apache-2.0
// Where the metadata of sectors come from when somebody wants them: memory, the paged state of the
// farm, metadata.bin.
//
//   load ──► the last 64 used ──► FARM/state (when plotting) ──► slot in metadata.bin
//
// Memory, however many sectors the farm has: 64 sector metadata (131 kB each), plus those that
// callers hold.
#pragma once

#include <cstddef>
#include <list>
#include <memory>
#include <string>
#include <unordered_map>

#include "host/base/mutex.hpp"
#include "host/base/observer.hpp"
#include "host/farm/metadata_file.hpp"
#include "host/farm/sector_state.hpp"

namespace furrow {

/// Thread-safe. Without a state tree every load of something not used recently reads its slot; that
/// is how farms that are open for reading work, beside another process that plots.
class SectorMetadataStore {
 public:
  /// Sector metadata that stay in memory without anybody holding them.
  static constexpr std::size_t kKept = 64;

  /// `file` must outlive the store. `warn` is told, from any thread, of damage in the state.
  SectorMetadataStore(const MetadataFile& file, std::uint16_t pieces_in_sector,
                      Observer<const std::string&> warn);

  /// From now on what `tree` has is not read from metadata.bin. Null is no tree.
  void use(std::unique_ptr<SectorStateTree> tree);

  /// The metadata with this key, which belong into the slot of the sector. Throws DamagedSlot and
  /// IoError, and SlotChanged when the slot is sound but another one.
  std::shared_ptr<const SectorMetadata> load(SectorIndex index, const DataKey& key);
  /// The slot of the sector has these metadata from now on.
  void put(std::shared_ptr<const SectorMetadata> metadata, const DataKey& key);
  /// The slot of the sector says that it is lost.
  void remove(SectorIndex index);
  /// Makes the state durable. What failed in it is told, also what failed in the background.
  void flush();

 private:
  using Metadata = std::shared_ptr<const SectorMetadata>;
  using Recent = std::list<std::pair<DataKey, Metadata>>;

  [[nodiscard]] std::shared_ptr<SectorStateTree> tree() const;
  [[nodiscard]] Metadata find_recent(const DataKey& key);
  void keep(const DataKey& key, const Metadata& metadata);
  Metadata load_from_tree(SectorIndex index, const DataKey& key);
  Metadata load_from_file(SectorIndex index, const DataKey& key) const;
  void give_up_tree(const Error& error);

  const MetadataFile& file_;
  std::uint16_t pieces_in_sector_;
  Observer<const std::string&> warn_;
  mutable Mutex mutex_;  // not held during IO
  /// None, or none any more.
  std::shared_ptr<SectorStateTree> tree_ FURROW_GUARDED_BY(mutex_);
  Recent recent_ FURROW_GUARDED_BY(mutex_);  // the last used one first
  std::unordered_map<DataKey, Recent::iterator, DataKeyHash> places_ FURROW_GUARDED_BY(mutex_);
};

}  // namespace furrow
