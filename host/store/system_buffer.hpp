// SPDX-License-Identifier: Apache-2.0
// The plain buffer: every message is an allocation of its own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <span>

#include "host/store/buffer.hpp"

namespace furrow {

/// A Buffer whose messages are growing arrays of the heap. Thread-compatible.
class SystemBuffer {
 public:
  /// Messages start at multiples of `alignment` bytes. Throws InvalidArgument unless it is a power
  /// of two.
  explicit SystemBuffer(std::size_t alignment = alignof(std::max_align_t));

  std::span<std::uint8_t> get_writable(std::size_t n) {
    if (n > capacity_ - size_) {
      grow(n);
    }
    const std::span part(data_ + size_, n);
    size_ += n;
    return part;
  }
  [[nodiscard]] std::span<const std::uint8_t> bytes() const noexcept { return {data_, size_}; }
  Slice get_data_owned() noexcept;

 private:
  struct Free {
    void operator()(void* allocation) const noexcept { std::free(allocation); }
  };

  void grow(std::size_t n);

  std::size_t alignment_;
  std::unique_ptr<void, Free> allocation_;
  std::uint8_t* data_ = nullptr;  // the first aligned byte of the allocation
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

static_assert(Buffer<SystemBuffer>);

}  // namespace furrow
