// SPDX-License-Identifier: Apache-2.0
#include "host/http/connection_threads.hpp"

#include <exception>
#include <utility>

#include "host/base/threads.hpp"

namespace furrow {

bool ConnectionThreads::start(std::function<void()> connection) {
  const Lock lock(mutex_);
  try {
    running_.emplace_front();
  } catch (const std::bad_alloc&) {
    return false;
  }
  const auto self = running_.begin();
  try {
    *self = start_thread("fw-client", [this, self, connection = std::move(connection)] {
      connection();
      leave(self);
    });
  } catch (const std::exception&) {  // of the system, or for want of memory
    running_.erase(self);
    return false;
  }
  return true;
}

void ConnectionThreads::leave(std::list<std::jthread>::iterator self) {
  std::list<std::jthread> before;
  {
    const Lock lock(mutex_);
    before.swap(ended_);
    ended_.splice(ended_.end(), running_, self);
    changed_.notify_all();
  }
  for (std::jthread& thread : before) {
    thread.join();
  }
}

ConnectionThreads::~ConnectionThreads() {
  std::list<std::jthread> last;
  {
    const Lock lock(mutex_);
    changed_.wait(mutex_, [this]() FURROW_REQUIRES(mutex_) { return running_.empty(); });
    last.swap(ended_);
  }
  for (std::jthread& thread : last) {
    thread.join();
  }
}

}  // namespace furrow
