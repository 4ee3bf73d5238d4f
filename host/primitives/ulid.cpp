// SPDX-License-Identifier: Apache-2.0
#include "host/primitives/ulid.hpp"

#include <algorithm>

#include "furrow/core/config.hpp"
#include "furrow/errors.hpp"

namespace furrow {
namespace {

constexpr std::string_view kAlphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
constexpr std::size_t kTextLength = 26;

}  // namespace

std::string Ulid::to_string() const {
  uint128 value = 0;
  for (const std::uint8_t byte : bytes) {
    value = (value << 8) | byte;
  }
  std::string text(kTextLength, '0');
  for (std::size_t i = kTextLength; i-- > 0; value >>= 5) {
    text[i] = kAlphabet[static_cast<std::size_t>(value & 31)];
  }
  return text;
}

Ulid Ulid::parse(std::string_view text) {
  // 26 characters hold 130 bits, so the first one can only be 0 to 7.
  if (text.size() != kTextLength || text[0] > '7') {
    throw MalformedData("ULID: expected 26 characters of at most 128 bits, actual '" +
                        std::string(text) + "'");
  }
  uint128 value = 0;
  for (const char c : text) {
    const char upper = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    const std::size_t digit = kAlphabet.find(upper);
    if (digit == std::string_view::npos) {
      throw MalformedData("ULID: character outside of Crockford base 32 in '" + std::string(text) +
                          "'");
    }
    value = (value << 5) | digit;
  }
  Ulid ulid;
  for (std::size_t i = ulid.bytes.size(); i-- > 0; value >>= 8) {
    ulid.bytes[i] = static_cast<std::uint8_t>(value);
  }
  return ulid;
}

Ulid Ulid::from_parts(std::uint64_t milliseconds, const std::array<std::uint8_t, 10>& random) {
  Ulid ulid;
  for (std::size_t i = 0; i < 6; ++i) {
    ulid.bytes[i] = static_cast<std::uint8_t>(milliseconds >> (40 - 8 * i));
  }
  std::copy(random.begin(), random.end(), ulid.bytes.begin() + 6);
  return ulid;
}

}  // namespace furrow
