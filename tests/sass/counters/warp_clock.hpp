// SPDX-License-Identifier: Apache-2.0
// The time of a warp that shares its multiprocessor with nobody but the other warps of its block:
// what the scheduling that the compiler wrote into each instruction comes to.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

#include "tests/sass/decoder/instruction.hpp"

namespace furrow::sass {

/// In cycles. Latencies behind scoreboards are round figures (warp_clock.cpp) that no card has
/// calibrated.
class WarpClock {
 public:
  /// A barrier of the block passes this long after its last warp has come.
  static constexpr std::uint64_t kBarrierCycles = 20;

  void start() { *this = {}; }
  void issue(const Instruction& instruction);
  void wait_until(std::uint64_t time) { now_ = std::max(now_, time); }
  [[nodiscard]] std::uint64_t now() const { return now_; }

 private:
  static constexpr std::size_t kNumScoreboards = 6;

  std::uint64_t now_ = 0;
  std::array<std::uint64_t, kNumScoreboards> free_at_{};
};

}  // namespace furrow::sass
