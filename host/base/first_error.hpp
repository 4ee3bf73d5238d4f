// SPDX-License-Identifier: Apache-2.0
// What went wrong first, where several threads may fail.
#pragma once

#include <exception>
#include <utility>

#include "host/base/mutex.hpp"

namespace furrow {

/// The first error of several: what follows is as a rule a consequence of it. Thread-safe.
class FirstError {
 public:
  /// Keeps the error, unless there was one before.
  void keep(std::exception_ptr error) noexcept {
    const Lock lock(mutex_);
    if (error_ == nullptr) {
      error_ = std::move(error);
    }
  }
  /// Null when there was none.
  [[nodiscard]] std::exception_ptr get() const noexcept {
    const Lock lock(mutex_);
    return error_;
  }
  /// Throws it if there was one.
  void rethrow() const {
    if (const std::exception_ptr error = get()) {
      std::rethrow_exception(error);
    }
  }

 private:
  mutable Mutex mutex_;
  std::exception_ptr error_ FURROW_GUARDED_BY(mutex_);
};

}  // namespace furrow
