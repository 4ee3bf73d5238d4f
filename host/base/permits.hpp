// SPDX-License-Identifier: Apache-2.0
// Counting semaphore whose waiting can be cut short (docs/spec/03, section 6.3).
#pragma once

#include <cstddef>
#include <optional>
#include <stop_token>
#include <utility>

#include "host/base/mutex.hpp"

namespace furrow {

/// A number of permits, each held by one sector at a time. Thread-safe; outlives its permits.
class Permits {
 public:
  /// One permit; gives itself back when destroyed. Move-only.
  class Permit {
   public:
    /// None.
    Permit() = default;
    explicit Permit(Permits& owner) : owner_(&owner) {}
    Permit(Permit&& other) noexcept : owner_(std::exchange(other.owner_, nullptr)) {}
    Permit& operator=(Permit&& other) noexcept {
      std::swap(owner_, other.owner_);
      return *this;
    }
    Permit(const Permit&) = delete;
    Permit& operator=(const Permit&) = delete;
    ~Permit() {
      if (owner_ != nullptr) {
        owner_->give_back();
      }
    }

   private:
    Permits* owner_ = nullptr;
  };

  explicit Permits(std::size_t count) : free_(count) {}

  /// Waits for a permit; none when a stop was requested first.
  [[nodiscard]] std::optional<Permit> acquire(const std::stop_token& stop) {
    const Lock lock(mutex_);
    if (!given_back_.wait(mutex_, stop, [this]() FURROW_REQUIRES(mutex_) { return free_ > 0; })) {
      return std::nullopt;
    }
    --free_;
    return Permit(*this);
  }
  /// A permit if one is free now.
  [[nodiscard]] std::optional<Permit> try_acquire() {
    const Lock lock(mutex_);
    if (free_ == 0) {
      return std::nullopt;
    }
    --free_;
    return Permit(*this);
  }
  /// How many are free now.
  [[nodiscard]] std::size_t free() const {
    const Lock lock(mutex_);
    return free_;
  }

 private:
  void give_back() {
    const Lock lock(mutex_);
    ++free_;
    given_back_.notify_one();
  }

  mutable Mutex mutex_;
  ConditionVariable given_back_;
  std::size_t free_ FURROW_GUARDED_BY(mutex_);
};

}  // namespace furrow
