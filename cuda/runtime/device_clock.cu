// SPDX-License-Identifier: Apache-2.0
#include "cuda/runtime/device_clock.hpp"

namespace furrow::cuda {

DeviceClock::DeviceClock(StreamView stream) : start_(stream.device(), EventKind::kTiming) {
  start_.record(stream);
  host_start_ = std::chrono::steady_clock::now();
  start_.synchronize();
}

double DeviceClock::now() const {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - host_start_).count();
}

double DeviceClock::at(const Event& event) const {
  return static_cast<double>(milliseconds_between(start_, event)) / 1000;
}

}  // namespace furrow::cuda
