// SPDX-License-Identifier: Apache-2.0
#include "simt/run_queue.hpp"

#include <bit>

namespace furrow::simt {
namespace {

unsigned lowest(std::uint32_t mask) {
  return static_cast<unsigned>(std::countr_zero(mask));
}
unsigned highest(std::uint32_t mask) {
  return 31U - static_cast<unsigned>(std::countl_zero(mask));
}

}  // namespace

void RunQueue::reset(const Schedule& schedule, unsigned n_warps, std::uint64_t seed) {
  kind_ = schedule.kind;
  n_warps_ = n_warps;
  ahead_ = schedule.warp % n_warps;
  random_ = ScheduleRandom(seed);
  ready_ = {};
  ready_warps_ = 0;
  warp_ = 0;
  round_ = 0;
  n_pool_ = 0;
}

void RunQueue::add(unsigned warp, std::uint32_t mask) {
  if (kind_ != Schedule::Kind::kShuffle) {
    ready_[warp] |= mask;
    ready_warps_ |= 1U << warp;
    return;
  }
  for (; mask != 0; mask &= mask - 1) {
    pool_[n_pool_++] = static_cast<std::uint16_t>(warp * kWarpSize + lowest(mask));
  }
}

int RunQueue::next_of_schedule() {
  switch (kind_) {
    case Schedule::Kind::kAscending:
      return next_in_order(false);
    case Schedule::Kind::kDescending:
      return next_in_order(true);
    case Schedule::Kind::kShuffle:
      return next_shuffled();
    case Schedule::Kind::kAhead:
      return next_ahead();
  }
  return kNone;
}

bool RunQueue::begin_round(unsigned warp) {
  round_ = ready_[warp];
  if (round_ == 0) {
    return false;
  }
  warp_ = warp;
  ready_[warp] = 0;
  ready_warps_ &= ~(1U << warp);
  return true;
}

int RunQueue::next_in_order(bool descending) {
  if (round_ == 0) {
    if (ready_warps_ == 0) {
      return kNone;
    }
    begin_round(descending ? highest(ready_warps_) : lowest(ready_warps_));
  }
  return take_from_round(descending);
}

int RunQueue::next_shuffled() {
  if (n_pool_ == 0) {
    return kNone;
  }
  const std::uint32_t at = random_.below(n_pool_);
  const int lane = pool_[at];
  pool_[at] = pool_[--n_pool_];
  return lane;
}

int RunQueue::next_ahead() {
  if (warp_ != ahead_ && ready_[ahead_] != 0) {
    // What is left of the others' round waits for a later one.
    if (round_ != 0) {
      ready_[warp_] |= round_;
      ready_warps_ |= 1U << warp_;
      round_ = 0;
    }
    begin_round(ahead_);
  } else if (round_ == 0 && !begin_round(ahead_)) {
    if (ready_warps_ == 0) {
      return kNone;
    }
    // The next warp after the one whose turn it was.
    const std::uint32_t later = warp_ == 31 ? 0 : ready_warps_ & (~0U << (warp_ + 1));
    begin_round(lowest(later != 0 ? later : ready_warps_));
  }
  return take_from_round(true);
}

}  // namespace furrow::simt
