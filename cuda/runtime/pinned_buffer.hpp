// SPDX-License-Identifier: Apache-2.0
// Host memory that stays where it is, so that a device can copy from and to it by itself.
#pragma once

#include <cstddef>
#include <span>
#include <type_traits>

#include "cuda/runtime/array_bytes.hpp"

namespace furrow::cuda {

/// Owns pinned host bytes, usable with every device. Slow to make (milliseconds per 100 MiB): meant
/// to be kept. Move-only. Whoever frees it makes sure that no copy is under way.
class PinnedMemory {
 public:
  /// Uninitialised; none for 0 bytes. Throws CudaOutOfMemory or CudaError.
  explicit PinnedMemory(std::size_t n_bytes);
  PinnedMemory(PinnedMemory&& other) noexcept;
  PinnedMemory& operator=(PinnedMemory&& other) noexcept;
  ~PinnedMemory();
  [[nodiscard]] void* data() const noexcept { return data_; }
  [[nodiscard]] std::size_t n_bytes() const noexcept { return n_bytes_; }

 private:
  void* data_ = nullptr;
  std::size_t n_bytes_;
};

/// PinnedMemory as an array of T.
template <class T>
class PinnedBuffer {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  /// `size` elements, uninitialised. Throws CudaOutOfMemory or CudaError.
  explicit PinnedBuffer(std::size_t size) : memory_(array_bytes<T>(size)), size_(size) {}
  [[nodiscard]] T* data() const noexcept { return static_cast<T*>(memory_.data()); }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] std::size_t n_bytes() const noexcept { return memory_.n_bytes(); }
  [[nodiscard]] std::span<T> span() const noexcept { return {data(), size_}; }
  /// Pre: index < size().
  T& operator[](std::size_t index) const noexcept { return data()[index]; }

 private:
  PinnedMemory memory_;
  std::size_t size_;
};

}  // namespace furrow::cuda
