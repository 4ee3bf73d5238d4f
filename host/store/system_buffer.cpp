// SPDX-License-Identifier: Apache-2.0
#include "host/store/system_buffer.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>
#include <new>
#include <string>
#include <utility>

#include "furrow/errors.hpp"

namespace furrow {
namespace {

constexpr auto kLongest = static_cast<std::size_t>(std::numeric_limits<std::ptrdiff_t>::max());
// Holds a header and a small body, so that most small messages are one allocation.
constexpr std::size_t kSmallestCapacity = 256;

}  // namespace

SystemBuffer::SystemBuffer(std::size_t alignment) : alignment_(alignment) {
  if (!std::has_single_bit(alignment)) {
    throw InvalidArgument("system buffer: alignment " + std::to_string(alignment) +
                          " is not a power of two");
  }
}

void SystemBuffer::grow(std::size_t n) {
  // std::malloc aligns to alignof(max_align_t) by itself; more is made by starting later, because
  // std::aligned_alloc is several times slower.
  const std::size_t slack =
      alignment_ > alignof(std::max_align_t) ? alignment_ - alignof(std::max_align_t) : 0;
  if (slack > kLongest || n > kLongest - slack || size_ > kLongest - slack - n) {
    throw InvalidArgument("message of " + std::to_string(size_) + " bytes cannot grow by " +
                          std::to_string(n) + ": it would be longer than any memory");
  }
  // Twice as much as before, so that a message of many parts is copied a constant number of times.
  const std::size_t capacity =
      std::max({size_ + n, std::min(2 * capacity_, kLongest - slack), kSmallestCapacity});
  std::unique_ptr<void, Free> allocation(std::malloc(capacity + slack));
  if (allocation == nullptr) {
    throw std::bad_alloc();
  }
  const auto start = reinterpret_cast<std::uintptr_t>(allocation.get());
  const std::uintptr_t past = start & (alignment_ - 1);
  auto* const data =
      static_cast<std::uint8_t*>(allocation.get()) + (past == 0 ? 0 : alignment_ - past);
  if (size_ != 0) {
    std::memcpy(data, data_, size_);
  }
  allocation_ = std::move(allocation);
  data_ = data;
  capacity_ = capacity;
}

Slice SystemBuffer::get_data_owned() noexcept {
  if (size_ == 0) {
    return {};  // memory taken for a message that threw stays for the next one
  }
  Slice slice({data_, size_}, allocation_.release());
  data_ = nullptr;
  size_ = 0;
  capacity_ = 0;
  return slice;
}

}  // namespace furrow
