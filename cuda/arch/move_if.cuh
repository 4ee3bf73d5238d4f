// SPDX-License-Identifier: Apache-2.0
// Assignments that some lanes make: one instruction of the multiply-add pipe with a predicate. Of a
// branch around several of them the compiler makes two for each, and of single ones selections, which
// go to the pipe that limits these kernels.
#pragma once

#include <cstdint>

#include "cuda/simt.cuh"

namespace furrow::cuda {

/// to = value * factor + addend.
__device__ inline void multiply_add_if(bool condition, std::uint32_t& to, std::uint32_t value,
                                       std::uint32_t factor, std::uint32_t addend) {
#if defined(__CUDA_ARCH__)
  asm("{\n\t.reg .pred p;\n\tsetp.ne.u32 p, %1, 0;\n\t@p mad.lo.u32 %0, %2, %3, %4;\n\t}"
      : "+r"(to)
      : "r"(static_cast<std::uint32_t>(condition)), "r"(value), "r"(factor), "r"(addend));
#else
  if (condition) {
    to = value * factor + addend;
  }
#endif
}

/// to = value. `one` is 1, which the compiler must not know (opaque.cuh).
__device__ inline void move_if(bool condition, std::uint32_t& to, std::uint32_t value,
                               std::uint32_t one) {
  multiply_add_if(condition, to, value, one, 0);
}

}  // namespace furrow::cuda
