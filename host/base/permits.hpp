// SPDX-License-Identifier: Apache-2.0
// Counting semaphore whose waiting can be cut short (docs/spec/03, section 6.3).
#pragma once

#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <optional>
#include <stop_token>
#include <utility>

namespace furrow {

/// A number of permits, each held by one sector at a time. Thread-safe; outlives its permits.
class Permits {
 public:
  /// One permit; gives itself back when destroyed. Move-only.
  class Permit {
   public:
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
    Permits* owner_;
  };

  explicit Permits(std::size_t count) : free_(count) {}

  /// Waits for a permit; none when a stop was requested first.
  [[nodiscard]] std::optional<Permit> acquire(const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    if (!given_back_.wait(lock, stop, [this] { return free_ > 0; })) {
      return std::nullopt;
    }
    --free_;
    return Permit(*this);
  }

 private:
  void give_back() {
    const std::lock_guard lock(mutex_);
    ++free_;
    given_back_.notify_one();
  }

  std::mutex mutex_;
  std::condition_variable_any given_back_;
  std::size_t free_;
};

}  // namespace furrow
