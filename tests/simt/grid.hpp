// SPDX-License-Identifier: Apache-2.0
// Runs all blocks of a launch, one after the other, on the calling host thread. Several host
// threads may run launches at the same time.
#pragma once

#include <cstddef>
#include <functional>
#include <source_location>

#include "simt/vector_types.hpp"

namespace furrow::simt {

class Timeline;

struct GridShape {
  dim3 grid;
  dim3 block;
  std::size_t dynamic_shared = 0;
  /// Most bytes of dynamic shared memory, and of static and dynamic together.
  std::size_t max_dynamic_shared = 48 * 1024;
  std::size_t max_shared = 48 * 1024;
};

/// Throws BadLaunch when no device could run a grid of this shape.
void check_shape(const GridShape& shape, std::source_location where);

/// Calls `body` once for each thread of the grid. Throws BadLaunch when no device could run a grid
/// of this shape, the SimtError of the first thing found wrong, or whatever `body` throws.
void run_grid(const GridShape& shape, const std::function<void()>& body,
              std::source_location where = std::source_location::current());
/// Likewise in the order of a stream's timeline.
void run_grid(const GridShape& shape, const std::function<void()>& body, Timeline* timeline,
              std::source_location where);

}  // namespace furrow::simt
