// SPDX-License-Identifier: Apache-2.0
#include "host/base/byte_size.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include <fmt/format.h>

#include "furrow/errors.hpp"

namespace furrow {
namespace {

constexpr std::string_view kPrefixes = "KMGTP";

char upper(char letter) {
  return letter >= 'a' && letter <= 'z' ? static_cast<char>(letter - 'a' + 'A') : letter;
}

bool is_digit(char letter) {
  return letter >= '0' && letter <= '9';
}

/// Bytes of a unit; none when there is no such unit.
std::optional<std::uint64_t> unit_bytes(std::string_view unit) {
  std::string name(unit);
  std::transform(name.begin(), name.end(), name.begin(), upper);
  if (name.ends_with('B')) {
    name.pop_back();
  }
  if (name.empty()) {
    return 1;
  }
  const std::size_t prefix = kPrefixes.find(name.front());
  const bool is_binary = name.size() == 2 && name.back() == 'I';
  if (prefix == std::string_view::npos || (name.size() != 1 && !is_binary)) {
    return std::nullopt;
  }
  std::uint64_t bytes = 1;
  for (std::size_t i = 0; i <= prefix; ++i) {
    bytes *= is_binary ? 1024 : 1000;
  }
  return bytes;
}

/// Digits at the beginning of `text`, which loses them.
std::string_view take_digits(std::string_view& text) {
  const auto end = std::find_if_not(text.begin(), text.end(), is_digit);
  const std::string_view digits = text.substr(0, static_cast<std::size_t>(end - text.begin()));
  text.remove_prefix(digits.size());
  return digits;
}

}  // namespace

std::uint64_t parse_size(std::string_view text) {
  std::string_view rest = text;
  const std::string_view whole = take_digits(rest);
  std::string_view fraction;
  bool is_number = !whole.empty();
  if (rest.starts_with('.')) {
    rest.remove_prefix(1);
    fraction = take_digits(rest);
    is_number = is_number && !fraction.empty();
  }
  rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
  const std::optional<std::uint64_t> unit = unit_bytes(rest);
  if (!is_number || !unit.has_value()) {
    throw InvalidArgument(fmt::format(
        "not a size: '{}'; expected a number, and behind it nothing, or one of B, K, M, G, T, P "
        "(powers of 1000) or Ki, Mi, Gi, Ti, Pi (powers of 1024), such as 500GB or 1.5TiB",
        text));
  }
  // Digit by digit, so that nothing is rounded and nothing overflows unseen.
  std::uint64_t bytes = 0;
  bool is_too_large = false;
  for (const char digit : whole) {
    is_too_large = is_too_large || __builtin_mul_overflow(bytes, 10, &bytes) ||
                   __builtin_add_overflow(bytes, static_cast<unsigned>(digit - '0'), &bytes);
  }
  is_too_large = is_too_large || __builtin_mul_overflow(bytes, *unit, &bytes);
  long double part = 0;
  for (auto digit = fraction.rbegin(); digit != fraction.rend(); ++digit) {
    part = (part + static_cast<long double>(*digit - '0')) / 10;
  }
  const auto more = static_cast<std::uint64_t>(part * static_cast<long double>(*unit) + 0.5L);
  is_too_large = is_too_large || __builtin_add_overflow(bytes, more, &bytes);
  if (is_too_large || bytes > kMaxByteSize) {
    throw InvalidArgument(fmt::format("size '{}' is too large: expected at most {} bytes (8 EiB)",
                                      text, kMaxByteSize));
  }
  return bytes;
}

std::string size_text(std::uint64_t bytes) {
  static constexpr std::array<const char*, 6> kNames = {"bytes", "KiB", "MiB", "GiB", "TiB", "PiB"};
  auto value = static_cast<double>(bytes);
  std::size_t unit = 0;
  for (; value >= 1024 && unit + 1 < kNames.size(); value /= 1024) {
    ++unit;
  }
  return unit == 0 ? fmt::format("{} bytes", bytes) : fmt::format("{:.1f} {}", value, kNames[unit]);
}

}  // namespace furrow
