// SPDX-License-Identifier: Apache-2.0
// A lock that ThreadSanitizer does not see when the source that uses it is compiled without it. The
// real CUDA runtime has locks too, but nobody may count on what they order.
#pragma once

#include <atomic>
#include <thread>

namespace furrow::simt {

/// Recursive; for std::lock_guard.
class HiddenMutex {
 public:
  void lock() {
    if (owner_.load(std::memory_order_relaxed) == std::this_thread::get_id()) {
      ++depth_;
      return;
    }
    while (is_taken_.exchange(true, std::memory_order_acquire)) {
      is_taken_.wait(true, std::memory_order_relaxed);
    }
    owner_.store(std::this_thread::get_id(), std::memory_order_relaxed);
  }
  void unlock() {
    if (depth_ > 0) {
      --depth_;
      return;
    }
    owner_.store(std::thread::id(), std::memory_order_relaxed);
    is_taken_.store(false, std::memory_order_release);
    is_taken_.notify_one();
  }

 private:
  std::atomic<bool> is_taken_ = false;
  std::atomic<std::thread::id> owner_;
  unsigned depth_ = 0;
};

}  // namespace furrow::simt
