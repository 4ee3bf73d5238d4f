// SPDX-License-Identifier: Apache-2.0
// What a launch costs: instructions executed, lanes that took part, and what memory accesses break
// up into.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "tests/sass/machine/lanes.hpp"
#include "tests/sass/machine/program.hpp"

namespace furrow::sass {

/// Of one instruction of a kernel.
struct InstructionCount {
  std::uint64_t executed = 0;  ///< by a warp
  std::uint64_t lanes = 0;
  std::uint64_t requests = 0;          ///< of memory, with at least one lane
  std::uint64_t wavefronts = 0;        ///< passes through shared memory
  std::uint64_t least_wavefronts = 0;  ///< without conflicts of banks
  std::uint64_t sectors = 0;           ///< of 32 bytes, of global memory
  std::uint64_t lines = 0;             ///< of 128 bytes
};

struct LaunchCount {
  std::uint64_t executed = 0;
  std::uint64_t lanes = 0;
  std::array<std::uint64_t, kNumPipes> by_pipe{};
  InstructionCount shared;
  InstructionCount global;
  std::uint64_t shuffles = 0;
  std::uint64_t barriers = 0;
  /// Of all blocks, what each would take that had its multiprocessor to itself (warp_clock.hpp).
  std::uint64_t cycles_alone = 0;

  LaunchCount& operator+=(const LaunchCount& other);
};

class Counters {
 public:
  /// `counts_memory`: also what accesses break up into, which takes time.
  Counters(const Program& program, bool counts_memory)
      : program_(program), counts_(program.code.size()), counts_memory_(counts_memory) {}

  void executed(std::uint32_t at, std::uint32_t active) {
    ++counts_[at].executed;
    counts_[at].lanes += static_cast<unsigned>(__builtin_popcount(active));
  }
  [[nodiscard]] bool counts_memory() const { return counts_memory_; }
  void shared_access(std::uint32_t at, std::uint32_t active, const Lanes& addresses, unsigned bytes,
                     bool is_atomic);
  void global_access(std::uint32_t at, std::uint32_t active,
                     const std::array<std::uint64_t, kLanes>& addresses);

  [[nodiscard]] const std::vector<InstructionCount>& counts() const { return counts_; }
  [[nodiscard]] LaunchCount sum() const;

 private:
  const Program& program_;
  std::vector<InstructionCount> counts_;
  bool counts_memory_;
};

/// One line: millions of instructions, lanes on average, pipes, memory.
std::string text(const LaunchCount& count);

}  // namespace furrow::sass
