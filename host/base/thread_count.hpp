// SPDX-License-Identifier: Apache-2.0
// How many threads a command computes with, settled before it touches anything.
#pragma once

#include <string>
#include <vector>

#include "host/base/machine_limits.hpp"

namespace furrow {

/// More threads than this for each processor of the machine are a slip of the keyboard.
inline constexpr unsigned kMaxThreadsPerProcessor = 4;

struct ThreadCount {
  unsigned threads = 1;
  /// What the user should know: a limit of the machine that is below what was asked for, or that
  /// decided.
  std::vector<std::string> notes = {};
};

/// Throws InvalidArgument for more than kMaxThreadsPerProcessor for each processor.
void check_thread_count(unsigned wanted, const MachineLimits& machine = read_machine_limits());

/// `wanted` threads, or one for each processor that this process may use when that is 0, as far as
/// the system starts so many and `others` beside them, without which the work cannot be done. That
/// is tried out. Throws what check_thread_count throws, and ResourceExhausted when there is not
/// even one beside the others.
[[nodiscard]] ThreadCount choose_thread_count(unsigned wanted, unsigned others,
                                              const MachineLimits& machine = read_machine_limits());

}  // namespace furrow
