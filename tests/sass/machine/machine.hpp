// SPDX-License-Identifier: Apache-2.0
// Runs a launch: blocks one after the other, the warps of a block in turns from barrier to barrier.
#pragma once

#include <cstdint>

#include "tests/sass/checks/device_memory.hpp"
#include "tests/sass/checks/findings.hpp"
#include "tests/sass/counters/counters.hpp"
#include "tests/sass/machine/program.hpp"

namespace furrow::sass {

struct RunOptions {
  /// Order of blocks, and of the warps between two barriers: ascending for 0, otherwise random.
  std::uint64_t seed = 0;
  bool counts_memory = false;
  /// Instructions of warps after which a launch is taken for one that never ends.
  std::uint64_t max_instructions = 2'000'000'000;
};

/// Throws KernelFault where a card would end the kernel, and where it would hang.
LaunchCount run(const Kernel& kernel, const LaunchShape& shape, Bytes parameters,
                DeviceMemory& memory, Findings& findings, const RunOptions& options);

}  // namespace furrow::sass
