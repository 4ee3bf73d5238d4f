#include "host/plotting/device_query.hpp"

#include <atomic>
#include <condition_variable>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include "host/base/threads.hpp"

namespace furrow {
namespace {

std::atomic<bool> has_left_one_behind = false;

/// Of one question; shared, because either side may be the last one to look at it.
struct Answer {
  std::mutex mutex;
  std::condition_variable given;
  std::optional<CudaDevices> devices;
  std::exception_ptr error;
};

}  // namespace

CudaDevices cuda_devices_in_time(std::chrono::milliseconds patience,
                                 const std::function<CudaDevices()>& list) {
  const auto answer = std::make_shared<Answer>();
  std::jthread asking = start_thread("fw-devices", [answer, list] {
    std::optional<CudaDevices> devices;
    std::exception_ptr error;
    try {
      devices = list();
    } catch (...) {
      error = std::current_exception();
    }
    const std::lock_guard lock(answer->mutex);
    answer->devices = std::move(devices);
    answer->error = std::move(error);
    answer->given.notify_all();
  });
  {
    std::unique_lock lock(answer->mutex);
    if (answer->given.wait_for(lock, patience, [&] {
          return answer->devices.has_value() || answer->error != nullptr;
        })) {
      if (answer->error != nullptr) {
        std::rethrow_exception(answer->error);
      }
      return *answer->devices;
    }
  }
  has_left_one_behind = true;
  asking.detach();
  return {.is_built_in = true, .problem = kDriverIsSilent};
}

bool is_driver_silent() noexcept {
  return has_left_one_behind;
}

}  // namespace furrow
