// SPDX-License-Identifier: Apache-2.0
// SCALE codec (docs/spec/01-primitives.md, section 10).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "furrow/core/config.hpp"
#include "furrow/errors.hpp"

namespace furrow {

/// Input that is no SCALE encoding of what was asked for.
class ScaleError : public MalformedData {
 public:
  /// `what` names the thing, or is empty where only a number of bytes was asked for.
  ScaleError(const std::string& what, const std::string& expected, const std::string& actual);
};

/// Appends encodings to a byte string.
class ScaleWriter {
 public:
  ScaleWriter& u8(std::uint8_t value) { return integer(value, 1); }
  ScaleWriter& u16(std::uint16_t value) { return integer(value, 2); }
  ScaleWriter& u32(std::uint32_t value) { return integer(value, 4); }
  ScaleWriter& u64(std::uint64_t value) { return integer(value, 8); }
  ScaleWriter& u128(uint128 value) { return integer(value, 16); }
  ScaleWriter& boolean(bool value) { return u8(value ? 1 : 0); }
  ScaleWriter& compact(std::uint64_t value);
  /// Bytes as they are: an array, or something encoded already.
  ScaleWriter& raw(std::span<const std::uint8_t> bytes);
  /// Compact length, then the bytes.
  ScaleWriter& byte_string(std::span<const std::uint8_t> bytes);
  ScaleWriter& text(std::string_view text);

  [[nodiscard]] const std::vector<std::uint8_t>& bytes() const { return bytes_; }
  [[nodiscard]] std::vector<std::uint8_t> take() { return std::move(bytes_); }

 private:
  ScaleWriter& integer(uint128 value, unsigned size);
  std::vector<std::uint8_t> bytes_;
};

/// Reads values from the front of a byte string; each call throws ScaleError when the input ends
/// early or is not allowed. Bytes that remain at the end are the caller's business.
class ScaleReader {
 public:
  explicit ScaleReader(std::span<const std::uint8_t> input) : input_(input) {}

  std::uint8_t u8() { return static_cast<std::uint8_t>(integer(1)); }
  std::uint16_t u16() { return static_cast<std::uint16_t>(integer(2)); }
  std::uint32_t u32() { return static_cast<std::uint32_t>(integer(4)); }
  std::uint64_t u64() { return static_cast<std::uint64_t>(integer(8)); }
  uint128 u128() { return integer(16); }
  bool boolean();
  /// Refuses forms longer than needed and values above 2^64 - 1.
  std::uint64_t compact();
  /// A view of the next `size` bytes.
  std::span<const std::uint8_t> raw(std::size_t size);
  std::span<const std::uint8_t> byte_string();

  [[nodiscard]] std::size_t remaining() const { return input_.size(); }

 private:
  uint128 integer(unsigned size);
  std::span<const std::uint8_t> input_;
};

}  // namespace furrow
