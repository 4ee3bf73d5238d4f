// SPDX-License-Identifier: Apache-2.0
#include "host/store/paged_store/paged.hpp"

#include <new>
#include <vector>

namespace furrow {
namespace {

using Object = std::shared_ptr<const void>;

/// Objects that wait for their end on this thread, while release_object runs.
thread_local std::vector<Object>* objects_to_release = nullptr;

/// Drops one reference to an object. The last one destroys the object, with it the references it
/// holds, and so on: a chain of a million calls would overflow the stack, so the inner ones only
/// leave their object to the outermost.
void release_object(Object object) noexcept {
  if (objects_to_release != nullptr) {
    try {
      objects_to_release->push_back(std::move(object));
    } catch (const std::bad_alloc&) {
      // `object` ends here instead, one call deeper.
    }
    return;
  }
  std::vector<Object> waiting;
  objects_to_release = &waiting;
  object.reset();
  while (!waiting.empty()) {
    Object next = std::move(waiting.back());
    waiting.pop_back();
    next.reset();
  }
  objects_to_release = nullptr;
}

}  // namespace

PagedCell::~PagedCell() {
  if (auto* object = std::get_if<Object>(&state_)) {
    release_object(std::move(*object));
  }
}

void PagedCell::set_data_key(const StoredKey& key) {
  Object object;
  {
    const Lock lock(mutex_);
    if (auto* held = std::get_if<Object>(&state_)) {
      object = std::move(*held);
      state_ = key;
    }
  }
  // Outside of the lock: the end of an object is its own code.
  release_object(std::move(object));
}

}  // namespace furrow
