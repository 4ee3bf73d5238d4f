// SPDX-License-Identifier: Apache-2.0
// The CUDA runtime API: NVIDIA's under nvcc, the fake one of the tests under a host compiler.
// Files that define or launch kernels include cuda/simt.cuh instead, which offers this and more.
#pragma once

#if defined(__CUDACC__)
#include <cuda_runtime.h>
#else
#include "simt/cuda_face.hpp"
#endif
