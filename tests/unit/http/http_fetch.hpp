// SPDX-License-Identifier: Apache-2.0
// A small client over libcurl's requests: what is got, or what is wrong.
#pragma once

#include <optional>
#include <stop_token>
#include <string>

#include "host/http/curl_loop.hpp"
#include "host/http/http_answer.hpp"
#include "host/http/http_status.hpp"

namespace furrow::test {

struct Fetched {
  bool is_stopped = false;
  std::string body = {};
  std::optional<HttpProblem> problem = {};
};

inline std::size_t append_body(char* data, std::size_t size, std::size_t n, void* body) {
  static_cast<std::string*>(body)->append(data, size * n);
  return size * n;
}

inline Fetched fetch(const HttpClientOptions& options, const std::string& path,
                     const std::stop_token& stop = {}) {
  Fetched result;
  CurlRequest request(options);
  request.set_path(path);
  request.set(CURLOPT_WRITEFUNCTION, &append_body);
  request.set(CURLOPT_WRITEDATA, &result.body);
  request.set(CURLOPT_TIMEOUT_MS, 60'000L);
  const std::string what = "thing from " + request.shown_url();
  const std::optional<CURLcode> code = perform_alone(request, stop);
  if (!code.has_value()) {
    result.is_stopped = true;
  } else if (*code != CURLE_OK) {
    result.problem = request.problem(*code, what);
  } else if (request.status() != kStatusOk) {
    result.problem = problem_of_status(request, what, result.body);
  } else {
    result.problem = problem_of_head(request, what);
  }
  return result;
}

}  // namespace furrow::test
