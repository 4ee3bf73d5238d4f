// A gate that a caller can close to make plotting pause (docs/spec/03, section 6.4: the pause
// mutex).
#pragma once

#include <condition_variable>
#include <mutex>
#include <stop_token>

namespace furrow {

/// Open at first. Work waits at the gate before each download and each record, so closing it pauses
/// plotting within one batch; nobody holds it while working. Thread-safe.
class Gate {
 public:
  void close() {
    const std::lock_guard lock(mutex_);
    open_ = false;
  }
  void open() {
    const std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }
  [[nodiscard]] bool is_open() const {
    const std::lock_guard lock(mutex_);
    return open_;
  }
  /// Waits until the gate is open; false when a stop was requested instead.
  [[nodiscard]] bool wait(const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    return changed_.wait(lock, stop, [this] { return open_; }) && !stop.stop_requested();
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  bool open_ = true;
};

}  // namespace furrow
