// SPDX-License-Identifier: Apache-2.0
// The streams that a process sends at the same time, each on a thread of its own, and at most so many.
//
// A requester that is gone keeps its place until its acknowledgement is overdue, which takes a minute. So
// that such requesters cannot keep everybody else away, the one that has not acknowledged for longest gives
// way when somebody waits for a place and its patience is over: it sees nothing more, as after that minute.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <stop_token>

#include "host/base/mutex.hpp"
#include "host/node/walked_elements.hpp"

namespace furrow::node {

class StreamPlaces {
 public:
  /// Sends the elements until a stop is requested. Does not throw.
  using Send = std::function<void(WalkedElements&, const std::stop_token&)>;

  /// `patience` is how long a requester may take to acknowledge when its place is wanted.
  StreamPlaces(std::size_t most, std::chrono::milliseconds patience);
  StreamPlaces(const StreamPlaces&) = delete;
  StreamPlaces& operator=(const StreamPlaces&) = delete;
  /// As end() without a farewell.
  ~StreamPlaces();

  /// Waits for a place and sends there. False when a stop was requested first. Throws ResourceExhausted
  /// when there is no thread to be had. Thread-safe.
  bool start(std::unique_ptr<WalkedElements> elements, Send send, const std::stop_token& stop);

  /// Ends all streams with their next message, and those that cannot send it within `farewell` without. Pre: nobody starts any more.
  void end(std::chrono::milliseconds farewell);

  /// Streams that lost their place to others.
  [[nodiscard]] std::uint64_t gave_way() const;

 private:
  struct Stream;

  void wait_for_change(const std::stop_token& stop) FURROW_REQUIRES(mutex_);
  void reap() FURROW_REQUIRES(mutex_);
  [[nodiscard]] bool all_over() const FURROW_REQUIRES(mutex_);

  const std::size_t most_;
  const std::chrono::milliseconds patience_;
  mutable Mutex mutex_;
  ConditionVariable ended_;
  std::list<Stream> streams_ FURROW_GUARDED_BY(mutex_);
  std::uint64_t gave_way_ FURROW_GUARDED_BY(mutex_) = 0;
};

}  // namespace furrow::node
