// SPDX-License-Identifier: Apache-2.0
// Progress of a command for people, on standard error: a bar on a terminal, a line now and then
// otherwise.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "host/base/mutex.hpp"
#include "host/base/recent_rate.hpp"
#include "tools/progress_text.hpp"
#include "tools/ticker.hpp"

namespace furrow::cli {

/// Shown by a thread of its own, so that a command that is silent for long is seen to be alive.
/// Thread-safe.
class Progress {
 public:
  /// How far the command is. What is 0 in all is not counted.
  struct Counts {
    double share = 0;  ///< of the work, 0 to 1
    std::uint64_t bytes_total = 0;
    std::uint64_t items_done = 0;
    std::uint64_t items_total = 0;
  };

  /// `item` is what is counted beside bytes, such as "file".
  Progress(std::string task, std::string item);
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  /// Clears the bar.
  ~Progress();

  void set(const Counts& counts);

 private:
  using Clock = std::chrono::steady_clock;
  void show();
  [[nodiscard]] Standing standing();

  const std::string task_;
  const std::string item_;
  const bool has_bar_;
  const Clock::time_point start_ = Clock::now();
  Mutex mutex_;
  Counts counts_ FURROW_GUARDED_BY(mutex_);
  RecentRate share_rate_ FURROW_GUARDED_BY(mutex_);
  Ticker ticker_;  // last: it uses all of the above
};

}  // namespace furrow::cli
