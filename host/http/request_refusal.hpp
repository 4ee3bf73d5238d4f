// SPDX-License-Identifier: Apache-2.0
// Requests that are refused for what their headers say.
#pragma once

#include <optional>
#include <string>

#include "host/http/http_routes.hpp"

namespace httplib {
struct Request;
}

namespace furrow {

/// The answer to a request without the token, if there is one, and to one whose body cannot be, or
/// is not what its route takes; none for any other. Known as soon as the headers are there, so that
/// a client that asks first ("Expect: 100-continue") need not send the rest.
std::optional<HttpResponse> refusal_of(const httplib::Request& request, const HttpRoutes& routes,
                                       const std::string& token);

}  // namespace furrow
