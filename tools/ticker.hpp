// SPDX-License-Identifier: Apache-2.0
// A thread that does something at regular times until it is ended: what shows progress.
#pragma once

#include <chrono>
#include <functional>
#include <thread>

namespace furrow::cli {

/// Progress is shown at these intervals: often on a terminal, where it replaces itself, now and
/// then in a log.
struct ShowIntervals {
  std::chrono::milliseconds bar = std::chrono::milliseconds(200);
  std::chrono::milliseconds line = std::chrono::seconds(30);
};

/// Those of this process: FURROW_PROGRESS_SECONDS is the second one when it is a number above 0.
[[nodiscard]] ShowIntervals show_intervals();

/// Calls something every `interval`, the first time after one. What it throws is dropped: progress
/// that cannot be shown ends no work. A machine that has no thread left shows no progress.
class Ticker {
 public:
  /// None.
  Ticker() = default;
  Ticker(std::chrono::milliseconds interval, std::function<void()> tick);
  /// Waits for a call that is under way.
  ~Ticker() = default;
  Ticker(Ticker&&) = default;
  Ticker& operator=(Ticker&&) = default;

 private:
  std::jthread thread_;
};

}  // namespace furrow::cli
