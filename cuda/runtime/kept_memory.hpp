// SPDX-License-Identifier: Apache-2.0
// Memory of a device that is freed and taken again all the time, such as that of sectors.
#pragma once

#include <cstdint>

namespace furrow::cuda {

/// While it lives, what is freed on a device stays with the process for the next allocation. Without
/// it the driver unmaps it at the next wait, and maps it again a moment later. Does nothing on a
/// device without memory pools.
class KeptMemory {
 public:
  /// Never throws: memory that is not kept is only slower.
  explicit KeptMemory(int device) noexcept;
  KeptMemory(const KeptMemory&) = delete;
  KeptMemory& operator=(const KeptMemory&) = delete;
  /// Gives back what nobody uses.
  ~KeptMemory();

  /// Gives back what nobody uses, but goes on keeping.
  void trim() const noexcept;
  /// What is kept and nobody uses: free for us, though the driver does not count it so.
  [[nodiscard]] std::uint64_t idle_bytes() const noexcept;

 private:
  int device_;
};

}  // namespace furrow::cuda
