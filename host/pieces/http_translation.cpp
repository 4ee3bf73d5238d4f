// SPDX-License-Identifier: Apache-2.0
#include "host/pieces/http_translation.hpp"

#include "host/http/curl_url.hpp"
#include "host/pieces/source_errors.hpp"

namespace furrow {

HttpClientOptions client_options(const HttpSourceOptions& options) {
  return {.url = options.url,
          .token = options.token,
          .ca_file = options.ca_file,
          .connect_time = options.connect_time,
          .stall_time = options.stall_time,
          .wanted = "bytes of a piece server"};
}

std::exception_ptr source_error(const HttpProblem& problem) {
  const auto& [kind, message, fields, status] = problem;
  switch (kind) {
    case HttpProblem::Kind::kNoConnection:
      return std::make_exception_ptr(HttpConnectionFailed(message, fields));
    case HttpProblem::Kind::kNoTrust:
      return std::make_exception_ptr(HttpTlsFailed(message, fields));
    case HttpProblem::Kind::kTimeout:
      return std::make_exception_ptr(HttpTimeout(message, fields));
    case HttpProblem::Kind::kUnauthorized:
      return std::make_exception_ptr(HttpUnauthorized(message, fields));
    case HttpProblem::Kind::kForeign:
      return std::make_exception_ptr(HttpNotAPiece(message, fields));
    case HttpProblem::Kind::kStatus:
      return std::make_exception_ptr(HttpStatusError(message, fields, status));
    case HttpProblem::Kind::kBadAddress:
      return std::make_exception_ptr(InvalidArgument(message));
    case HttpProblem::Kind::kBroken:
      break;
  }
  return std::make_exception_ptr(HttpTransferFailed(message, fields));
}

std::exception_ptr source_error(const std::optional<HttpProblem>& problem) {
  return problem.has_value() ? source_error(*problem) : nullptr;
}

void require_source_url(const std::string& url) {
  require_readable_url(url, "pieces over HTTP");
}

}  // namespace furrow
