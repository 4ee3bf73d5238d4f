// SPDX-License-Identifier: Apache-2.0
#include "tests/sass/counters/warp_clock.hpp"

namespace furrow::sass {
namespace {

/// Cycles until an operation of variable latency has its result: what public measurements of
/// cards of these generations say, rounded. Global memory is taken to answer from the L2.
std::uint64_t result_cycles(const Instruction& instruction) {
  switch (instruction.operation) {
    case Operation::kLdg:
    case Operation::kAtomg:
      return 260;
    case Operation::kAtoms:
      return 50;
    case Operation::kLds:
    case Operation::kShfl:
    case Operation::kRedux:
      return 24;
    case Operation::kLdc:
      return 40;
    default:
      return instruction.pipe == Pipe::kUniform ? 12 : 20;
  }
}

/// Cycles until the operands of a store or an atomic operation are on their way.
constexpr std::uint64_t kOperandCycles = 12;

}  // namespace

void WarpClock::issue(const Instruction& instruction) {
  const Scheduling& scheduling = instruction.scheduling;
  for (std::size_t i = 0; i < kNumScoreboards; ++i) {
    if ((scheduling.awaited >> i & 1) != 0) {
      now_ = std::max(now_, free_at_[i]);
    }
  }
  const auto hold = [&](std::uint8_t scoreboard, std::uint64_t cycles) {
    if (scoreboard < kNumScoreboards) {
      free_at_[scoreboard] = std::max(free_at_[scoreboard], now_ + cycles);
    }
  };
  hold(scheduling.held_for_result, result_cycles(instruction));
  hold(scheduling.held_for_operands, kOperandCycles);
  now_ += std::max<std::uint64_t>(1, scheduling.stall);
}

}  // namespace furrow::sass
