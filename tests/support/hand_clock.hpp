// SPDX-License-Identifier: Apache-2.0
// Time that a test moves by hand.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>

namespace furrow::test {

/// Stands still until it is moved. Must outlive what has its now(). Thread-safe.
class HandClock {
 public:
  using Clock = std::chrono::steady_clock;

  HandClock() = default;
  HandClock(const HandClock&) = delete;
  HandClock& operator=(const HandClock&) = delete;

  void move(Clock::duration by) { ticks_ += by.count(); }
  /// The clock, as those who ask for the time take it.
  [[nodiscard]] std::function<Clock::time_point()> now() const {
    return [this] { return Clock::time_point(Clock::duration(ticks_.load())); };
  }

 private:
  std::atomic<Clock::rep> ticks_ = Clock::duration(std::chrono::hours(1)).count();
};

}  // namespace furrow::test
