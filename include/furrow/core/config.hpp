// SPDX-License-Identifier: Apache-2.0
// What every core header needs to be compiled both by a host compiler and by nvcc.
#pragma once

#include <cstddef>
#include <cstdint>

#if defined(__CUDACC__)
#define FURROW_HD __host__ __device__
#else
#define FURROW_HD
#endif

/// Before a loop whose arrays must be registers in device code; host compilers decide themselves.
#if defined(__CUDA_ARCH__)
#define FURROW_UNROLL _Pragma("unroll")
#else
#define FURROW_UNROLL
#endif

namespace furrow {

/// 128-bit unsigned integer: wide enough for the metadata of every proof-of-space table.
__extension__ typedef unsigned __int128 uint128;

}  // namespace furrow
