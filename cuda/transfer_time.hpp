// SPDX-License-Identifier: Apache-2.0
// How long copies hold an encoder up: while something is copied and nothing computed.
//
//   lane 0    ==copy==[  compute  ]==copy==
//   lane 1              ==copy==[    compute    ]==copy==
//   held up   ########                           ########
//
// Copies that hide behind the kernels of another lane cost nothing, and are not counted.
#pragma once

#include <vector>

namespace furrow::cuda {

/// From when to when, in seconds of one clock.
struct TimeSpan {
  double begin = 0;
  double end = 0;
};

/// Thread-compatible.
class TransferTime {
 public:
  /// Something was copied between host and device, or into and out of the staging for that.
  void copied(TimeSpan span) { copies_.push_back(span); }
  /// The device had something to compute.
  void computed(TimeSpan span) { computing_.push_back(span); }

  /// Counts what lies before `until`. Spans that come later begin there, or the part before does
  /// not count.
  void settle(double until);
  /// Counts all that is left; spans of a clock that starts anew may follow.
  void close();

  /// What was counted.
  [[nodiscard]] double seconds() const noexcept { return seconds_; }

 private:
  std::vector<TimeSpan> copies_;
  std::vector<TimeSpan> computing_;
  double settled_ = 0;
  double seconds_ = 0;
};

}  // namespace furrow::cuda
