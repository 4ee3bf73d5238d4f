// SPDX-License-Identifier: Apache-2.0
// Metadata of all sectors of a farm in a paged store (docs/spec/08-storage-components.md, section
// 2.8; docs/formats/farm-state.md):
//
//   entry "farm" ──► FarmState ──► SectorBlock of 64 sectors ──► SectorMetadata, one record each
//
// A cache of what metadata.bin says, never more than that: objects have the content of a slot as
// their key, and whoever asks names the key of the slot that counts. So nothing stale can come out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "furrow/types.hpp"

#include "host/base/mutex.hpp"
#include "host/base/observer.hpp"
#include "host/farm/farm_options.hpp"
#include "host/primitives/ulid.hpp"
#include "host/sector/sector_metadata.hpp"
#include "host/store/paged_store/paged_store.hpp"

namespace furrow {

/// What stays in memory of the slot of a sector.
struct SlotSummary {
  /// Of the record that the slot makes in a paged store: tells slots of different content apart.
  DataKey key;
  HistorySize history_size;
  bool holds_nothing = false;

  /// Whether the slot is SectorMetadata::expired_dummy, bit for bit.
  [[nodiscard]] bool is_lost_marker() const {
    return holds_nothing && history_size == HistorySize::from_count(1);
  }
};

/// Pre: index and number of pieces are those that belong into the slot.
SlotSummary summarize(const SectorMetadata& metadata);

struct SectorBlock;

/// Thread-safe; changes wait for one another. Everything but the constructor may throw BackendError
/// and CorruptEntry, and then the state is of no more use.
class SectorStateTree {
 public:
  static constexpr std::size_t kSectorsInBlock = 64;
  /// Sector metadata that are in memory while synchronize() makes up for what is missing.
  static constexpr std::size_t kPagedOutAtOnce = 8;

  /// `directory` is named in errors.
  SectorStateTree(std::unique_ptr<PagedBackend> backend, std::filesystem::path directory,
                  const Ulid& farm_id);
  SectorStateTree(const SectorStateTree&) = delete;
  SectorStateTree& operator=(const SectorStateTree&) = delete;
  ~SectorStateTree();

  /// Id of the farm that the store was made for; none when it is new. Throws what fetching throws.
  [[nodiscard]] std::optional<Ulid> stored_farm_id();

  /// Makes the tree that of these slots. Sectors that are marked as lost have no metadata in it;
  /// `read` is asked for those that it lacks, how many it returns. Throws
  /// StateOfAnotherFarm, and MalformedData when the store holds more that is replaced than it is
  /// worth keeping.
  std::size_t synchronize(
      std::span<const SlotSummary> slots,
      const std::function<std::shared_ptr<const SectorMetadata>(SectorIndex)>& read);

  /// The metadata under a key, from memory if somebody holds it. Throws NoDataForKey.
  [[nodiscard]] std::shared_ptr<const SectorMetadata> load(const DataKey& key);
  /// Takes the metadata of a sector in, or replaces them, durably.
  void put(std::shared_ptr<const SectorMetadata> metadata);
  void remove(SectorIndex index);
  /// Makes all of it durable, and throws what failed in the background.
  void flush();
  /// Writes the record of these metadata once more if the one that is there is damaged.
  void repair(std::shared_ptr<const SectorMetadata> metadata);

 private:
  struct Root;
  [[nodiscard]] bool read_root() FURROW_REQUIRES(mutex_);
  void change(SectorIndex index, std::shared_ptr<const SectorMetadata> metadata)
      FURROW_REQUIRES(mutex_);
  void write_root() FURROW_REQUIRES(mutex_);

  PagedStore store_;
  std::filesystem::path directory_;
  Ulid farm_id_;
  Mutex mutex_;
  std::vector<Paged<SectorBlock>> blocks_ FURROW_GUARDED_BY(mutex_);
  std::uint64_t sequence_ FURROW_GUARDED_BY(mutex_) = 0;
  /// Records of sector metadata written since the store is there; none is ever removed.
  std::uint64_t records_made_ FURROW_GUARDED_BY(mutex_) = 0;
};

/// Throws StateOfAnotherFarm when the state that options.state_backend opens, if FARM/state is
/// there and the farm is locked, was made for another farm than this one. Whatever else is wrong
/// with it is for open_sector_state to see to.
void check_state_is_of(const FarmOptions& options, const Ulid& farm_id);

/// Opens the state in FARM/state with options.state_backend and makes it that of these slots. One
/// that is damaged is removed and made anew; one that cannot be used for another reason stays. What
/// had to be done about it is said to `warn`, one
/// sentence each; null when there can be no state. Throws StateOfAnotherFarm.
std::unique_ptr<SectorStateTree> open_sector_state(
    const FarmOptions& options, const Ulid& farm_id, std::span<const SlotSummary> slots,
    const std::function<std::shared_ptr<const SectorMetadata>(SectorIndex)>& read,
    const Observer<const std::string&>& warn);

}  // namespace furrow
