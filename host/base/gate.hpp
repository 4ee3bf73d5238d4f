// SPDX-License-Identifier: Apache-2.0
// A gate that a caller can close to make plotting pause (docs/spec/03, section 6.4: the pause
// mutex).
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <stop_token>
#include <utility>

#include "host/base/mutex.hpp"

namespace furrow {

/// Open at first. Work waits at the gate before each download, each record and each writing of a
/// sector, and the CPU inside a record as well, so closing it pauses plotting within a few
/// milliseconds, or within one batch of a device; nobody holds it while working.
/// Thread-safe.
class Gate {
 public:
  /// Says what time it is. Only close(), open() and closed_for() ask.
  using Now = std::function<std::chrono::steady_clock::time_point()>;

  explicit Gate(Now now = std::chrono::steady_clock::now) : now_(std::move(now)) {}

  void close() {
    const Lock lock(mutex_);
    if (open_) {
      open_ = false;
      closed_since_ = now_();
    }
  }
  void open() {
    const Lock lock(mutex_);
    if (!open_) {
      open_ = true;
      closed_for_ += now_() - closed_since_;
      changed_.notify_all();
    }
  }
  /// How long it was closed altogether.
  [[nodiscard]] std::chrono::duration<double> closed_for() const {
    const Lock lock(mutex_);
    return open_ ? closed_for_ : closed_for_ + (now_() - closed_since_);
  }
  [[nodiscard]] bool is_open() const { return open_; }
  /// Waits until the gate is open; false when a stop was requested instead. Costs next to nothing
  /// while it is open, because many threads ask all the time.
  [[nodiscard]] bool wait(const std::stop_token& stop) {
    if (open_) {
      return !stop.stop_requested();
    }
    const Lock lock(mutex_);
    return changed_.wait(mutex_, stop, [this] { return open_.load(); }) && !stop.stop_requested();
  }

 private:
  using Clock = std::chrono::steady_clock;

  const Now now_;
  mutable Mutex mutex_;
  ConditionVariable changed_;
  std::atomic<bool> open_ = true;  // changed under the mutex
  Clock::time_point closed_since_ FURROW_GUARDED_BY(mutex_);
  Clock::duration closed_for_ FURROW_GUARDED_BY(mutex_){0};
};

}  // namespace furrow
