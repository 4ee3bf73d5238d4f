// SPDX-License-Identifier: Apache-2.0
#include "tools/ticker.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <stop_token>
#include <utility>

#include "host/base/observer.hpp"
#include "host/base/sleep.hpp"
#include "host/base/threads.hpp"

namespace furrow::cli {
namespace {

constexpr double kMostSeconds = 86'400;

void tick_until(const std::stop_token& stop, std::chrono::milliseconds interval,
                const Observer<>& tick) {
  using Clock = std::chrono::steady_clock;
  auto next = Clock::now() + interval;
  while (sleep_for(std::chrono::ceil<std::chrono::milliseconds>(next - Clock::now()), stop)) {
    tick();
    // One that was held up is not made up for.
    next = std::max(next + interval, Clock::now());
  }
}

}  // namespace

ShowIntervals show_intervals() {
  ShowIntervals result;
  if (const char* text = std::getenv("FURROW_PROGRESS_SECONDS")) {
    const double seconds = std::strtod(text, nullptr);
    if (seconds > 0 && seconds <= kMostSeconds) {
      result.line = std::chrono::milliseconds(static_cast<std::int64_t>(seconds * 1000) + 1);
    }
  }
  return result;
}

Ticker::Ticker(std::chrono::milliseconds interval, std::function<void()> tick) {
  try {
    thread_ = start_thread(
        "fw-progress", [interval, told = Observer<>(std::move(tick))](const std::stop_token& stop) {
          tick_until(stop, interval, told);
        });
  } catch (const ResourceExhausted&) {
    // as the header says
  }
}

}  // namespace furrow::cli
