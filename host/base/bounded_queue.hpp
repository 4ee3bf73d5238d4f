// SPDX-License-Identifier: Apache-2.0
// A queue of limited length between threads: whoever is faster waits (docs/spec/08, section 1.4).
#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <stop_token>
#include <utility>

#include "host/base/mutex.hpp"

namespace furrow {

/// First in, first out, for any number of senders and receivers. Thread-safe.
///
/// A receiver that waits counts as one more place. Capacity 0 is therefore a hand-over: a sender
/// waits until somebody is there to receive.
///
/// A stop token that was asked to stop before the call ends the call at once. A stop request during
/// the wait ends the wait unless what it waits for has come at the same time: a place or an item
/// that one thread was woken for is never lost to the others.
template <class T>
class BoundedQueue {
 public:
  explicit BoundedQueue(std::size_t capacity) : capacity_(capacity) {}

  /// Waits for a place. False, and the item is dropped, when the queue is or becomes closed, or a
  /// stop was requested.
  [[nodiscard]] bool send(T item, const std::stop_token& stop = {}) {
    if (stop.stop_requested()) {
      return false;
    }
    const Lock lock(mutex_);
    const bool may_go_on = has_place_.wait(
        mutex_, stop, [this]() FURROW_REQUIRES(mutex_) { return closed_ || has_place(); });
    if (!may_go_on || closed_) {
      return false;
    }
    items_.push_back(std::move(item));
    has_item_.notify_one();
    return true;
  }

  /// Waits for an item. None when the queue is closed and empty, or a stop was requested.
  [[nodiscard]] std::optional<T> receive(const std::stop_token& stop = {}) {
    if (stop.stop_requested()) {
      return std::nullopt;
    }
    const Lock lock(mutex_);
    if (items_.empty() && !closed_) {
      ++waiting_receivers_;
      has_place_.notify_one();
      has_item_.wait(mutex_, stop,
                     [this]() FURROW_REQUIRES(mutex_) { return closed_ || !items_.empty(); });
      --waiting_receivers_;
    }
    if (items_.empty()) {
      return std::nullopt;
    }
    std::optional<T> item(std::move(items_.front()));
    items_.pop_front();
    has_place_.notify_one();
    return item;
  }

  /// Ends the sending and wakes everybody; may be called from either side and again. Items that
  /// were sent before can still be received; those that nobody receives go with the queue.
  void close() {
    const Lock lock(mutex_);
    closed_ = true;
    has_place_.notify_all();
    has_item_.notify_all();
  }

 private:
  // Never more items than this, because a receiver leaves with an item or when there is none.
  [[nodiscard]] bool has_place() const FURROW_REQUIRES(mutex_) {
    return items_.size() < capacity_ + waiting_receivers_;
  }

  const std::size_t capacity_;
  Mutex mutex_;
  ConditionVariable has_place_;
  ConditionVariable has_item_;
  std::deque<T> items_ FURROW_GUARDED_BY(mutex_);
  std::size_t waiting_receivers_ FURROW_GUARDED_BY(mutex_) = 0;
  bool closed_ FURROW_GUARDED_BY(mutex_) = false;
};

}  // namespace furrow
