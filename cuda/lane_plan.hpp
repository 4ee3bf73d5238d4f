// SPDX-License-Identifier: Apache-2.0
// How many records a device is given at a time: batches in flight, and records in each.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>

namespace furrow::cuda {

struct LanePlan {
  std::size_t lanes = 0;  ///< batches in flight
  std::size_t batch = 0;  ///< records of each
  bool operator==(const LanePlan&) const = default;
};

/// What one lane takes, as functions of its batch.
struct LaneFootprint {
  std::function<std::uint64_t(std::size_t batch)> device_bytes;
  std::function<std::uint64_t(std::size_t batch)> pinned_bytes;
};

/// What there is for all lanes together.
struct LaneBudget {
  std::uint64_t device_bytes = 0;
  std::uint64_t pinned_bytes = 0;
};

/// The largest plan within `wanted` that fits the budget; none when not even one record does.
/// Batches shrink before lanes go, because it is several lanes that keep copies out of the way.
std::optional<LanePlan> fit_lanes(LanePlan wanted, const LaneFootprint& footprint,
                                  const LaneBudget& budget);

/// The next smaller plan, after an allocation failed that should have fitted; none below one
/// record.
std::optional<LanePlan> smaller(LanePlan plan);

}  // namespace furrow::cuda
