// SPDX-License-Identifier: Apache-2.0
// Byte order and rotation, free of undefined behaviour and of alignment needs.
#pragma once

#include "furrow/core/config.hpp"

namespace furrow::core {

FURROW_HD constexpr std::uint32_t rotate_right(std::uint32_t value, unsigned count) {
  return (value >> count) | (value << (32U - count));
}

FURROW_HD constexpr std::uint32_t rotate_left(std::uint32_t value, unsigned count) {
  return (value << count) | (value >> (32U - count));
}

FURROW_HD constexpr std::uint32_t swap_bytes(std::uint32_t value) {
#if defined(__CUDA_ARCH__)
  // One instruction; the compiler makes eight of the shifts.
  if (!__builtin_is_constant_evaluated()) {
    return __byte_perm(value, 0, 0x0123);
  }
#endif
  return (value >> 24) | ((value >> 8) & 0xFF00U) | ((value << 8) & 0xFF0000U) | (value << 24);
}

FURROW_HD constexpr std::uint32_t load_le32(const std::uint8_t* bytes) {
  return static_cast<std::uint32_t>(bytes[0]) | (static_cast<std::uint32_t>(bytes[1]) << 8) |
         (static_cast<std::uint32_t>(bytes[2]) << 16) |
         (static_cast<std::uint32_t>(bytes[3]) << 24);
}

FURROW_HD constexpr std::uint64_t load_le64(const std::uint8_t* bytes) {
  return static_cast<std::uint64_t>(load_le32(bytes)) |
         (static_cast<std::uint64_t>(load_le32(bytes + 4)) << 32);
}

FURROW_HD constexpr void store_le32(std::uint8_t* bytes, std::uint32_t value) {
  for (unsigned i = 0; i < 4; ++i) {
    bytes[i] = static_cast<std::uint8_t>(value >> (8 * i));
  }
}

FURROW_HD constexpr void store_le64(std::uint8_t* bytes, std::uint64_t value) {
  for (unsigned i = 0; i < 8; ++i) {
    bytes[i] = static_cast<std::uint8_t>(value >> (8 * i));
  }
}

}  // namespace furrow::core
