// SPDX-License-Identifier: Apache-2.0
// The host's side of copies to and from a device: pinned, or ordinary memory when none can be had.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "cuda/runtime/pinned_buffer.hpp"

namespace furrow::cuda {

/// Owns a block that is made once and kept. From pinned memory the device copies by itself while
/// other work goes on. From ordinary memory copies are right as well, but whoever enqueues one
/// waits for it. Whoever frees it makes sure that no copy is under way.
class StagingMemory {
 public:
  /// Uninitialised; what is put at its start may have any alignment up to 16 bytes. Throws
  /// CudaError when the device is lost, std::bad_alloc when there is no memory of any kind.
  explicit StagingMemory(std::size_t n_bytes);

  [[nodiscard]] std::span<std::byte> bytes() const noexcept { return bytes_; }
  [[nodiscard]] bool is_pinned() const noexcept { return pinned_.has_value(); }
  /// Why it is not pinned; empty when it is.
  [[nodiscard]] const std::string& problem() const noexcept { return problem_; }

 private:
  std::optional<PinnedMemory> pinned_;
  std::unique_ptr<std::byte[]> ordinary_;  // NOLINT(modernize-avoid-c-arrays)
  std::span<std::byte> bytes_;
  std::string problem_;
};

}  // namespace furrow::cuda
