// SPDX-License-Identifier: Apache-2.0
// Work that falls into many independent parts, spread over a few threads.
#pragma once

#include <cstddef>
#include <functional>

#include "host/base/simd_mode.hpp"

namespace furrow {

/// How work on a whole segment is carried out. The result does not depend on it.
struct ComputeOptions {
  /// Threads that work at the same time, the calling one included; 0 means one for each processor.
  unsigned threads = 1;
  SimdMode simd_mode = SimdMode::kBest;
};

/// Calls `part(i)` once for each i < n, from up to `threads` threads at a time, and waits for all
/// of them; fewer threads work when the system starts no more. The first exception ends the work
/// early and is thrown from here.
void parallel_for(std::size_t n, unsigned threads, const std::function<void(std::size_t)>& part);

}  // namespace furrow
