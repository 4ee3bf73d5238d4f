// SPDX-License-Identifier: Apache-2.0
// Runs a test with every instruction set that was compiled for and this processor has, not only the
// best one.
#pragma once

#include <gtest/gtest.h>

#include "host/base/simd_mode.hpp"

namespace furrow::test {

/// Calls `run` once for each target, the scalar twins included. Not for several threads at once:
/// the choice belongs to the process.
template <class Run>
void for_each_simd_target(const Run& run) {
  const std::vector<std::string> targets = simd_targets();
  for (const std::string& target : targets) {
    choose_simd_target(target);
    SCOPED_TRACE(target);
    EXPECT_EQ(simd_target_name(SimdMode::kBest), target);
    run();
  }
  choose_simd_target(targets.front());
}

}  // namespace furrow::test
