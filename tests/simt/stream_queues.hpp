// SPDX-License-Identifier: Apache-2.0
// Work that streams were given and have not done. A device does it later than the host expects, and in
// any order that streams and events allow: so does this, late and in a seeded order.
//
// Nothing is done before somebody waits for it. Then one of three ways is drawn: no more than what the
// waiting needs; whatever else there is first; any of all that can go on, step by step. So work on a
// wrong stream, or without a wait, comes too late in some waits and too early in others. Internal to the
// fake runtime.
#pragma once

#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "simt/hidden_mutex.hpp"
#include "simt/schedule.hpp"

namespace furrow::simt {

struct StreamQueue;

/// A place in a queue: behind its first `n` steps.
struct QueueMark {
  std::shared_ptr<StreamQueue> queue;  ///< null: reached at any time
  std::uint64_t n = 0;
};

/// Shared, because others may wait for a stream that is destroyed already.
struct StreamQueue {
  struct Step {
    std::function<void()> work;
    std::vector<QueueMark> after;  ///< what must be reached before
  };
  explicit StreamQueue(int of_device) : device(of_device) {}

  int device;
  // Guarded by the mutex of StreamQueues.
  std::deque<Step> steps;
  std::uint64_t n_given = 0;
  std::uint64_t n_done = 0;
};

/// All queues of the process. Thread-safe; one thread at a time does steps.
class StreamQueues {
 public:
  using Queue = std::shared_ptr<StreamQueue>;

  /// Adds a step to a queue; returns the place behind it.
  QueueMark give(const Queue& queue, StreamQueue::Step step);
  /// The place behind all that a queue was given.
  QueueMark end_of(const Queue& queue);
  [[nodiscard]] bool is_reached(const QueueMark& mark);

  /// Does steps until `mark` is reached. Throws what a step throws, and throws it again at every later
  /// call, because not all callers may throw.
  void finish(const QueueMark& mark);
  /// For somebody who asks whether `mark` is reached: does steps until it is, or none. All or nothing, so
  /// that whoever hears "no" has not waited, and loses no patience.
  void answer(const QueueMark& mark);
  /// Does all steps of a device.
  void finish_device(int device);
  /// While it is held nobody does a step: before memory goes that one may be reading, also of a device
  /// whose calls fail and which nobody waits for. To be taken before the mutex of the fake runtime.
  [[nodiscard]] std::unique_lock<HiddenMutex> hold_steps() {
    return std::unique_lock<HiddenMutex>(running_);
  }
  /// Forgets the steps of a device, because it is lost.
  void drop(int device);

  /// Forgets all steps, and draws anew from this seed on.
  void reset(std::uint64_t seed);

 private:
  enum class Way : std::uint8_t { kNoMore, kOthersFirst, kAny };

  std::uint32_t draw(std::uint32_t n);
  Queue next(const QueueMark& mark, Way way);
  bool do_step(const QueueMark& mark, Way way);
  static bool is_reached_now(const QueueMark& mark) {
    return mark.queue == nullptr || mark.queue->n_done >= mark.n;
  }
  static bool can_go_on(const StreamQueue& queue);
  void rethrow_failure();

  HiddenMutex running_;        ///< held by who does steps; before `mutex_`
  HiddenMutex mutex_;          ///< guards what follows, and the queues
  std::vector<Queue> queues_;  ///< those with steps
  std::exception_ptr failure_;
  ScheduleRandom random_{1};
};

}  // namespace furrow::simt
