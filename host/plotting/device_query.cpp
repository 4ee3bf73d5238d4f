// SPDX-License-Identifier: Apache-2.0
#include "host/plotting/device_query.hpp"

#include <atomic>
#include <exception>
#include <memory>
#include <optional>
#include <thread>

#include "host/base/mutex.hpp"
#include "host/base/threads.hpp"

namespace furrow {
namespace {

std::atomic<bool> has_left_one_behind = false;
/// Of those left behind, the ones that are still in the driver.
std::atomic<int> n_stuck = 0;

/// Of one question; shared, because either side may be the last one to look at it.
struct Answer {
  Mutex mutex;
  ConditionVariable given;
  std::optional<CudaDevices> devices FURROW_GUARDED_BY(mutex);
  std::exception_ptr error FURROW_GUARDED_BY(mutex);
  bool is_left_behind FURROW_GUARDED_BY(mutex) = false;
};

}  // namespace

CudaDevices cuda_devices_in_time(std::chrono::milliseconds patience,
                                 const std::function<CudaDevices()>& list) {
  const CudaDevices silent{.is_built_in = true, .problem = kDriverIsSilent};
  if (n_stuck != 0) {
    return silent;  // one more question would leave one more thread behind
  }
  const auto answer = std::make_shared<Answer>();
  std::jthread asking = start_thread("fw-devices", [answer, list] {
    std::optional<CudaDevices> devices;
    std::exception_ptr error;
    try {
      devices = list();
    } catch (...) {
      error = std::current_exception();
    }
    const Lock lock(answer->mutex);
    answer->devices = std::move(devices);
    answer->error = std::move(error);
    answer->given.notify_all();
    n_stuck -= answer->is_left_behind ? 1 : 0;
  });
  {
    const Lock lock(answer->mutex);
    if (answer->given.wait_for(answer->mutex, patience, [&]() FURROW_REQUIRES(answer->mutex) {
          return answer->devices.has_value() || answer->error != nullptr;
        })) {
      if (answer->error != nullptr) {
        std::rethrow_exception(answer->error);
      }
      return *answer->devices;
    }
    answer->is_left_behind = true;
    ++n_stuck;
    has_left_one_behind = true;
  }
  asking.detach();
  return silent;
}

bool is_driver_silent() noexcept {
  return has_left_one_behind;
}

}  // namespace furrow
