// SPDX-License-Identifier: Apache-2.0
// How fast something goes, of late.
#pragma once

#include <deque>

namespace furrow {

/// The mean of the last two minutes, so that a slow beginning is forgotten. Not thread-safe.
class RecentRate {
 public:
  /// `seconds` since some start and what was done by then; neither ever decreases.
  void add(double seconds, double done);
  /// 0 when nothing was done, or no time passed.
  [[nodiscard]] double per_second() const;

 private:
  struct Sample {
    double seconds;
    double done;
  };
  std::deque<Sample> samples_;
};

}  // namespace furrow
