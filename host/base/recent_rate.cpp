// SPDX-License-Identifier: Apache-2.0
#include "host/base/recent_rate.hpp"

namespace furrow {
namespace {

constexpr double kWindow = 120;
constexpr double kSampleInterval = 1;

}  // namespace

void RecentRate::add(double seconds, double done) {
  // The sample that is the end of the time in question moves until the next one is due.
  const bool moves =
      samples_.size() > 1 && seconds - samples_[samples_.size() - 2].seconds < kSampleInterval;
  if (moves) {
    samples_.back() = {seconds, done};
  } else {
    samples_.push_back({seconds, done});
  }
  while (samples_.size() > 2 && samples_[1].seconds <= seconds - kWindow) {
    samples_.pop_front();
  }
}

double RecentRate::per_second() const {
  if (samples_.empty()) {
    return 0;
  }
  const double seconds = samples_.back().seconds - samples_.front().seconds;
  return seconds > 0 ? (samples_.back().done - samples_.front().done) / seconds : 0;
}

}  // namespace furrow
