// SPDX-License-Identifier: Apache-2.0
// Between sources of pieces and the room of HTTP: how a server is asked, and what the problems with
// its answers mean for a source.
#pragma once

#include <exception>
#include <optional>
#include <string>

#include "host/http/http_client_options.hpp"
#include "host/http/http_problem.hpp"
#include "host/pieces/http_source_options.hpp"

namespace furrow {

HttpClientOptions client_options(const HttpSourceOptions& options);

/// The error of source_errors.hpp, or InvalidArgument for an address that cannot be read.
std::exception_ptr source_error(const HttpProblem& problem);
/// The same; null without a problem.
std::exception_ptr source_error(const std::optional<HttpProblem>& problem);

/// Throws InvalidArgument for an address at which no server can be asked for pieces.
void require_source_url(const std::string& url);

}  // namespace furrow
