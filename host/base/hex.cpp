// SPDX-License-Identifier: Apache-2.0
#include "host/base/hex.hpp"

#include <algorithm>

#include "furrow/errors.hpp"

namespace furrow {
namespace {

int digit_value(char c) {
  if (c >= '0' && c <= '9') {
    return c - '0';
  }
  if (c >= 'a' && c <= 'f') {
    return c - 'a' + 10;
  }
  if (c >= 'A' && c <= 'F') {
    return c - 'A' + 10;
  }
  return -1;
}

}  // namespace

std::string to_hex(std::span<const std::uint8_t> bytes) {
  static constexpr std::string_view kHexDigits = "0123456789abcdef";
  std::string hex;
  hex.reserve(2 * bytes.size());
  for (const std::uint8_t byte : bytes) {
    hex.push_back(kHexDigits[byte >> 4]);
    hex.push_back(kHexDigits[byte & 15]);
  }
  return hex;
}

std::vector<std::uint8_t> from_hex(std::string_view hex, std::string_view what) {
  if (hex.size() % 2 != 0) {
    throw MalformedData(std::string(what) + ": hex text of odd length " +
                        std::to_string(hex.size()));
  }
  std::vector<std::uint8_t> bytes(hex.size() / 2);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const int high = digit_value(hex[2 * i]);
    const int low = digit_value(hex[2 * i + 1]);
    if (high < 0 || low < 0) {
      throw MalformedData(std::string(what) + ": not a hex digit at character " +
                          std::to_string(2 * i + (high < 0 ? 0 : 1)));
    }
    bytes[i] = static_cast<std::uint8_t>(high * 16 + low);
  }
  return bytes;
}

void from_hex(std::string_view hex, std::span<std::uint8_t> out, std::string_view what) {
  if (hex.size() != 2 * out.size()) {
    throw InvalidBytesLength(std::string(what) + " (hex digits)", 2 * out.size(), hex.size());
  }
  const std::vector<std::uint8_t> bytes = from_hex(hex, what);
  std::copy(bytes.begin(), bytes.end(), out.begin());
}

}  // namespace furrow
