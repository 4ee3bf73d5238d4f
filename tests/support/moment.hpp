// SPDX-License-Identifier: Apache-2.0
// What one thread of a test waits for and another one brings about.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>

#include <gtest/gtest.h>

namespace furrow::test {

/// Something that happens on one thread and that another one waits for. The test fails, and does
/// not hang, when it does not come.
class Moment {
 public:
  void has_come() {
    const std::lock_guard lock(mutex_);
    has_come_ = true;
    changed_.notify_all();
  }
  void wait() {
    std::unique_lock lock(mutex_);
    EXPECT_TRUE(changed_.wait_for(lock, std::chrono::minutes(1), [this] { return has_come_; }));
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool has_come_ = false;
};

}  // namespace furrow::test
