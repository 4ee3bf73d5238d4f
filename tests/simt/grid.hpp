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

/// Blocks whose numbers are from `first` up to `end` in each direction.
struct BlockRange {
  uint3 first{0, 0, 0};
  uint3 end{~0U, ~0U, ~0U};
};

/// While it lives, launches of this thread run these blocks of their grids alone: the last record of the
/// largest batch costs no more than the first, and what one block writes can be told from what others do.
class ScopedBlocks {
 public:
  explicit ScopedBlocks(const BlockRange& range);
  ~ScopedBlocks();
  ScopedBlocks(const ScopedBlocks&) = delete;
  ScopedBlocks& operator=(const ScopedBlocks&) = delete;

 private:
  const BlockRange* outer_;
  BlockRange range_;
};
/// Of the innermost ScopedBlocks, else all.
[[nodiscard]] BlockRange current_blocks();

struct GridShape {
  dim3 grid;
  dim3 block;
  std::size_t dynamic_shared = 0;
  /// Most bytes of dynamic shared memory, and of static and dynamic together.
  std::size_t max_dynamic_shared = 48 * 1024;
  std::size_t max_shared = 48 * 1024;
  /// Those that are run.
  BlockRange blocks = current_blocks();
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
