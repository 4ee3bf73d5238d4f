// SPDX-License-Identifier: Apache-2.0
// What commands that compute on the CPU have in common.
#pragma once

#include "tools/command.hpp"

namespace furrow::cli {

/// Threads to compute with, as choose_thread_count says, with `others` beside them; its notes go to
/// the log.
unsigned thread_count(unsigned wanted, unsigned others = 1);

/// Adds --simd, which chooses the instruction set of everything that the command computes on the
/// CPU.
void add_simd_option(Command command);

}  // namespace furrow::cli
