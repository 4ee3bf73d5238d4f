// SPDX-License-Identifier: Apache-2.0
// Copies between a device and host memory that is not pinned, through two slots of staging memory
// in turn: while the device copies one, the host fills or empties the other.
#pragma once

#include <array>
#include <cstddef>
#include <span>

#include "cuda/runtime/event.hpp"
#include "cuda/runtime/stream.hpp"

namespace furrow::cuda {

/// Thread-compatible; the stream must outlive it.
class StagedCopy {
 public:
  /// The slots are the halves of `staging`, at least 2 bytes, which nobody else uses meanwhile.
  /// Throws CudaError, and InvalidArgument when it is too small.
  StagedCopy(StreamView stream, std::span<std::byte> staging);
  StagedCopy(const StagedCopy&) = delete;
  StagedCopy& operator=(const StagedCopy&) = delete;
  /// Waits for the stream, so that the device needs the slots no more.
  ~StagedCopy();

  /// Enqueues the copy; `host` may be changed when the call returns. Throws CudaError.
  void to_device(void* d_to, const void* host, std::size_t n_bytes);
  /// Returns when all bytes are in `host`. Throws CudaError, also for failures of earlier work.
  void to_host(void* host, const void* d_from, std::size_t n_bytes);

 private:
  struct Slot {
    std::byte* bytes;
    Event free;
  };

  StreamView stream_;
  std::size_t slot_bytes_;
  std::array<Slot, 2> slots_;
  std::size_t next_ = 0;
};

}  // namespace furrow::cuda
