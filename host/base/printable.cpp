// SPDX-License-Identifier: Apache-2.0
#include "host/base/printable.hpp"

#include <cstdint>

#include "host/base/utf8.hpp"

namespace furrow {
namespace {

std::string hex(std::uint32_t value, int least_digits) {
  static constexpr std::string_view kHexDigits = "0123456789ABCDEF";
  std::string result;
  for (; value != 0 || least_digits > 0; value /= 16, --least_digits) {
    result.insert(result.begin(), kHexDigits[value % 16]);
  }
  return result;
}

std::uint32_t code_point_of(std::string_view bytes) {
  const auto lead = static_cast<std::uint8_t>(bytes.front());
  if (bytes.size() == 1) {
    return lead;
  }
  std::uint32_t result = lead & (0x7FU >> bytes.size());
  for (const char byte : bytes.substr(1)) {
    result = (result << 6) | (static_cast<std::uint8_t>(byte) & 0x3F);
  }
  return result;
}

bool is_obeyed(std::uint32_t code_point) {
  const bool is_control = code_point < 0x20 || (code_point >= 0x7F && code_point <= 0x9F);
  const bool ends_line = code_point == 0x2028 || code_point == 0x2029;
  const bool is_direction = code_point == 0x200E || code_point == 0x200F ||
                            (code_point >= 0x202A && code_point <= 0x202E) ||
                            (code_point >= 0x2066 && code_point <= 0x2069);
  return is_control || ends_line || is_direction;
}

std::string escaped(std::uint32_t code_point) {
  switch (code_point) {
    case '\n':
      return "\\n";
    case '\r':
      return "\\r";
    case '\t':
      return "\\t";
    default:
      return code_point < 0x80 ? "\\x" + hex(code_point, 2) : "\\u{" + hex(code_point, 4) + "}";
  }
}

}  // namespace

std::string printable(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  while (!text.empty()) {
    const std::size_t length = code_point_length(text);
    if (length == 0) {
      result += "\\x" + hex(static_cast<std::uint8_t>(text.front()), 2);
      text.remove_prefix(1);
      continue;
    }
    const std::string_view bytes = text.substr(0, length);
    const std::uint32_t code_point = code_point_of(bytes);
    result += is_obeyed(code_point) ? escaped(code_point) : std::string(bytes);
    text.remove_prefix(length);
  }
  return result;
}

std::string excerpt(std::string_view text, std::size_t longest) {
  std::string result("'");
  result.append(printable(text.substr(0, longest)));
  if (text.size() > longest) {
    result.append("...");
  }
  result.push_back('\'');
  return result;
}

}  // namespace furrow
