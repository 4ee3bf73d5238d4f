// SPDX-License-Identifier: Apache-2.0
// How a multiprocessor's memory is divided into shared memory and L1 cache.
#pragma once

#include <cstddef>

#include "cuda/runtime/stream.hpp"

namespace furrow::cuda {

/// Blocks of a kernel that should have room side by side.
struct BlocksPerSm {
  unsigned most;         ///< that registers allow
  unsigned threads;      ///< of each
  std::size_t n_shared;  ///< bytes of shared memory of each
};

/// Asks for so much shared memory on the multiprocessors of the stream's device that these blocks of
/// `kernel` fit, or as many of them as the device has threads for. It is a wish, of which the device
/// takes the next size that it knows; without one the driver may leave less. Lasts as long as the
/// process. Makes the stream's device the current one. Throws CudaError.
void prefer_shared_memory(StreamView stream, const void* kernel, const BlocksPerSm& blocks);

}  // namespace furrow::cuda
