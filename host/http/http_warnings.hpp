// SPDX-License-Identifier: Apache-2.0
// What a server tells its owner.
#pragma once

#include <exception>
#include <string>
#include <utility>

#include "host/base/foreign_error.hpp"
#include "host/base/mutex.hpp"
#include "host/base/observer.hpp"

namespace furrow {

/// Lines for one observer, one at a time. Nothing of the observer comes out of it. Thread-safe.
class HttpWarnings {
 public:
  explicit HttpWarnings(Observer<const std::string&> observer) : observer_(std::move(observer)) {}

  void tell(const std::string& line) {
    const Lock lock(mutex_);
    observer_(line);
  }
  /// Its message; in a handler.
  void tell_of_current_exception() noexcept {
    try {
      tell(message_of(std::current_exception()));
    } catch (...) {
      // Without memory for a line there is none.
    }
  }

 private:
  Mutex mutex_;
  Observer<const std::string&> observer_ FURROW_GUARDED_BY(mutex_);
};

}  // namespace furrow
