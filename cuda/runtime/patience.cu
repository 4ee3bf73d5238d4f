// SPDX-License-Identifier: Apache-2.0
#include <thread>
#include <utility>

#include "cuda/runtime/patience.hpp"

namespace furrow::cuda {
namespace {

/// Between two questions. A batch takes milliseconds, and others are in flight meanwhile.
constexpr std::chrono::microseconds kBetweenQuestions{100};

Patience*& current_of_this_thread() {
  static thread_local Patience* current = nullptr;
  return current;
}

}  // namespace

DeviceHangs::DeviceHangs(const char* call, const std::source_location& place,
                         const std::string& details)
    : CudaError(call, place, cudaErrorLaunchTimeout, details) {}

Patience::Patience(std::chrono::milliseconds limit, std::stop_token stop)
    : limit_(limit),
      stop_(std::move(stop)),
      previous_(std::exchange(current_of_this_thread(), this)) {}

Patience::~Patience() {
  current_of_this_thread() = previous_;
}

Patience* Patience::current() noexcept {
  return current_of_this_thread();
}

void Patience::wait_until(const std::function<bool()>& is_done, const char* call,
                          const std::source_location& place) {
  // The answer comes first: who was suspended for long finds that it is done.
  for (const Clock::time_point begin = Clock::now(); !is_done();) {
    if (has_run_out_ || is_enough(begin)) {
      const bool was_stopped = !has_run_out_ && stop_seen_.has_value();
      has_run_out_ = true;
      throw DeviceHangs(call, place,
                        "the device has not done what it was given within " +
                            std::to_string((was_stopped ? kAfterStop : limit_).count()) + " ms" +
                            (was_stopped ? " of a stop request" : ""));
    }
    std::this_thread::sleep_for(kBetweenQuestions);
  }
}

bool Patience::is_enough(Clock::time_point begin) {
  const Clock::time_point now = Clock::now();
  if (!stop_seen_.has_value() && stop_.stop_requested()) {
    stop_seen_ = now;
  }
  return now - begin >= limit_ || (stop_seen_.has_value() && now - *stop_seen_ >= kAfterStop);
}

}  // namespace furrow::cuda
