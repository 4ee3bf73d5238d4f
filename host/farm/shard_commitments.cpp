// SPDX-License-Identifier: Apache-2.0
#include "host/farm/shard_commitments.hpp"

#include "host/primitives/sector_id.hpp"

namespace furrow {

Hash ShardCommitmentsRoots::root(HistorySize history_size) const {
  Entry* entry = nullptr;
  {
    const Lock lock(mutex_);
    std::unique_ptr<Entry>& slot = entries_[history_size];
    if (!slot) {
      slot = std::make_unique<Entry>();
    }
    entry = slot.get();
  }
  std::call_once(entry->computed, [&] {
    entry->root = shard_commitments_root(SimdMode::kBest, seed_, history_size);
  });
  return entry->root;
}

}  // namespace furrow
