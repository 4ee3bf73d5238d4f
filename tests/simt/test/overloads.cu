// SPDX-License-Identifier: Apache-2.0
// The host compiler checks the harness's overloads in intrinsics_test.cpp; here nvcc checks CUDA's.
#include "simt/test/overloads.cuh"
