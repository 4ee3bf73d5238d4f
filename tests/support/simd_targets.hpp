// Runs a test with every instruction set that Highway compiled for and this processor has, not only
// the best one. The program must link Highway.
#pragma once

#include <cstdint>

#include <gtest/gtest.h>
#include <hwy/targets.h>

#include "host/crypto/simd_mode.hpp"

namespace furrow::test {

/// Calls `run` once for each target and checks that SimdMode::kBest really means that one. Not for
/// several threads at once: the choice belongs to the process.
template <class Run>
void for_each_simd_target(const Run& run) {
  for (const std::int64_t target : hwy::SupportedAndGeneratedTargets()) {
    hwy::SetSupportedTargetsForTest(target);
    hwy::GetChosenTarget().DeInit();
    SCOPED_TRACE(hwy::TargetName(target));
    EXPECT_STREQ(simd_target_name(SimdMode::kBest), hwy::TargetName(target));
    run();
  }
  hwy::SetSupportedTargetsForTest(0);
  hwy::GetChosenTarget().DeInit();
}

}  // namespace furrow::test
