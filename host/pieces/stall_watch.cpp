// SPDX-License-Identifier: Apache-2.0
#include "host/pieces/stall_watch.hpp"

#include "host/base/sleep.hpp"
#include "host/base/threads.hpp"

namespace furrow {

StallWatch::StallWatch(const Observer<const PieceStall&>& on_stall,
                       std::chrono::milliseconds stall_time, std::size_t n_missing)
    : on_stall_(on_stall), stall_time_(stall_time), n_missing_(n_missing) {
  if (on_stall_) {
    try {
      thread_ = start_thread("fw-stall", [this](const std::stop_token& stop) { watch(stop); });
    } catch (const ResourceExhausted&) {
      // Pieces come without anybody watching, too.
    }
  }
}

void StallWatch::asks(const std::string& source) {
  const Lock lock(mutex_);
  source_ = source;
}

void StallWatch::hears(std::size_t n_missing) {
  const Lock lock(mutex_);
  n_missing_ = n_missing;
  last_ = Clock::now();
  n_alarms_ = 0;
}

void StallWatch::watch(const std::stop_token& stop) {
  const Lock lock(mutex_);
  // A batch may last long after its last answer, as its sink may; that is no stall.
  while (!stop.stop_requested() && n_missing_ != 0) {
    const auto alarm_at = last_ + stall_time_ * (n_alarms_ + 1);
    {
      const Unlocked unlocked(mutex_);
      sleep_for(std::chrono::ceil<std::chrono::milliseconds>(alarm_at - Clock::now()), stop);
    }
    const auto silent = Clock::now() - last_;
    if (!stop.stop_requested() && n_missing_ != 0 && silent >= stall_time_ * (n_alarms_ + 1)) {
      ++n_alarms_;
      const PieceStall stall{n_missing_, source_,
                             std::chrono::floor<std::chrono::milliseconds>(silent)};
      const Unlocked unlocked(mutex_);
      on_stall_(stall);
    }
  }
}

}  // namespace furrow
