// SPDX-License-Identifier: Apache-2.0
// A template kernel with shared memory, used by two files.
#pragma once

#include "simt/test/kernel_test.hpp"

namespace furrow::simt {

template <unsigned kSize>
void reversed_kernel(unsigned* out) {
  using Values = unsigned[kSize];
  SHARED(Values, values);
  values[threadIdx.x] = threadIdx.x;
  __syncthreads();
  out[threadIdx.x] = values[kSize - 1 - threadIdx.x];
}

template <unsigned kSize>
void expect_reversed() {
  unsigned out[kSize] = {};
  EXPECT_EQ(cuda::launch_with(reversed_kernel<kSize>, {1, kSize}, nullptr, out), cudaSuccess);
  cudaDeviceSynchronize();
  for (unsigned i = 0; i < kSize; ++i) {
    EXPECT_EQ(out[i], kSize - 1 - i);
  }
}

}  // namespace furrow::simt
