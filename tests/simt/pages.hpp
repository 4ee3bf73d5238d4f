// SPDX-License-Identifier: Apache-2.0
// Memory straight from the system: stacks of fibers, and shared memory.
#pragma once

#include <cstddef>

namespace furrow::simt {

inline constexpr std::size_t kPageBytes = 4096;

/// Owns whole pages, below which lies one that faults. They cost nothing before they are first
/// used.
class Pages {
 public:
  /// `n_bytes` is a multiple of kPageBytes. Throws Error (kIo).
  explicit Pages(std::size_t n_bytes);
  ~Pages();
  Pages(Pages&& other) noexcept;
  Pages& operator=(Pages&&) = delete;

  [[nodiscard]] std::byte* base() const { return base_; }
  [[nodiscard]] std::size_t n_bytes() const { return n_bytes_; }

 private:
  std::byte* base_;
  std::size_t n_bytes_;
};

/// Maps pages of this process once more, at the same place, filled with zeros. Throws Error (kIo).
void map_again(void* pages, std::size_t n_bytes);

/// Memory whose end, rounded up to `alignment`, is the last byte before a page that faults. Throws Error (kIo).
std::byte* map_before_fence(std::size_t n_bytes, std::size_t alignment);
void unmap_before_fence(void* bytes, std::size_t n_bytes) noexcept;

}  // namespace furrow::simt
