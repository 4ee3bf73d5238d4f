// SPDX-License-Identifier: Apache-2.0
// What has arrived for one subscription and was not yet taken.
#pragma once

#include <cstdint>
#include <deque>
#include <stop_token>
#include <utility>

#include "host/base/mutex.hpp"
#include "host/cluster/bus.hpp"

namespace furrow::cluster {

/// First in, first out, of limited length; what finds no room is dropped. Thread-safe.
class MessageQueue {
 public:
  explicit MessageQueue(const PendingLimits& limits) : limits_(limits) {}

  /// False when there is no room.
  bool push(BusMessage message) {
    const Lock lock(mutex_);
    if (messages_.size() >= limits_.messages || bytes_ + message.payload.size() > limits_.bytes) {
      ++dropped_;
      return false;
    }
    bytes_ += message.payload.size();
    messages_.push_back(std::move(message));
    arrived_.notify_one();
    return true;
  }
  /// As BusSubscription::next().
  [[nodiscard]] Received pop(BusClock::TimePoint deadline, const std::stop_token& stop) {
    const Lock lock(mutex_);
    const auto may_end = [this]()
                             FURROW_REQUIRES(mutex_) { return !messages_.empty() || has_ended_; };
    if (deadline == BusClock::TimePoint::max()) {
      arrived_.wait(mutex_, stop, may_end);
    } else {
      arrived_.wait_until(mutex_, stop, deadline, may_end);
    }
    if (!messages_.empty()) {
      Received received{Waited::kMessage, std::move(messages_.front())};
      messages_.pop_front();
      bytes_ -= received.message.payload.size();
      return received;
    }
    if (has_ended_) {
      return {Waited::kEnded, {}};
    }
    return {stop.stop_requested() ? Waited::kStopped : Waited::kTimeout, {}};
  }
  /// Nothing more arrives.
  void end() {
    const Lock lock(mutex_);
    has_ended_ = true;
    arrived_.notify_all();
  }
  [[nodiscard]] std::uint64_t dropped() const {
    const Lock lock(mutex_);
    return dropped_;
  }

 private:
  const PendingLimits limits_;
  mutable Mutex mutex_;
  ConditionVariable arrived_;
  std::deque<BusMessage> messages_ FURROW_GUARDED_BY(mutex_);
  std::size_t bytes_ FURROW_GUARDED_BY(mutex_) = 0;
  std::uint64_t dropped_ FURROW_GUARDED_BY(mutex_) = 0;
  bool has_ended_ FURROW_GUARDED_BY(mutex_) = false;
};

}  // namespace furrow::cluster
