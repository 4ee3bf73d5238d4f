// SPDX-License-Identifier: Apache-2.0
// Numbers of things, with the right word behind them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace furrow {

/// "1 piece", "0 pieces", "3 pieces".
[[nodiscard]] inline std::string counted(std::uint64_t n, std::string_view one,
                                         std::string_view many) {
  std::string result = std::to_string(n);
  result += ' ';
  result += n == 1 ? one : many;
  return result;
}

/// For words that only take an s.
[[nodiscard]] inline std::string counted(std::uint64_t n, std::string_view one) {
  return counted(n, one, std::string(one) + "s");
}

}  // namespace furrow
