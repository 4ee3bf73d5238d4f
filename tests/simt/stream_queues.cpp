// SPDX-License-Identifier: Apache-2.0
#include "simt/stream_queues.hpp"

#include <algorithm>
#include <mutex>
#include <utility>

namespace furrow::simt {
namespace {

constexpr std::uint32_t kNumWays = 3;
constexpr std::uint32_t kOneInSoManyIsTooEarly = 4;

}  // namespace

QueueMark StreamQueues::give(const Queue& queue, StreamQueue::Step step) {
  const std::lock_guard lock(mutex_);
  if (queue->steps.empty()) {
    queues_.push_back(queue);
  }
  queue->steps.push_back(std::move(step));
  return {queue, ++queue->n_given};
}

QueueMark StreamQueues::end_of(const Queue& queue) {
  const std::lock_guard lock(mutex_);
  return {queue, queue->n_given};
}

bool StreamQueues::is_reached(const QueueMark& mark) {
  const std::lock_guard lock(mutex_);
  return is_reached_now(mark);
}

bool StreamQueues::can_go_on(const StreamQueue& queue) {
  return std::all_of(queue.steps.front().after.begin(), queue.steps.front().after.end(),
                     is_reached_now);
}

/// The queue whose first step is next. Pre: the mark is not reached, and the lock is held.
StreamQueues::Queue StreamQueues::next(const QueueMark& mark, Way way) {
  std::vector<Queue> able;
  for (const Queue& queue : queues_) {
    if (can_go_on(*queue) && (way != Way::kOthersFirst || queue != mark.queue)) {
      able.push_back(queue);
    }
  }
  if (way != Way::kNoMore && !able.empty()) {
    return able[random_.below(static_cast<std::uint32_t>(able.size()))];
  }
  // What the mark needs: marks point backwards only, so this comes to an end.
  Queue needed = mark.queue;
  while (!can_go_on(*needed)) {
    const std::vector<QueueMark>& after = needed->steps.front().after;
    needed = std::find_if_not(after.begin(), after.end(), is_reached_now)->queue;
  }
  return needed;
}

/// Whether there was anything to do. Pre: `running_` is held.
bool StreamQueues::do_step(const QueueMark& mark, Way way) {
  Queue queue;
  StreamQueue::Step step;
  {
    const std::lock_guard lock(mutex_);
    rethrow_failure();
    if (is_reached_now(mark)) {
      return false;
    }
    queue = next(mark, way);
    step = std::move(queue->steps.front());
    queue->steps.pop_front();
    if (queue->steps.empty()) {
      std::erase(queues_, queue);
    }
  }
  try {
    step.work();
  } catch (...) {
    const std::lock_guard lock(mutex_);
    failure_ = std::current_exception();
  }
  const std::lock_guard lock(mutex_);
  ++queue->n_done;
  rethrow_failure();
  return true;
}

void StreamQueues::rethrow_failure() {
  if (failure_ != nullptr) {
    std::rethrow_exception(failure_);
  }
}

std::uint32_t StreamQueues::draw(std::uint32_t n) {
  const std::lock_guard lock(mutex_);
  return random_.below(n);
}

void StreamQueues::finish(const QueueMark& mark) {
  const std::lock_guard lock(running_);
  const auto way = static_cast<Way>(draw(kNumWays));
  while (do_step(mark, way)) {
  }
}

void StreamQueues::answer(const QueueMark& mark) {
  if (draw(kOneInSoManyIsTooEarly) != 0) {
    finish(mark);
  }
}

void StreamQueues::finish_device(int device) {
  std::vector<QueueMark> marks;
  {
    const std::lock_guard lock(mutex_);
    for (const Queue& queue : queues_) {
      if (queue->device == device) {
        marks.push_back({queue, queue->n_given});
      }
    }
  }
  for (const QueueMark& mark : marks) {
    finish(mark);
  }
}

void StreamQueues::drop(int device) {
  const std::lock_guard lock(mutex_);
  for (const Queue& queue : queues_) {
    if (queue->device == device) {
      queue->n_done += queue->steps.size();
      queue->steps.clear();
    }
  }
  std::erase_if(queues_, [](const Queue& queue) { return queue->steps.empty(); });
}

void StreamQueues::reset(std::uint64_t seed) {
  const std::lock_guard running(running_);
  const std::lock_guard lock(mutex_);
  for (const Queue& queue : queues_) {
    queue->n_done += queue->steps.size();
    queue->steps.clear();
  }
  queues_.clear();
  failure_ = nullptr;
  random_ = ScheduleRandom(seed);
}

}  // namespace furrow::simt
