// SPDX-License-Identifier: Apache-2.0
#include "host/http/http_answer.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <span>
#include <utility>

#include <strings.h>

#include "host/base/url.hpp"
#include "host/http/http_status.hpp"

namespace furrow {
namespace {

/// Of a message of the server.
constexpr std::size_t kShownTextSize = 200;
constexpr std::array<int, 5> kRedirections = {301, 302, 303, 307, 308};
/// What bytes, text and JSON are served as; anything else says what the body is.
constexpr std::array<std::string_view, 5> kPlainTypes = {"application/octet-stream",
                                                         "binary/octet-stream", "application/json",
                                                         "text/json", "text/plain"};
constexpr std::array<std::string_view, 2> kPageTypes = {"text/html", "application/xhtml+xml"};
/// Long enough that nothing else begins so by chance.
constexpr std::string_view kGzipMagic = "\x1f\x8b\x08";
constexpr std::array<std::string_view, 6> kPageBeginnings = {"<!doctype", "<html", "<head",
                                                             "<body",     "<?xml", "<!--"};

bool is_one_of(std::string_view text, std::span<const std::string_view> names) {
  return std::any_of(names.begin(), names.end(), [&](std::string_view name) {
    return name.size() == text.size() && ::strncasecmp(name.data(), text.data(), text.size()) == 0;
  });
}

/// Without parameters such as "; charset=utf-8".
std::string_view media_type(std::string_view content_type) {
  content_type = content_type.substr(0, content_type.find(';'));
  const std::size_t last = content_type.find_last_not_of(" \t");
  return content_type.substr(0, last == std::string_view::npos ? 0 : last + 1);
}

/// What the server says of itself is text of a stranger.
std::string shown(const CurlRequest& request, std::string_view text) {
  return printable_text(text, request.secrets()).substr(0, kShownTextSize);
}

HttpProblem foreign(const CurlRequest& request, const std::string& what,
                    const std::string& expected, const std::string& actual) {
  return {.kind = HttpProblem::Kind::kForeign,
          .message = what + ": expected " + expected + ", actual " + actual,
          .fields = {.path = request.shown_url(), .expected = expected, .actual = actual}};
}

HttpProblem page(const CurlRequest& request, const std::string& what, const std::string& evidence) {
  return foreign(request, what, request.wanted(),
                 "a web page (" + evidence +
                     "): another server or a login page of the network (captive portal) answers "
                     "at this address");
}

}  // namespace

std::string printable_text(std::string_view text, std::span<const std::string> secrets) {
  std::string result(text);
  for (const std::string& secret : secrets) {
    for (std::size_t at = result.find(secret); at != std::string::npos;
         at = result.find(secret, at)) {
      result.replace(at, secret.size(), "***");
      at += 3;
    }
  }
  std::replace_if(
      result.begin(), result.end(),
      [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }, ' ');
  while (result.ends_with(' ')) {
    result.pop_back();
  }
  return result;
}

HttpProblem problem_of_status(const CurlRequest& request, const std::string& what,
                              std::string_view text) {
  const int status = request.status();
  const std::string number = std::to_string(status);
  if (std::find(kRedirections.begin(), kRedirections.end(), status) != kRedirections.end()) {
    const std::optional<std::string> target = request.header("Location");
    return foreign(request, what, "status 200",
                   number + ", a redirection to " +
                       (target.has_value() ? shown(request, printable_url(*target))
                                           : std::string("an address that it does not name")) +
                       ", which is not followed: the token goes to nobody else");
  }
  if (status == kStatusLoginRequired) {
    return foreign(request, what, "status 200",
                   number + ": the network wants a login first (captive portal)");
  }
  const bool is_page =
      is_one_of(media_type(request.header("Content-Type").value_or("")), kPageTypes);
  const std::string said = is_page ? "a web page" : shown(request, text);
  const bool is_refusal = status == kStatusUnauthorized || status == kStatusForbidden;
  return {.kind = is_refusal ? HttpProblem::Kind::kUnauthorized : HttpProblem::Kind::kStatus,
          .message = what + ": expected status 200, actual " + number +
                     (said.empty() ? "" : " (" + said + ")"),
          .fields = {.path = request.shown_url(), .expected = "status 200", .actual = number},
          .status = status};
}

std::optional<HttpProblem> problem_of_head(const CurlRequest& request, const std::string& what) {
  const std::string encoding = request.header("Content-Encoding").value_or("");
  if (!encoding.empty() && encoding != "identity") {
    return foreign(request, what, "the bytes as they are",
                   "a compressed body (Content-Encoding: " + shown(request, encoding) + ")");
  }
  const std::string type = request.header("Content-Type").value_or("");
  if (is_one_of(media_type(type), kPageTypes)) {
    return page(request, what, "Content-Type: " + shown(request, type));
  }
  return std::nullopt;
}

std::optional<HttpProblem> problem_of_body(const CurlRequest& request, const std::string& what,
                                           std::string_view beginning) {
  if (beginning.starts_with(kGzipMagic)) {
    return foreign(request, what, "the bytes as they are", "a compressed body (gzip)");
  }
  const std::string_view text =
      beginning.substr(std::min(beginning.find_first_not_of(" \t\r\n"), beginning.size()));
  const bool is_page =
      std::any_of(kPageBeginnings.begin(), kPageBeginnings.end(), [&](std::string_view begin) {
        return text.size() >= begin.size() &&
               ::strncasecmp(text.data(), begin.data(), begin.size()) == 0;
      });
  if (is_page) {
    return page(request, what, "it begins with '" + shown(request, text).substr(0, 20) + "'");
  }
  const std::string type = request.header("Content-Type").value_or("");
  if (!media_type(type).empty() && !is_one_of(media_type(type), kPlainTypes)) {
    return foreign(request, what, request.wanted(),
                   "a body of another type (Content-Type: " + shown(request, type) + ")");
  }
  return std::nullopt;
}

}  // namespace furrow
