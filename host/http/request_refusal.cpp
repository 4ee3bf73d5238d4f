// SPDX-License-Identifier: Apache-2.0
#include "host/http/request_refusal.hpp"

#include <array>
#include <charconv>
#include <cstdint>
#include <string_view>
#include <system_error>

#include <httplib.h>
#include <openssl/crypto.h>
#include <openssl/sha.h>

namespace furrow {
namespace {

using Digest = std::array<unsigned char, SHA256_DIGEST_LENGTH>;

Digest digest_of(std::string_view text) {
  Digest result;
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), result.data());
  return result;
}

/// Takes the same time for every token of a length, and hashes hide the length.
bool same_secret(std::string_view a, std::string_view b) {
  const Digest x = digest_of(a);
  const Digest y = digest_of(b);
  return CRYPTO_memcmp(x.data(), y.data(), x.size()) == 0;
}

bool shows(const httplib::Request& request, const std::string& token) {
  constexpr std::string_view kScheme = "Bearer ";
  const std::string value = request.get_header_value("Authorization");
  return value.starts_with(kScheme) &&
         same_secret(std::string_view(value).substr(kScheme.size()), token);
}

std::optional<HttpResponse> refusal_of_body(const httplib::Request& request,
                                            const HttpRoutes& routes) {
  constexpr const char* kLength = "Content-Length";
  const std::size_t n_lengths = request.get_header_value_count(kLength);
  const bool is_coded = request.has_header("Transfer-Encoding");
  if (n_lengths > 1) {
    return HttpResponse::line(kStatusBadRequest, "more than one Content-Length");
  }
  if (n_lengths == 1 && is_coded) {
    return HttpResponse::line(kStatusBadRequest,
                              "Content-Length and Transfer-Encoding exclude each other");
  }
  const std::string length = request.get_header_value(kLength);
  if (n_lengths == 1 &&
      (length.empty() || length.find_first_not_of("0123456789") != std::string::npos)) {
    return HttpResponse::line(kStatusBadRequest, "Content-Length is not a number of bytes");
  }
  const HttpRoutes::Route* route = routes.find(request.method, request.path);
  if (route == nullptr || !route->body.has_value()) {
    return std::nullopt;
  }
  const HttpBodyRules& body = *route->body;
  // httplib would unpack it, and a few hundred bytes of brotli are gigabytes.
  if (request.has_header("Content-Encoding") ||
      request.get_header_value("Content-Type").starts_with("multipart/")) {
    return HttpResponse::line(kStatusUnsupportedType, body.name + " is sent as it is");
  }
  if (n_lengths == 0) {
    return HttpResponse::line(kStatusLengthRequired, body.name + " needs a Content-Length");
  }
  std::uint64_t n_bytes = 0;
  const auto [end, error] = std::from_chars(length.data(), length.data() + length.size(), n_bytes);
  if (error != std::errc() || n_bytes > body.max_bytes) {
    return HttpResponse::line(kStatusTooLarge, body.too_large);
  }
  return std::nullopt;
}

}  // namespace

std::optional<HttpResponse> refusal_of(const httplib::Request& request, const HttpRoutes& routes,
                                       const std::string& token) {
  if (!token.empty() && !shows(request, token)) {
    HttpResponse response = HttpResponse::line(kStatusUnauthorized, "a token is needed");
    response.headers.emplace_back("WWW-Authenticate", "Bearer");
    return response;
  }
  return refusal_of_body(request, routes);
}

}  // namespace furrow
