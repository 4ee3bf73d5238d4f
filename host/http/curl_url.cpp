// SPDX-License-Identifier: Apache-2.0
#include "host/http/curl_url.hpp"

#include <cstdint>
#include <memory>
#include <new>
#include <string_view>
#include <utility>

#include <curl/curl.h>

#include "furrow/errors.hpp"

#include "host/base/url.hpp"

namespace furrow {
namespace {

using ParsedUrl = std::unique_ptr<CURLU, decltype(&curl_url_cleanup)>;

std::pair<ParsedUrl, CURLUcode> parse(const std::string& url) {
  ParsedUrl parsed(curl_url(), &curl_url_cleanup);
  if (parsed == nullptr) {
    throw std::bad_alloc();
  }
  const CURLUcode code = curl_url_set(parsed.get(), CURLUPART_URL, url.c_str(), 0);
  return {std::move(parsed), code};
}

/// Decoded; empty when the address has none.
std::string part_of(const ParsedUrl& url, CURLUPart part) {
  char* text = nullptr;
  if (curl_url_get(url.get(), part, &text, CURLU_URLDECODE) != CURLUE_OK) {
    return {};
  }
  const std::unique_ptr<char, decltype(&curl_free)> owned(text, &curl_free);
  return text;
}

std::string base64(std::string_view bytes) {
  static constexpr char kDigits[] =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string result;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t group = 0;
    for (std::size_t k = 0; k < 3; ++k) {
      group = group << 8 | (i + k < bytes.size() ? static_cast<std::uint8_t>(bytes[i + k]) : 0U);
    }
    for (std::size_t k = 0; k < 4; ++k) {
      result += i + k > bytes.size() ? '=' : kDigits[group >> (18 - 6 * k) & 63];
    }
  }
  return result;
}

}  // namespace

void require_readable_url(const std::string& url, const std::string& purpose) {
  require_http_url(url, purpose);
  const CURLUcode code = parse(url).second;
  if (code != CURLUE_OK) {
    const std::string shown = printable_url(url);
    throw InvalidArgument(purpose + ": expected an address, actual '" + shown +
                              "': " + curl_url_strerror(code) +
                              " (in a user or password, '@', ':' and '/' are written as %40, %3A "
                              "and %2F)",
                          {.path = shown, .expected = "an address", .actual = shown});
  }
}

std::vector<std::string> secrets_in(const std::string& url) {
  constexpr std::size_t kShortest = 4;  // fewer characters are in every text
  std::vector<std::string> secrets;
  const auto [parsed, code] = parse(url);
  const std::string user = code == CURLUE_OK ? part_of(parsed, CURLUPART_USER) : std::string();
  const std::string password =
      code == CURLUE_OK ? part_of(parsed, CURLUPART_PASSWORD) : std::string();
  if (!user.empty() || !password.empty()) {
    secrets.push_back(base64(user + ':' + password));
  }
  if (password.size() >= kShortest) {
    secrets.push_back(password);
  }
  return secrets;
}

}  // namespace furrow
