// SPDX-License-Identifier: Apache-2.0
// How long a thread waits for a device. A device may hang: then no wait for it ever ends, and neither
// does anything that waits inside, such as freeing pinned memory.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <stop_token>

#include "cuda/runtime/check.hpp"

namespace furrow::cuda {

/// What a device was given is not done in time. Whatever the device may still use, and whatever waits
/// for it when it is released, has to be left as it is for as long as the process lives.
class DeviceHangs : public CudaError {
 public:
  DeviceHangs(const char* call, const std::source_location& place, const std::string& details);
};

/// While it lives, waits of the thread that made it for events and streams end with DeviceHangs after
/// `limit`, and after kAfterStop, all of them together, from the moment that a stop is requested.
/// One that has run out has run out for good: what is not done then is not waited for. Threads that
/// have none wait for ever.
class Patience {
 public:
  /// The batches in flight of the slowest card that is supported take a fifth of it.
  static constexpr std::chrono::milliseconds kAfterStop{500};

  explicit Patience(std::chrono::milliseconds limit, std::stop_token stop = {});
  Patience(const Patience&) = delete;
  Patience& operator=(const Patience&) = delete;
  ~Patience();

  /// Of the calling thread; null when it has none.
  static Patience* current() noexcept;

  /// Asks until the answer is yes; throws DeviceHangs, naming `call`, and what `is_done` throws.
  void wait_until(const std::function<bool()>& is_done, const char* call,
                  const std::source_location& place = std::source_location::current());
  [[nodiscard]] bool has_run_out() const noexcept { return has_run_out_; }

 private:
  using Clock = std::chrono::steady_clock;
  [[nodiscard]] bool is_enough(Clock::time_point begin);

  std::chrono::milliseconds limit_;
  std::stop_token stop_;
  std::optional<Clock::time_point> stop_seen_;
  bool has_run_out_ = false;
  Patience* previous_;
};

}  // namespace furrow::cuda
