// SPDX-License-Identifier: Apache-2.0
// Trying again what may succeed a moment later: a device that another process had to itself, or one
// that is not ready yet.
#pragma once

#include <chrono>
#include <thread>

#include "cuda/runtime/check.hpp"

namespace furrow::cuda {

inline constexpr unsigned kMostAttempts = 4;
inline constexpr std::chrono::milliseconds kBetweenAttempts{50};

/// In a handler of `error`: waits a moment before the next attempt. Rethrows what cannot succeed
/// later, want of memory, which needs smaller work, and the error of the last attempt.
inline void before_next_attempt(const CudaError& error, unsigned attempts) {
  if (error.error_class() != ErrorClass::kRetry || error.status() == cudaErrorMemoryAllocation ||
      attempts >= kMostAttempts) {
    throw;
  }
  std::this_thread::sleep_for(kBetweenAttempts);
}

/// What `work` gives. Throws CudaError.
template <class Work>
auto with_attempts(const Work& work) {
  for (unsigned attempts = 1;; ++attempts) {
    try {
      return work();
    } catch (const CudaError& error) {
      before_next_attempt(error, attempts);
    }
  }
}

}  // namespace furrow::cuda
