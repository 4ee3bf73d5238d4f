// SPDX-License-Identifier: Apache-2.0
// A value that the compiler knows nothing of.
#pragma once

#include "cuda/simt.cuh"

namespace furrow::cuda {

/// Returns `value`. What is computed from the result in a loop is computed there, not kept in
/// registers from before the loop: for loops that need their registers for something else.
__device__ inline std::uint32_t opaque(std::uint32_t value) {
#if defined(__CUDA_ARCH__)
  asm volatile("" : "+r"(value));
#endif
  return value;
}

}  // namespace furrow::cuda
