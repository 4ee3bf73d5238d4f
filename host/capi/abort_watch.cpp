// SPDX-License-Identifier: Apache-2.0
#include "host/capi/abort_watch.hpp"

#include <chrono>

#include "host/base/threads.hpp"

namespace furrow::capi {
namespace {

constexpr auto kInterval = std::chrono::milliseconds(2);

bool is_set(const volatile unsigned char* flag) {
  return __atomic_load_n(flag, __ATOMIC_ACQUIRE) != 0;  // the caller may write it at any time
}

}  // namespace

AbortWatch::AbortWatch(const volatile unsigned char* flag, const std::stop_token& end)
    : forward_(end, [this] { stop_.request_stop(); }) {
  if (flag == nullptr) {
    return;
  }
  if (is_set(flag)) {
    stop_.request_stop();
    return;
  }
  watcher_ = start_thread("fw-abort", [this, flag](const std::stop_token& over) {
    while (!over.stop_requested()) {
      if (is_set(flag)) {
        stop_.request_stop();
        return;
      }
      std::this_thread::sleep_for(kInterval);
    }
  });
}

}  // namespace furrow::capi
