// SPDX-License-Identifier: Apache-2.0
// The memory plan as text and as JSON, for `furrow plan` and the beginning of `furrow plot`.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "host/plotting/memory_plan.hpp"

namespace furrow::cli {

/// A line for each thing that takes memory, on the host and on devices.
[[nodiscard]] std::vector<std::string> plan_lines(const MemoryPlan& plan);
/// All of it in one line.
[[nodiscard]] std::string plan_summary(const MemoryPlan& plan);
/// "memory_bytes" and "items" of the host and, when there are devices, "device_memory".
[[nodiscard]] nlohmann::ordered_json plan_json(const MemoryPlan& plan);

}  // namespace furrow::cli
