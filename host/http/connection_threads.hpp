// SPDX-License-Identifier: Apache-2.0
// Threads of the HTTP server, one for each connection.
#pragma once

#include <cstddef>
#include <functional>
#include <list>
#include <thread>

#include "host/base/mutex.hpp"

namespace furrow {

/// A thread lives as long as its connection, so that those of a burst go with it. For one thread
/// that starts them.
class ConnectionThreads {
 public:
  /// Waits for all of them.
  ~ConnectionThreads();

  /// Carries out `connection`, which throws nothing, on a thread of its own. False when the system
  /// has no more threads; nothing is carried out then.
  [[nodiscard]] bool start(std::function<void()> connection);

 private:
  /// A thread ends: it joins the one that ended before it, so that no more than one is ever left
  /// with its stack.
  void leave(std::list<std::jthread>::iterator self);

  Mutex mutex_;
  ConditionVariable changed_;
  std::list<std::jthread> running_ FURROW_GUARDED_BY(mutex_);
  std::list<std::jthread> ended_ FURROW_GUARDED_BY(mutex_);
};

}  // namespace furrow
