// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "furrow/types.hpp"

#include "host/crypto/blake3.hpp"

namespace furrow::vectors {

/// Integers as the bytes that digests of vector files are made of.
class IntegerHasher {
 public:
  template <class T>
  void add(T value, unsigned size) {  // size bytes, little-endian
    for (unsigned i = 0; i < size; ++i) {
      buffer_[used_++] = static_cast<std::uint8_t>(value >> (8 * i));
    }
    if (used_ > buffer_.size() - 16) {
      flush();
    }
  }
  Hash finish() {
    flush();
    return hasher_.finalize();
  }

 private:
  void flush() {
    hasher_.update(std::span(buffer_).first(used_));
    used_ = 0;
  }
  Blake3Hasher hasher_;
  std::array<std::uint8_t, 1 << 16> buffer_{};
  std::size_t used_ = 0;
};

}  // namespace furrow::vectors
