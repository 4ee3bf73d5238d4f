// SPDX-License-Identifier: Apache-2.0
// Time that passes only while every thread of the process sleeps: for simulations that run the real
// threads of the engine, as they are, and take none of the time that they tell of.
//
// A thread that computes, or waits for a device, says so here and sleeps until that would be over.
// The others sleep because they wait for one another. When all do, nothing more can happen at this
// moment, and the clock goes on to the next one at which somebody wakes. It lets one sleeper go at
// a time, so what happens depends on the simulation alone, not on how fast this machine is; only who
// of several threads that one event wakes comes first, nobody decides.
#pragma once

#include <cstdint>
#include <semaphore>
#include <thread>
#include <vector>

#include "host/base/mutex.hpp"

namespace furrow::test {

/// Seconds from 0. Thread-safe; one at a time. All other threads of the process must be part of the
/// simulation, or asleep.
class VirtualTime {
 public:
  /// Of a machine with so many cores, which those who compute share fairly.
  explicit VirtualTime(unsigned cores);
  VirtualTime(const VirtualTime&) = delete;
  VirtualTime& operator=(const VirtualTime&) = delete;
  /// Pre: nobody sleeps here.
  ~VirtualTime();

  [[nodiscard]] double now() const;
  /// Sleeps until then, without a core. At once when it is past.
  void wait_until(double moment);
  /// Sleeps for as long as so many seconds of one core take.
  void compute(double seconds);
  /// Of all cores together, so far.
  [[nodiscard]] double computed() const;

 private:
  struct Sleeper {
    double until = 0;  ///< of who waits
    double left = 0;   ///< seconds of a core, of who computes
    bool computes = false;
    std::binary_semaphore wake{0};
  };

  void sleep(Sleeper& sleeper);
  void run(const std::stop_token& stop);
  void wake_next() FURROW_REQUIRES(mutex_);

  const double cores_;
  mutable Mutex mutex_;
  ConditionVariable changed_;
  double now_ FURROW_GUARDED_BY(mutex_) = 0;
  double computed_ FURROW_GUARDED_BY(mutex_) = 0;
  std::vector<Sleeper*> sleepers_ FURROW_GUARDED_BY(mutex_);  ///< in the order in which they came
  std::jthread thread_;
};

}  // namespace furrow::test
