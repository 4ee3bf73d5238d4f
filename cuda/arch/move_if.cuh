// SPDX-License-Identifier: Apache-2.0
// Sums, and assignments that some lanes make, by one instruction of the multiply-add pipe. Of a
// branch around several of them the compiler makes two for each, and of single ones selections, which
// go to the pipe that limits these kernels.
#pragma once

#include <cstdint>

#include "cuda/simt.cuh"

namespace furrow::cuda {

/// value * factor + addend. With a factor of 1 that the compiler must not know (opaque.cuh), a sum on
/// the multiply-add pipe.
__device__ inline std::uint32_t multiply_add(std::uint32_t value, std::uint32_t factor,
                                             std::uint32_t addend) {
#if defined(__CUDA_ARCH__)
  std::uint32_t result;
  asm("mad.lo.u32 %0, %1, %2, %3;" : "=r"(result) : "r"(value), "r"(factor), "r"(addend));
  return result;
#else
  return value * factor + addend;
#endif
}

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

/// to |= bits.
__device__ inline void or_if(bool condition, std::uint32_t& to, std::uint32_t bits) {
#if defined(__CUDA_ARCH__)
  asm("{\n\t.reg .pred p;\n\tsetp.ne.u32 p, %1, 0;\n\t@p or.b32 %0, %0, %2;\n\t}"
      : "+r"(to)
      : "r"(static_cast<std::uint32_t>(condition)), "r"(bits));
#else
  if (condition) {
    to |= bits;
  }
#endif
}

}  // namespace furrow::cuda
