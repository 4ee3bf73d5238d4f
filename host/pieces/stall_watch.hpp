// SPDX-License-Identifier: Apache-2.0
// Says so when pieces are missing and none arrives.
#pragma once

#include <chrono>
#include <cstddef>
#include <stop_token>
#include <string>
#include <thread>

#include "host/base/mutex.hpp"
#include "host/base/observer.hpp"

namespace furrow {

/// Pieces are missing and none arrives.
struct PieceStall {
  std::size_t n_missing = 0;
  std::string source;  ///< name of the one that is being asked; empty when all are waited for
  std::chrono::milliseconds silent{0};
};

/// Watches over one batch, on a thread of its own. Thread-safe.
class StallWatch {
 public:
  using Clock = std::chrono::steady_clock;

  /// `on_stall` is called after each `stall_time` without an answer; none: nobody watches. Both
  /// outlive the watch.
  StallWatch(const Observer<const PieceStall&>& on_stall, std::chrono::milliseconds stall_time,
             std::size_t n_missing);

  /// Empty: none is asked for now.
  void asks(const std::string& source);
  /// An answer, which leaves so many pieces missing; with 0 the watch is over.
  void hears(std::size_t n_missing);

 private:
  void watch(const std::stop_token& stop);

  const Observer<const PieceStall&>& on_stall_;
  const std::chrono::milliseconds stall_time_;
  Mutex mutex_;
  std::size_t n_missing_ FURROW_GUARDED_BY(mutex_);
  std::string source_ FURROW_GUARDED_BY(mutex_);
  Clock::time_point last_ FURROW_GUARDED_BY(mutex_) = Clock::now();
  int n_alarms_ FURROW_GUARDED_BY(mutex_) = 0;
  std::jthread thread_;  // last: it uses the others
};

}  // namespace furrow
