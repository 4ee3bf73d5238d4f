// SPDX-License-Identifier: Apache-2.0
// How many threads a multiprocessor of the architecture being compiled for can hold.
#pragma once

namespace furrow::cuda {

/// 1024 before compute capability 8.0, 1536 or more since.
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ < 800
inline constexpr unsigned kThreadsPerSm = 1024;
#else
inline constexpr unsigned kThreadsPerSm = 1536;
#endif

}  // namespace furrow::cuda
