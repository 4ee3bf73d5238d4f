// SPDX-License-Identifier: Apache-2.0
// Answers over HTTP that are not what was asked for, each named as what it is: what stands between
// us and the right server (proxies, portals, other servers at its address) answers, too.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "host/http/curl_request.hpp"

namespace furrow {

/// What is kept of a body to recognise it by, and to be shown. More than is shown, so that no
/// secret is cut, and not recognised, within what is.
inline constexpr std::size_t kKeptTextSize = 4096;

/// Text of the server on one line, without the secrets should the server repeat them.
std::string printable_text(std::string_view text, std::span<const std::string> secrets);

/// For a status other than 200: kUnauthorized, kForeign for a redirection and for a network that
/// wants a login, else kStatus with the text of the server. `what` begins the message.
HttpProblem problem_of_status(const CurlRequest& request, const std::string& what,
                              std::string_view text);

/// For status 200, before the body is looked at: kForeign when the headers say that it is
/// compressed or a page for people; else none.
std::optional<HttpProblem> problem_of_head(const CurlRequest& request, const std::string& what);

/// For a body that turned out not to be what was asked for, which begins with `beginning`: kForeign
/// when it is recognised as something else; none when it is merely wrong.
std::optional<HttpProblem> problem_of_body(const CurlRequest& request, const std::string& what,
                                           std::string_view beginning);

}  // namespace furrow
