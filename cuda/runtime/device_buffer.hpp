// SPDX-License-Identifier: Apache-2.0
// Memory of a device, allocated and freed in the order of a stream.
#pragma once

#include <cstddef>
#include <type_traits>
#include <utility>

#include "cuda/runtime/array_bytes.hpp"
#include "cuda/runtime/stream.hpp"

namespace furrow::cuda {

/// Owns bytes on the device of a stream. Work that uses them belongs on that stream, or has to be
/// ordered with it; they are freed when the stream gets there, so the owner need not wait. A device
/// without memory pools allocates and frees at once, which waits for the whole device. Move-only;
/// the stream must outlive it.
class DeviceMemory {
 public:
  /// Uninitialised; none for 0 bytes. Throws CudaOutOfMemory or CudaError.
  DeviceMemory(StreamView stream, std::size_t n_bytes);
  DeviceMemory(DeviceMemory&& other) noexcept;
  DeviceMemory& operator=(DeviceMemory&& other) noexcept;
  ~DeviceMemory();
  [[nodiscard]] void* data() const noexcept { return d_data_; }
  [[nodiscard]] std::size_t n_bytes() const noexcept { return n_bytes_; }

 private:
  StreamView stream_;
  void* d_data_ = nullptr;
  std::size_t n_bytes_;
  bool is_pooled_ = false;
};

/// DeviceMemory as an array of T.
template <class T>
class DeviceBuffer {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  /// `size` elements, uninitialised. Throws CudaOutOfMemory or CudaError.
  DeviceBuffer(StreamView stream, std::size_t size)
      : memory_(stream, array_bytes<T>(size)), size_(size) {}
  /// Pointer on the device.
  [[nodiscard]] T* data() const noexcept { return static_cast<T*>(memory_.data()); }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] std::size_t n_bytes() const noexcept { return memory_.n_bytes(); }

 private:
  DeviceMemory memory_;
  std::size_t size_;
};

}  // namespace furrow::cuda
