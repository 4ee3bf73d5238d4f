// SPDX-License-Identifier: Apache-2.0
#include "host/plotting/driver_call.hpp"

#include <atomic>
#include <exception>
#include <memory>
#include <thread>
#include <utility>

#include "host/base/mutex.hpp"
#include "host/base/threads.hpp"

namespace furrow {
namespace {

std::atomic<bool> has_left_something_behind = false;
std::atomic<int> n_stuck = 0;

/// Shared, because either side may be the last one to look at it.
struct Call {
  Mutex mutex;
  ConditionVariable ended;
  bool is_over FURROW_GUARDED_BY(mutex) = false;
  std::exception_ptr error FURROW_GUARDED_BY(mutex);
  bool is_left_behind FURROW_GUARDED_BY(mutex) = false;
};

void carry_out(Call& call, const std::function<void()>& work) {
  std::exception_ptr error;
  try {
    work();
  } catch (...) {
    error = std::current_exception();
  }
  const Lock lock(call.mutex);
  call.is_over = true;
  call.error = std::move(error);
  call.ended.notify_all();
  n_stuck -= call.is_left_behind ? 1 : 0;
}

}  // namespace

bool call_driver(std::chrono::milliseconds patience, std::function<void()> work) {
  const auto call = std::make_shared<Call>();
  std::jthread calling =
      start_thread("fw-driver", [call, work = std::move(work)] { carry_out(*call, work); });
  {
    const Lock lock(call->mutex);
    if (call->ended.wait_for(call->mutex, patience,
                             [&]() FURROW_REQUIRES(call->mutex) { return call->is_over; })) {
      if (call->error != nullptr) {
        std::rethrow_exception(call->error);
      }
      return true;
    }
    call->is_left_behind = true;
    ++n_stuck;
    note_silent_driver();
  }
  calling.detach();
  return false;
}

int n_stuck_in_driver() noexcept {
  return n_stuck;
}

void note_silent_driver() noexcept {
  has_left_something_behind = true;
}

bool is_driver_silent() noexcept {
  return has_left_something_behind;
}

}  // namespace furrow
