// SPDX-License-Identifier: Apache-2.0
// The last error of each thread, which status it is, and the one place where exceptions end.
#pragma once

#include <exception>
#include <string>

#include "furrow/c/error.h"
#include "furrow/errors.hpp"

namespace furrow::capi {

/// A callback of the user failed, or said nothing for too long.
class CallbackFailed : public Error {
 public:
  enum class How { kFailed, kSilent };
  CallbackFailed(How how, const std::string& message, ErrorFields fields = {})
      : Error(ErrorKind::kUnavailable, message, std::move(fields)), how_(how) {}
  [[nodiscard]] How how() const noexcept { return how_; }

 private:
  How how_;
};

/// Which status and which kind an error is.
struct Verdict {
  furrow_status status;
  furrow_error_kind kind;
};
[[nodiscard]] Verdict verdict_on(const Error& error) noexcept;

/// Forgets the last error of this thread.
void clear_last_error() noexcept;
/// Keeps the exception that is being handled, and returns its status. Needs no memory.
furrow_status keep_current_exception() noexcept;
/// Keeps that the call was cancelled.
furrow_status keep_cancelled() noexcept;

/// What a callback on this thread has said of its failure since this was last asked.
[[nodiscard]] std::string take_callback_error();

/// Runs `body`, which returns a status; every exception becomes one. What calls of callbacks in
/// between have left behind as last error is forgotten.
template <class Body>
furrow_status guarded(Body body) noexcept {
  try {
    const furrow_status status = body();
    clear_last_error();
    return status == FURROW_CANCELLED ? keep_cancelled() : status;
  } catch (...) {
    clear_last_error();
    return keep_current_exception();
  }
}

}  // namespace furrow::capi
