// SPDX-License-Identifier: Apache-2.0
// How long cards and the copies to them take, in virtual time: the fake CUDA runtime does the work at
// once, and who waits for it waits until a card would have done it.
//
//   stream    ──copy up──►──compute──►──copy down──►        each begins when the one before is over
//   card        one up at a time, one computation, one down      and nobody else has that part of the card
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <map>
#include <thread>
#include <utility>
#include <vector>

#include "furrow/types.hpp"

#include "host/base/mutex.hpp"
#include "simt/device_timer.hpp"
#include "simt/fake_state.hpp"
#include "tests/support/virtual_time.hpp"

namespace furrow::cuda {

struct CardSpeed {
  double seconds_per_record;
  double bus_bytes_per_second;  ///< each way
};

class SimulatedCards final : public simt::DeviceTimer {
 public:
  /// Of the n-th fake device the n-th speed. `copy_bytes_per_second` is what one core copies into
  /// and out of staging memory.
  SimulatedCards(test::VirtualTime& time, const std::vector<CardSpeed>& speeds,
                 double copy_bytes_per_second)
      : time_(time), copy_bytes_per_second_(copy_bytes_per_second) {
    for (const CardSpeed& speed : speeds) {
      cards_.push_back({.speed = speed});
    }
    current() = this;
  }
  SimulatedCards(const SimulatedCards&) = delete;
  SimulatedCards& operator=(const SimulatedCards&) = delete;
  ~SimulatedCards() override { current() = nullptr; }

  void on_copy(cudaStream_t stream, std::size_t n_bytes, cudaMemcpyKind kind) override {
    const bool is_up = kind == cudaMemcpyHostToDevice;
    if (is_up && n_bytes >= kLeastCopy) {
      copy_for(static_cast<double>(n_bytes));
    }
    const Lock lock(mutex_);
    Card& card = cards_[static_cast<std::size_t>(stream->device)];
    enqueue(stream, is_up ? card.up : card.down,
            static_cast<double>(n_bytes) / card.speed.bus_bytes_per_second);
    if (!is_up) {
      streams_[stream].came_down += static_cast<double>(n_bytes);
    }
  }

  /// One block is one record.
  void on_launch(cudaStream_t stream, dim3 grid) override {
    const Lock lock(mutex_);
    Card& card = cards_[static_cast<std::size_t>(stream->device)];
    const double seconds = grid.x * card.speed.seconds_per_record;
    const double end = enqueue(stream, card.computing, seconds);
    card.busy += seconds;
    first_ = std::min(first_, end - seconds);
    last_ = std::max(last_, end);
  }

  void on_record(cudaStream_t stream, cudaEvent_t event) override {
    const Lock lock(mutex_);
    events_[event] = {stream, streams_[stream].end};
  }

  void on_wait(cudaEvent_t event) override {
    Mark mark;
    {
      const Lock lock(mutex_);
      mark = events_[event];
    }
    time_.wait_until(mark.time + kToNotice);
    const Lock lock(mutex_);
    came_down_[std::this_thread::get_id()] += std::exchange(streams_[mark.stream].came_down, 0);
  }

  /// For how much of the time between the first and the last record of all a card computed.
  [[nodiscard]] double utilisation(std::size_t card) const {
    const Lock lock(mutex_);
    return cards_[card].busy / (last_ - first_);
  }
  [[nodiscard]] double elapsed() const {
    const Lock lock(mutex_);
    return last_ - first_;
  }

 private:
  /// Until a thread finds that a card is done: it asks ten times in a millisecond (patience.cu).
  static constexpr double kToNotice = 150e-6;
  /// What the driver and the card take to begin with anything.
  static constexpr double kToBegin = 10e-6;

  /// What is smaller than a record costs the host nothing.
  static constexpr std::size_t kLeastCopy = kRecordSize;

  struct Card {
    CardSpeed speed;
    double up = 0;  // when each part of it is free again
    double computing = 0;
    double down = 0;
    double busy = 0;
  };
  struct Queue {
    double end = 0;
    double came_down = 0;  // bytes, since somebody last waited for it
  };
  struct Mark {
    cudaStream_t stream = nullptr;
    double time = 0;
  };

  /// The caller has put so much where the card finds it, and has taken what came down before.
  void copy_for(double n_bytes) {
    {
      const Lock lock(mutex_);
      n_bytes += std::exchange(came_down_[std::this_thread::get_id()], 0);
    }
    time_.compute(n_bytes / copy_bytes_per_second_);
  }

  /// Returns when it ends.
  double enqueue(cudaStream_t stream, double& part_is_free, double seconds)
      FURROW_REQUIRES(mutex_) {
    double& end = streams_[stream].end;
    end = std::max({end, part_is_free, time_.now()}) + kToBegin + seconds;
    part_is_free = end;
    return end;
  }

  test::VirtualTime& time_;
  const double copy_bytes_per_second_;
  mutable Mutex mutex_;
  std::vector<Card> cards_ FURROW_GUARDED_BY(mutex_);
  std::map<cudaStream_t, Queue> streams_ FURROW_GUARDED_BY(mutex_);
  std::map<std::thread::id, double> came_down_ FURROW_GUARDED_BY(mutex_);  // and not taken yet
  std::map<cudaEvent_t, Mark> events_ FURROW_GUARDED_BY(mutex_);
  double first_ FURROW_GUARDED_BY(mutex_) = std::numeric_limits<double>::infinity();
  double last_ FURROW_GUARDED_BY(mutex_) = 0;
};

}  // namespace furrow::cuda
