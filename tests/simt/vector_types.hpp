// SPDX-License-Identifier: Apache-2.0
// CUDA's built-in vector types and their make_ functions, as far as integer kernels use them, with
// the sizes and alignments of the CUDA C++ programming guide.
#pragma once

#define FURROW_SIMT_VECTORS(name, type, align2, align4)              \
  struct name##1 {                                                   \
    type x;                                                          \
  };                                                                 \
  struct alignas(align2) name##2 {                                   \
    type x, y;                                                       \
  };                                                                 \
  struct name##3 {                                                   \
    type x, y, z;                                                    \
  };                                                                 \
  struct alignas(align4) name##4 {                                   \
    type x, y, z, w;                                                 \
  };                                                                 \
  constexpr name##1 make_##name##1(type x) {                         \
    return {x};                                                      \
  }                                                                  \
  constexpr name##2 make_##name##2(type x, type y) {                 \
    return {x, y};                                                   \
  }                                                                  \
  constexpr name##3 make_##name##3(type x, type y, type z) {         \
    return {x, y, z};                                                \
  }                                                                  \
  constexpr name##4 make_##name##4(type x, type y, type z, type w) { \
    return {x, y, z, w};                                             \
  }

FURROW_SIMT_VECTORS(char, signed char, 2, 4)
FURROW_SIMT_VECTORS(uchar, unsigned char, 2, 4)
FURROW_SIMT_VECTORS(short, short, 4, 8)
FURROW_SIMT_VECTORS(ushort, unsigned short, 4, 8)
FURROW_SIMT_VECTORS(int, int, 8, 16)
FURROW_SIMT_VECTORS(uint, unsigned, 8, 16)
FURROW_SIMT_VECTORS(long, long, 16, 16)
FURROW_SIMT_VECTORS(ulong, unsigned long, 16, 16)
FURROW_SIMT_VECTORS(longlong, long long, 16, 16)
FURROW_SIMT_VECTORS(ulonglong, unsigned long long, 16, 16)
FURROW_SIMT_VECTORS(float, float, 8, 16)
FURROW_SIMT_VECTORS(double, double, 16, 16)
#undef FURROW_SIMT_VECTORS

/// Extent of a grid or a block; what is not said is 1.
struct dim3 {
  unsigned x = 1, y = 1, z = 1;
  constexpr dim3(unsigned x_extent = 1, unsigned y_extent = 1, unsigned z_extent = 1)
      : x(x_extent), y(y_extent), z(z_extent) {}
  constexpr dim3(uint3 v) : x(v.x), y(v.y), z(v.z) {}
  constexpr operator uint3() const { return {x, y, z}; }
};
