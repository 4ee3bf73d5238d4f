// SPDX-License-Identifier: Apache-2.0
// Things that are dear to make, such as buffers and tables, kept for the next who needs one.
#pragma once

#include <cstddef>
#include <limits>
#include <memory>
#include <utility>
#include <vector>

#include "host/base/mutex.hpp"

namespace furrow {

/// A pool whose things are lent to one user at a time. Thread-safe; outlives its leases.
template <class T>
class LeasePool {
 public:
  /// The thing as its last user left it, or new; goes back when dropped. Move-only.
  class Lease {
   public:
    Lease(Lease&&) noexcept = default;
    Lease& operator=(Lease&&) = delete;
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    ~Lease() {
      if (thing_ != nullptr) {
        owner_->give_back(std::move(thing_));
      }
    }

    [[nodiscard]] T& operator*() const noexcept { return *thing_; }
    [[nodiscard]] T* operator->() const noexcept { return thing_.get(); }

   private:
    friend class LeasePool;
    Lease(LeasePool& owner, std::unique_ptr<T> thing) : owner_(&owner), thing_(std::move(thing)) {}

    LeasePool* owner_;
    std::unique_ptr<T> thing_;  // null when moved from
  };

  static constexpr std::size_t kKeepAll = std::numeric_limits<std::size_t>::max();

  /// Of the things that come back, the pool keeps at most `most_idle`.
  explicit LeasePool(std::size_t most_idle = kKeepAll) : most_idle_(most_idle) {}
  LeasePool(const LeasePool&) = delete;
  LeasePool& operator=(const LeasePool&) = delete;
  /// Pre: no lease is left.
  ~LeasePool() = default;

  /// An idle one, or else what `make` returns, a std::unique_ptr<T>. Throws what it throws.
  template <class Make>
  [[nodiscard]] Lease take(const Make& make) {
    if (std::unique_ptr<T> idle = take_idle()) {
      return Lease(*this, std::move(idle));
    }
    return Lease(*this, make());
  }
  [[nodiscard]] std::size_t n_idle() const {
    const Lock lock(mutex_);
    return idle_.size();
  }
  /// Destroys what is idle.
  void drop_idle() {
    std::vector<std::unique_ptr<T>> dropped;  // after the lock: that may take a while
    const Lock lock(mutex_);
    dropped.swap(idle_);
  }

 private:
  std::unique_ptr<T> take_idle() {
    const Lock lock(mutex_);
    if (idle_.empty()) {
      return nullptr;
    }
    std::unique_ptr<T> result = std::move(idle_.back());
    idle_.pop_back();
    return result;
  }
  void give_back(std::unique_ptr<T> thing) noexcept {
    const Lock lock(mutex_);
    if (idle_.size() < most_idle_) {
      try {
        idle_.push_back(std::move(thing));
      } catch (...) {  // NOLINT(bugprone-empty-catch): without room to keep it, it goes
      }
    }
  }

  const std::size_t most_idle_;
  mutable Mutex mutex_;
  std::vector<std::unique_ptr<T>> idle_ FURROW_GUARDED_BY(mutex_);
};

}  // namespace furrow
