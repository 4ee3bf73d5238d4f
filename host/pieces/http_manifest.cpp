// SPDX-License-Identifier: Apache-2.0
#include "host/pieces/http_manifest.hpp"

#include <exception>
#include <string_view>

#include "furrow/errors.hpp"

#include "host/base/hex.hpp"
#include "host/crypto/blake3.hpp"
#include "host/http/curl_loop.hpp"
#include "host/http/http_answer.hpp"
#include "host/http/http_status.hpp"
#include "host/pieces/http_paths.hpp"
#include "host/pieces/http_translation.hpp"
#include "host/pieces/piece_etag.hpp"

namespace furrow {
namespace {

/// Of a body that is no manifest; more of it ends the request.
constexpr std::size_t kMaxMessage = 64 * 1024;
struct Received {
  const CurlRequest& request;
  std::size_t most;
  std::string text = {};
  std::exception_ptr problem = {};  // why the rest is not wanted
};

std::string what_is_asked(const CurlRequest& request) {
  return "manifest from " + request.shown_url();
}

std::size_t on_body(char* data, std::size_t size, std::size_t n, void* self) {
  auto& received = *static_cast<Received*>(self);
  try {
    const bool is_manifest = received.request.status() == kStatusOk;
    if (is_manifest && received.text.empty()) {
      received.problem =
          source_error(problem_of_head(received.request, what_is_asked(received.request)));
    }
    received.text.append(data, size * n);
    const std::size_t most = is_manifest ? received.most : kMaxMessage;
    return received.problem == nullptr && received.text.size() <= most ? size * n : 0;
  } catch (...) {
    received.problem = std::current_exception();
    return 0;
  }
}

/// What is wrong with an answer that ended with `code`; null for a manifest.
std::exception_ptr problem_of(const CurlRequest& request, CURLcode code, const Received& received) {
  const std::string what = what_is_asked(request);
  if (received.problem != nullptr) {
    return received.problem;
  }
  if (request.status() == kStatusOk && received.text.size() > received.most) {
    return std::make_exception_ptr(InvalidBytesLength(what, received.most, received.text.size()));
  }
  // Whoever refuses has said so with the status, also when the rest of the message does not come.
  if (code != CURLE_OK && (request.status() < 200 || request.status() == kStatusOk)) {
    return source_error(request.problem(code, what));
  }
  if (request.status() != kStatusOk) {
    return source_error(problem_of_status(request, what, received.text));
  }
  if (const std::exception_ptr problem = source_error(problem_of_head(request, what))) {
    return problem;  // without a body
  }
  const std::string_view beginning = std::string_view(received.text).substr(0, kKeptTextSize);
  const std::size_t first = beginning.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos || beginning[first] != '{') {
    return source_error(problem_of_body(request, what, beginning));
  }
  return nullptr;
}

}  // namespace

std::optional<std::string> fetch_manifest_text(const HttpSourceOptions& options,
                                               const std::stop_token& stop) {
  require_source_url(options.url);
  CurlRequest request(client_options(options));
  request.set_path(kManifestPath);
  Received received{.request = request, .most = options.max_manifest_bytes};
  request.set(CURLOPT_TIMEOUT_MS, static_cast<long>(options.piece_time.count()));
  request.set(CURLOPT_WRITEFUNCTION, &on_body);
  request.set(CURLOPT_WRITEDATA, &received);
  const std::optional<CURLcode> code = perform_alone(request, stop);
  if (!code.has_value()) {
    return std::nullopt;
  }
  if (const std::exception_ptr problem = problem_of(request, *code, received)) {
    std::rethrow_exception(problem);
  }
  if (const std::optional<std::string> etag = request.header("ETag")) {
    const std::optional<Hash> expected = hash_in_etag(*etag);
    const Hash actual =
        blake3({reinterpret_cast<const std::uint8_t*>(received.text.data()), received.text.size()});
    if (expected.has_value() && actual != *expected) {
      throw ChecksumMismatch(what_is_asked(request), to_hex(expected->bytes), to_hex(actual.bytes));
    }
  }
  return std::move(received.text);
}

}  // namespace furrow
