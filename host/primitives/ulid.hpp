// SPDX-License-Identifier: Apache-2.0
// ULIDs: 128-bit identifiers written as 26 characters of Crockford base 32.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace furrow {

/// Most significant byte first: 48 bits of milliseconds since 1970, then 80 random bits.
struct Ulid {
  std::array<std::uint8_t, 16> bytes{};
  constexpr auto operator<=>(const Ulid&) const = default;

  [[nodiscard]] std::string to_string() const;
  /// Accepts both cases. Throws MalformedData when the text is no ULID.
  static Ulid parse(std::string_view text);
  static Ulid from_parts(std::uint64_t milliseconds, const std::array<std::uint8_t, 10>& random);
};

}  // namespace furrow
