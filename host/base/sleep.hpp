// SPDX-License-Identifier: Apache-2.0
// A sleep that a stop request ends.
#pragma once

#include <chrono>
#include <stop_token>

#include "host/base/mutex.hpp"

namespace furrow {

/// False when a stop was requested, which it does not sleep beyond.
inline bool sleep_for(std::chrono::milliseconds time, const std::stop_token& stop) {
  Mutex mutex;
  ConditionVariable never;
  const Lock lock(mutex);
  never.wait_for(mutex, stop, time, [] { return false; });
  return !stop.stop_requested();
}

}  // namespace furrow
