// SPDX-License-Identifier: Apache-2.0
#include "host/primitives/scale.hpp"

namespace furrow {
namespace {

constexpr std::uint64_t kOneByteLimit = std::uint64_t{1} << 6;
constexpr std::uint64_t kTwoByteLimit = std::uint64_t{1} << 14;
constexpr std::uint64_t kFourByteLimit = std::uint64_t{1} << 30;

unsigned least_bytes(std::uint64_t value) {
  unsigned n = 4;
  while (n < 8 && (value >> (8 * n)) != 0) {
    ++n;
  }
  return n;
}

}  // namespace

ScaleError::ScaleError(const std::string& what, const std::string& expected,
                       const std::string& actual)
    : MalformedData("SCALE: " + what + (what.empty() ? "" : ": ") + "expected " + expected +
                        ", actual " + actual,
                    {.expected = expected, .actual = actual}) {}

ScaleWriter& ScaleWriter::integer(uint128 value, unsigned size) {
  for (unsigned i = 0; i < size; ++i) {
    bytes_.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
  }
  return *this;
}

ScaleWriter& ScaleWriter::compact(std::uint64_t value) {
  if (value < kOneByteLimit) {
    return integer(value << 2, 1);
  }
  if (value < kTwoByteLimit) {
    return integer((value << 2) | 1, 2);
  }
  if (value < kFourByteLimit) {
    return integer((value << 2) | 2, 4);
  }
  const unsigned n = least_bytes(value);
  u8(static_cast<std::uint8_t>(((n - 4) << 2) | 3));
  return integer(value, n);
}

ScaleWriter& ScaleWriter::raw(std::span<const std::uint8_t> bytes) {
  bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
  return *this;
}

ScaleWriter& ScaleWriter::byte_string(std::span<const std::uint8_t> bytes) {
  return compact(bytes.size()).raw(bytes);
}

ScaleWriter& ScaleWriter::text(std::string_view text) {
  return byte_string({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
}

uint128 ScaleReader::integer(unsigned size) {
  uint128 value = 0;
  const std::span<const std::uint8_t> bytes = raw(size);
  for (unsigned i = 0; i < size; ++i) {
    value |= static_cast<uint128>(bytes[i]) << (8 * i);
  }
  return value;
}

bool ScaleReader::boolean() {
  const std::uint8_t value = u8();
  if (value > 1) {
    throw ScaleError("boolean", "0 or 1", std::to_string(value));
  }
  return value == 1;
}

std::uint64_t ScaleReader::compact() {
  const std::uint8_t first = u8();
  std::uint64_t value = first >> 2;
  std::uint64_t least = 0;
  switch (first & 3) {
    case 0:
      return value;
    case 1:
      value |= static_cast<std::uint64_t>(u8()) << 6;
      least = kOneByteLimit;
      break;
    case 2:
      value |= static_cast<std::uint64_t>(integer(3)) << 6;
      least = kTwoByteLimit;
      break;
    default: {
      const unsigned n = (first >> 2) + 4U;
      if (n > 8) {
        throw ScaleError("compact", "at most 8 bytes", std::to_string(n));
      }
      value = static_cast<std::uint64_t>(integer(n));
      least = n == 4 ? kFourByteLimit : std::uint64_t{1} << (8 * (n - 1));
    }
  }
  if (value < least) {
    throw ScaleError("compact", "the shortest form of " + std::to_string(value), "a longer one");
  }
  return value;
}

std::span<const std::uint8_t> ScaleReader::raw(std::size_t size) {
  if (size > input_.size()) {
    throw ScaleError("", std::to_string(size) + " more bytes", std::to_string(input_.size()));
  }
  const std::span<const std::uint8_t> bytes = input_.first(size);
  input_ = input_.subspan(size);
  return bytes;
}

std::span<const std::uint8_t> ScaleReader::byte_string() {
  const std::uint64_t length = compact();
  if (length > input_.size()) {
    throw ScaleError("byte string", std::to_string(length) + " bytes",
                     std::to_string(input_.size()));
  }
  return raw(static_cast<std::size_t>(length));
}

}  // namespace furrow
