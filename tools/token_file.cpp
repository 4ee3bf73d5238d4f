// SPDX-License-Identifier: Apache-2.0
#include "tools/token_file.hpp"

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <system_error>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "furrow/errors.hpp"

#include "host/base/file.hpp"

namespace furrow::cli {
namespace {

constexpr std::uint64_t kMaxTokenFile = 4096;

}  // namespace

std::string read_token_file(const std::string& file, const std::string& option) {
  const std::vector<std::uint8_t> bytes = read_whole_file(file, kMaxTokenFile);
  std::string token(bytes.begin(), bytes.end());
  token = token.substr(0, token.find_first_of("\r\n"));
  const bool is_printable =
      std::all_of(token.begin(), token.end(), [](char c) { return c > ' ' && c <= '~'; });
  if (token.empty() || !is_printable) {
    throw InvalidArgument(fmt::format(
        "{} '{}': expected a line of printable characters without spaces", option, file));
  }
  return token;
}

std::function<std::string()> token_reader(const std::string& file) {
  std::string token = read_token_file(file);
  std::error_code error;
  if (!std::filesystem::is_regular_file(file, error)) {
    return [token = std::move(token)] { return token; };
  }
  return [file] { return read_token_file(file); };
}

}  // namespace furrow::cli
