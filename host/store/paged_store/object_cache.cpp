// SPDX-License-Identifier: Apache-2.0
#include "host/store/paged_store/object_cache.hpp"

#include <algorithm>
#include <utility>

namespace furrow {

ObjectCache::Object ObjectCache::find(std::type_index type, const DataKey& key) const {
  const Lock lock(mutex_);
  const auto entry = objects_.find({type, key});
  return entry == objects_.end() ? nullptr : entry->second.lock();
}

ObjectCache::Object ObjectCache::offer(std::type_index type, const DataKey& key, Object object) {
  const Lock lock(mutex_);
  const auto [entry, is_new] = objects_.try_emplace({type, key}, object);
  if (!is_new) {
    if (Object live = entry->second.lock()) {
      return live;
    }
    entry->second = object;
  }
  if (objects_.size() >= sweep_at_) {
    sweep();
  }
  return object;
}

void ObjectCache::forget_unless_shared(std::type_index type, const DataKey& key,
                                       const Object& object) {
  // Under the lock nobody can take another reference out of the cache, and a count of one says that
  // there is none to copy elsewhere.
  const Lock lock(mutex_);
  const auto entry = objects_.find({type, key});
  if (entry != objects_.end() && object.use_count() == 1 && !entry->second.owner_before(object) &&
      !object.owner_before(entry->second)) {
    objects_.erase(entry);
  }
}

std::size_t ObjectCache::size() const {
  const Lock lock(mutex_);
  return objects_.size();
}

void ObjectCache::sweep() {
  std::erase_if(objects_, [](const auto& entry) { return entry.second.expired(); });
  sweep_at_ = std::max(kSmallest, 2 * objects_.size());
}

}  // namespace furrow
