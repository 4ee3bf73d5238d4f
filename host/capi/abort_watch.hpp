// SPDX-License-Identifier: Apache-2.0
// The abort flag of a call: a foreign byte that nobody announces, so somebody has to look at it.
#pragma once

#include <functional>
#include <stop_token>
#include <thread>

namespace furrow::capi {

/// Watches a flag for the length of one call, and turns it, and the end of the handle, into a stop
/// request.
class AbortWatch {
 public:
  /// Starts a thread if there is a flag that is not set yet. Throws ResourceExhausted.
  AbortWatch(const volatile unsigned char* flag, const std::stop_token& end);
  [[nodiscard]] std::stop_token token() const { return stop_.get_token(); }

 private:
  std::stop_source stop_;
  std::stop_callback<std::function<void()>> forward_;
  std::jthread watcher_;  // last: it uses the others
};

}  // namespace furrow::capi
