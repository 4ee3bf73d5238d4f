// Threads of the HTTP server, one for each connection.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include <httplib.h>

namespace furrow {

/// Starts a thread when none is idle, up to a limit; beyond it a connection is not queued but
/// carried out by the caller with is_refusing() set, which has to make short work of it.
class ConnectionThreads : public httplib::TaskQueue {
 public:
  explicit ConnectionThreads(std::size_t max_threads) : max_threads_(max_threads) {}

  void enqueue(std::function<void()> connection) override;
  /// Waits for the end of all connections.
  void shutdown() override;

  /// Whether this thread is in enqueue() because there was no thread for the connection.
  static bool is_refusing();

 private:
  void work();

  std::size_t max_threads_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> waiting_;
  std::size_t n_idle_ = 0;
  bool is_shut_down_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace furrow
