// SPDX-License-Identifier: Apache-2.0
// The lanes of the running block that can go on, and which of them is next under a schedule.
#pragma once

#include <array>
#include <bit>
#include <cstdint>

#include "simt/schedule.hpp"

namespace furrow::simt {

inline constexpr unsigned kWarpSize = 32;
inline constexpr unsigned kMaxThreadsPerBlock = 1024;
inline constexpr unsigned kMaxWarps = kMaxThreadsPerBlock / kWarpSize;

/// A lane is named by its number in the block. In a round every lane of a warp that could run at
/// the beginning of the round runs once, so that a warp goes from collective to collective as a
/// whole.
class RunQueue {
 public:
  static constexpr int kNone = -1;
  static constexpr unsigned kPatience = 1U << 16U;
  static constexpr unsigned kMaxShuffledPatience = 16;

  /// Empties the queue. `seed` replaces that of a shuffled schedule.
  void reset(const Schedule& schedule, unsigned n_warps, std::uint64_t seed);
  /// The lanes of `mask` can go on.
  void add(unsigned warp, std::uint32_t mask);
  /// How many atomic operations go by before another lane gets its turn.
  unsigned next_patience() {
    return kind_ == Schedule::Kind::kShuffle ? 1 + random_.below(kMaxShuffledPatience) : kPatience;
  }
  /// Takes out the lane that is next, kNone when there is none.
  int next() {
    // The common case: the warp goes on with its round.
    if (round_ != 0 && kind_ == Schedule::Kind::kAscending) {
      return take_from_round(false);
    }
    return next_of_schedule();
  }

 private:
  int next_of_schedule();
  int next_in_order(bool descending);
  int next_shuffled();
  int next_ahead();
  /// Pre: the round is not over.
  int take_from_round(bool descending) {
    const auto lane = static_cast<unsigned>(descending ? 31 - std::countl_zero(round_)
                                                       : std::countr_zero(round_));
    // NOLINTNEXTLINE(clang-analyzer-core.UndefinedBinaryOperatorResult): as long as that holds
    round_ &= ~(1U << lane);
    return static_cast<int>(warp_ * kWarpSize + lane);
  }
  bool begin_round(unsigned warp);

  Schedule::Kind kind_ = Schedule::Kind::kAscending;
  unsigned n_warps_ = 0;
  unsigned ahead_ = 0;
  ScheduleRandom random_{0};

  // Ordered schedules: lanes that can run, by warp, and what is left of the current round.
  std::array<std::uint32_t, kMaxWarps> ready_{};
  std::uint32_t ready_warps_ = 0;
  unsigned warp_ = 0;
  std::uint32_t round_ = 0;

  // Shuffled: the lanes that can run, in any order.
  std::array<std::uint16_t, kMaxThreadsPerBlock> pool_{};
  std::uint32_t n_pool_ = 0;
};

}  // namespace furrow::simt
