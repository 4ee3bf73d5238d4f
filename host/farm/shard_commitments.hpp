// SPDX-License-Identifier: Apache-2.0
// Roots of the shard commitments of a farm, one for each history size that its sectors have
// (docs/spec/01-primitives.md, section 9.2).
#pragma once

#include <map>
#include <memory>
#include <mutex>

#include "furrow/types.hpp"

#include "host/base/mutex.hpp"

namespace furrow {

/// Computes each root once, which takes a good part of a second, and keeps it. Thread-safe: threads
/// that want the same root wait for one of them, others go on.
class ShardCommitmentsRoots {
 public:
  explicit ShardCommitmentsRoots(const Hash& seed) : seed_(seed) {}

  [[nodiscard]] Hash root(HistorySize history_size) const;

 private:
  struct Entry {
    std::once_flag computed;
    Hash root;
  };

  Hash seed_;
  mutable Mutex mutex_;  // of the map; entries stay where they are
  mutable std::map<HistorySize, std::unique_ptr<Entry>> entries_ FURROW_GUARDED_BY(mutex_);
};

}  // namespace furrow
