// SPDX-License-Identifier: Apache-2.0
#include "host/base/observer.hpp"

namespace furrow {
namespace {

std::atomic<ObserverFailureHandler> g_handler = nullptr;

}  // namespace

ObserverFailureHandler set_observer_failure_handler(ObserverFailureHandler handler) noexcept {
  return g_handler.exchange(handler);
}

void report_observer_failure() noexcept {
  const ObserverFailureHandler handler = g_handler;
  if (handler == nullptr) {
    return;
  }
  try {
    try {
      throw;
    } catch (const std::exception& error) {
      handler(error.what());
    } catch (...) {
      handler("something that is no std::exception");
    }
  } catch (...) {
    // Whoever cannot take this either is beyond help.
  }
}

}  // namespace furrow
