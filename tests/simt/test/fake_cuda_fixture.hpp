// SPDX-License-Identifier: Apache-2.0
// What the suites of the fake runtime share.
#pragma once

#include "simt/fake_cuda.hpp"
#include "simt/test/kernel_test.hpp"

namespace furrow::simt {

class SimtFakeCuda : public testing::Test {
 protected:
  void SetUp() override { FakeCuda::reset(); }
  void TearDown() override {
    FakeCuda::set_stream_order(1);
    FakeCuda::reset();
  }
};

inline void increment(unsigned* d_words, unsigned n) {
  const unsigned i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) {
    ++d_words[i];
  }
}

inline cudaError_t launch_increment(cudaStream_t stream, unsigned* d_words, unsigned n) {
  return cuda::launch_with(increment, {(n + 63) / 64, 64}, stream, d_words, n);
}

}  // namespace furrow::simt
