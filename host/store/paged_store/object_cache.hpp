// SPDX-License-Identifier: Apache-2.0
// Live objects of a paged store (docs/spec/08-storage-components.md, sections 2.2 and 2.4).
#pragma once

#include <cstddef>
#include <memory>
#include <typeindex>
#include <unordered_map>

#include "host/base/mutex.hpp"
#include "host/store/paged_store/data_key.hpp"

namespace furrow {

/// Map from (type, key) to the one live object, which it does not keep alive. Entries of objects
/// that are gone are swept when they may be as many as the live ones, so each call is O(1) on
/// average and at most kSmallest or twice the live entries are held. Thread-safe.
class ObjectCache {
 public:
  using Object = std::shared_ptr<const void>;
  static constexpr std::size_t kSmallest = 32;

  /// The live object, or null.
  [[nodiscard]] Object find(std::type_index type, const DataKey& key) const;
  /// The live object if there is one, which the caller must use and drop its own; else `object`,
  /// which becomes the live one. Test and insertion are one step.
  [[nodiscard]] Object offer(std::type_index type, const DataKey& key, Object object);
  /// Takes the entry out when `object` is the live one and the caller alone still holds it.
  void forget_unless_shared(std::type_index type, const DataKey& key, const Object& object);
  /// Entries, those of objects that are gone included.
  [[nodiscard]] std::size_t size() const;

 private:
  struct Id {
    std::type_index type;
    DataKey key;
    bool operator==(const Id&) const = default;
  };
  struct IdHash {
    std::size_t operator()(const Id& id) const noexcept {
      return DataKeyHash()(id.key) ^ id.type.hash_code();
    }
  };
  void sweep() FURROW_REQUIRES(mutex_);

  mutable Mutex mutex_;
  std::unordered_map<Id, std::weak_ptr<const void>, IdHash> objects_ FURROW_GUARDED_BY(mutex_);
  std::size_t sweep_at_ FURROW_GUARDED_BY(mutex_) = kSmallest;
};

}  // namespace furrow
