// SPDX-License-Identifier: Apache-2.0
// A stream whose elements are made one by one, when there is room for them.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>
#include <utility>

#include "host/base/mutex.hpp"
#include "host/cluster/stream_responder.hpp"

namespace furrow::node {

/// Counts from 0 and makes an element of each number, or none of those that there is nothing to say of.
/// next() and poll() are for the thread that sends; the rest is thread-safe.
///
/// poll() makes an element, too, and takes as long as that takes: what is read ahead so is the one element
/// that the next message begins with.
class WalkedElements final : public cluster::ElementSource {
 public:
  using Clock = std::chrono::steady_clock;
  using Make = std::function<std::optional<cluster::Bytes>(std::uint64_t, const std::stop_token&)>;

  WalkedElements(std::uint64_t count, Make make) : count_(count), make_(std::move(make)) {}

  [[nodiscard]] std::optional<cluster::Bytes> next(const std::stop_token& stop) override {
    return walk(stop);
  }
  [[nodiscard]] Polled poll() override {
    std::optional<cluster::Bytes> element = walk(stopping_.get_token());
    const bool has_ended = !element.has_value();
    return {.element = std::move(element), .has_ended = has_ended};
  }

  /// Makes no further element: the stream ends with the next message, as it would after the last number.
  /// Whoever reads it knows at once what he has not got.
  void end_early() { stopping_.request_stop(); }

  /// Since when nobody asks for an element, which is for how long the requester has not acknowledged a
  /// message; none while one is made.
  [[nodiscard]] std::optional<Clock::time_point> waiting_since() const {
    const Lock lock(mutex_);
    return waiting_since_;
  }

 private:
  std::optional<cluster::Bytes> walk(const std::stop_token& stop);

  const std::uint64_t count_;
  const Make make_;
  std::uint64_t next_ = 0;  // of the thread that sends
  std::stop_source stopping_;
  mutable Mutex mutex_;
  std::optional<Clock::time_point> waiting_since_ FURROW_GUARDED_BY(mutex_);
};

}  // namespace furrow::node
