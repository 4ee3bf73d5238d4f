#include "host/pieces/connection_threads.hpp"

#include <system_error>
#include <utility>

namespace furrow {
namespace {

thread_local bool refusing = false;

}  // namespace

bool ConnectionThreads::is_refusing() {
  return refusing;
}

void ConnectionThreads::enqueue(std::function<void()> connection) {
  {
    const std::lock_guard lock(mutex_);
    bool has_thread = waiting_.size() < n_idle_;
    if (!has_thread && threads_.size() < max_threads_) {
      try {
        threads_.emplace_back([this] { work(); });
        ++n_idle_;  // it will look for work
        has_thread = true;
      } catch (const std::system_error&) {
        // No more threads on this system: the connection is refused.
      }
    }
    if (has_thread) {
      waiting_.push_back(std::move(connection));
      changed_.notify_one();
      return;
    }
  }
  refusing = true;
  connection();
  refusing = false;
}

void ConnectionThreads::work() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return !waiting_.empty() || is_shut_down_; });
    if (waiting_.empty()) {
      return;
    }
    const std::function<void()> connection = std::move(waiting_.front());
    waiting_.pop_front();
    --n_idle_;
    lock.unlock();
    connection();
    lock.lock();
    ++n_idle_;
  }
}

void ConnectionThreads::shutdown() {
  {
    const std::lock_guard lock(mutex_);
    is_shut_down_ = true;
  }
  changed_.notify_all();
  for (std::thread& thread : threads_) {
    thread.join();
  }
}

}  // namespace furrow
