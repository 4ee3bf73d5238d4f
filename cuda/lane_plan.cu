// SPDX-License-Identifier: Apache-2.0
#include "cuda/lane_plan.hpp"

namespace furrow::cuda {
namespace {

bool fits(LanePlan plan, const LaneFootprint& footprint, const LaneBudget& budget) {
  return footprint.device_bytes(plan.batch) <= budget.device_bytes / plan.lanes &&
         footprint.pinned_bytes(plan.batch) <= budget.pinned_bytes / plan.lanes;
}

}  // namespace

std::optional<LanePlan> fit_lanes(LanePlan wanted, const LaneFootprint& footprint,
                                  const LaneBudget& budget) {
  for (std::size_t lanes = wanted.lanes; lanes > 0; --lanes) {
    for (std::size_t batch = wanted.batch; batch > 0; --batch) {
      if (fits({lanes, batch}, footprint, budget)) {
        return LanePlan{lanes, batch};
      }
    }
  }
  return std::nullopt;
}

std::optional<LanePlan> smaller(LanePlan plan) {
  if (plan.batch > 1) {
    return LanePlan{plan.lanes, plan.batch / 2};
  }
  if (plan.lanes > 1) {
    return LanePlan{plan.lanes - 1, 1};
  }
  return std::nullopt;
}

}  // namespace furrow::cuda
