// What every core header needs to be compiled both by a host compiler and by nvcc.
#pragma once

#include <cstddef>
#include <cstdint>

#if defined(__CUDACC__)
#define FURROW_HD __host__ __device__
/// Before a loop: device code needs it unrolled, because its arrays must be registers.
#define FURROW_UNROLL _Pragma("unroll")
#else
#define FURROW_HD
#define FURROW_UNROLL
#endif

namespace furrow {

/// 128-bit unsigned integer: wide enough for the metadata of every proof-of-space table.
__extension__ typedef unsigned __int128 uint128;

}  // namespace furrow
