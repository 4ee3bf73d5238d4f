// SPDX-License-Identifier: Apache-2.0
// Runs a suite on a CUDA device. Without one it says so and returns 77, which ctest counts as
// skipped.
#include <cstdio>

#include <gtest/gtest.h>

#include "furrow/cuda.hpp"

namespace {

constexpr int kSkipped = 77;

}  // namespace

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  const furrow::CudaDevices found = furrow::cuda_devices();
  if (found.devices.empty()) {
    std::fprintf(stderr, "SKIPPED: no CUDA device: %s\n", found.problem.c_str());
    return kSkipped;
  }
#if defined(FURROW_PTX_ALONE)
  std::printf(
      "Built for several architectures: what runs is what the driver makes of PTX, not the code "
      "that the program has for this card (docs/manual/testing.md).\n");
#endif
  std::printf("Device 0: %s\n", found.devices.front().name.c_str());
  return RUN_ALL_TESTS();
}
