// SPDX-License-Identifier: Apache-2.0
#include "host/base/url.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include <strings.h>

#include "furrow/errors.hpp"

namespace furrow {
namespace {

constexpr std::string_view kHidden = "***";
constexpr std::array<std::string_view, 2> kSchemes = {"http", "https"};

bool is_same_scheme(std::string_view a, std::string_view b) {
  return a.size() == b.size() && ::strncasecmp(a.data(), b.data(), a.size()) == 0;
}
bool is_http(std::string_view scheme) {
  return std::any_of(kSchemes.begin(), kSchemes.end(),
                     [&](std::string_view known) { return is_same_scheme(known, scheme); });
}

/// The scheme of an address, also of one that is badly written ("http:/host"); empty for a
/// directory.
std::string_view scheme_of(std::string_view text) {
  const std::string_view scheme = text.substr(0, text.find(':'));
  const bool is_word = !scheme.empty() && std::all_of(scheme.begin(), scheme.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '+' ||
           c == '-' || c == '.';
  });
  const std::string_view rest = text.substr(scheme.size());
  return is_word && (rest.starts_with("://") || (rest.starts_with(':') && is_http(scheme)))
             ? scheme
             : std::string_view();
}

}  // namespace

bool is_url(const std::string& text) {
  return !scheme_of(text).empty();
}

std::string printable_url(const std::string& source) {
  const std::string_view scheme = scheme_of(source);
  if (scheme.empty()) {
    return source;
  }
  const std::size_t begin =
      std::min(source.find_first_not_of('/', scheme.size() + 1), source.size());
  std::string result = source.substr(0, begin);
  std::string_view rest = std::string_view(source).substr(begin);
  if (const std::size_t at = rest.rfind('@'); at != std::string_view::npos) {
    result += kHidden;
    rest.remove_prefix(at);
  }
  const std::size_t query = rest.find('?');
  result += rest.substr(0, query);
  if (query != std::string_view::npos) {
    result += '?';
    result += kHidden;
  }
  return result;
}

void require_http_url(const std::string& url, const std::string& purpose) {
  const std::string shown = printable_url(url);
  const auto refuse = [&](const std::string& expected) {
    throw InvalidArgument(purpose + ": expected " + expected + ", actual '" + shown + "'",
                          {.path = shown, .expected = expected, .actual = shown});
  };
  const std::string_view scheme = scheme_of(url);
  if (!is_http(scheme) || url.compare(scheme.size(), 3, "://") != 0) {
    refuse("an address that begins with http:// or https://");
  }
  if (url.find_first_of("?#") != std::string::npos) {
    refuse("an address without '?' and '#'");
  }
  if (url.size() == scheme.size() + 3 || url[scheme.size() + 3] == '/') {
    refuse("an address with a host");
  }
}

}  // namespace furrow
