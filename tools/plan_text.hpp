// SPDX-License-Identifier: Apache-2.0
// The memory plan as text, for `furrow plan` and the beginning of `furrow plot`.
#pragma once

#include <string>
#include <vector>

#include "host/plotting/memory_plan.hpp"

namespace furrow::cli {

/// A line for each thing that takes memory, on the host and on devices.
[[nodiscard]] std::vector<std::string> plan_lines(const MemoryPlan& plan);
/// All of it in one line.
[[nodiscard]] std::string plan_summary(const MemoryPlan& plan);

}  // namespace furrow::cli
