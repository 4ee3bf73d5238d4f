// SPDX-License-Identifier: Apache-2.0
#include "host/http/curl_request.hpp"

#include <algorithm>
#include <array>
#include <new>
#include <string_view>
#include <utility>

#include "host/base/url.hpp"
#include "host/http/curl_url.hpp"

namespace furrow {
namespace {

constexpr long kReceiveBuffer = 256 * 1024;
/// What a server has to say beside a body takes a few hundred bytes.
constexpr std::size_t kMaxHeaderBytes = 64 * 1024;

std::string without_slash(std::string url) {
  while (url.ends_with('/')) {
    url.pop_back();
  }
  return url;
}

/// What libcurl says of a handshake that failed for what one side is or wants, and not because the
/// connection was lost in it, for which it has the same code: words of OpenSSL and of GnuTLS.
constexpr std::array<std::string_view, 8> kTlsRefusals = {
    "certificate", "cipher",  "handshake failure",     "Handshake failed",
    "protocol",    "version", "unexpected TLS packet", "unknown ca"};

bool is_tls_refusal(std::string text) {
  text = text.substr(0, text.find(" in connection to "));  // a host may have any name
  return std::any_of(kTlsRefusals.begin(), kTlsRefusals.end(),
                     [&](std::string_view words) { return text.find(words) != std::string::npos; });
}

/// What a request shows to the server.
std::vector<std::string> secrets_of(const HttpClientOptions& options) {
  std::vector<std::string> secrets = secrets_in(options.url);
  if (!options.token.empty()) {
    secrets.insert(secrets.begin(), options.token);
  }
  return secrets;
}

}  // namespace

void initialise_curl() {
  static const CURLcode code = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (code != CURLE_OK) {
    throw Error(ErrorKind::kInternal,
                std::string("libcurl cannot start: ") + curl_easy_strerror(code));
  }
}

CurlRequest::CurlRequest(const HttpClientOptions& options)
    : base_url_(without_slash(options.url)),
      wanted_(options.wanted),
      secrets_(secrets_of(options)) {
  initialise_curl();
  easy_.reset(curl_easy_init());
  if (easy_ == nullptr) {
    throw std::bad_alloc();
  }
  set(CURLOPT_PRIVATE, this);
  set(CURLOPT_ERRORBUFFER, reason_);
  set(CURLOPT_NOSIGNAL, 1L);
  // A name that is being resolved is left to its thread when the request is given up; else nobody
  // could stop before the resolver answers, which takes it many seconds when it hangs.
  set(CURLOPT_QUICK_EXIT, 1L);
  set(CURLOPT_HEADERFUNCTION, &CurlRequest::on_header);
  set(CURLOPT_HEADERDATA, this);
  set(CURLOPT_PROTOCOLS_STR, "http,https");
  set(CURLOPT_FOLLOWLOCATION, 0L);  // the token goes to nobody else
  set(CURLOPT_HTTP_VERSION, long{CURL_HTTP_VERSION_1_1});
  set(CURLOPT_TCP_KEEPALIVE, 1L);
  set(CURLOPT_BUFFERSIZE, kReceiveBuffer);
  set(CURLOPT_SSL_VERIFYPEER, 1L);
  set(CURLOPT_SSL_VERIFYHOST, 2L);
  set(CURLOPT_SSLVERSION, long{CURL_SSLVERSION_TLSv1_2});
  if (!options.ca_file.empty()) {
    set(CURLOPT_CAINFO, options.ca_file.c_str());
    set(CURLOPT_CAPATH, nullptr);  // only what the file says
  }
  set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(options.connect_time.count()));
  set(CURLOPT_LOW_SPEED_LIMIT, 1L);
  set(CURLOPT_LOW_SPEED_TIME, static_cast<long>(options.stall_time.count()));
  if (!options.token.empty()) {
    headers_.reset(curl_slist_append(nullptr, ("Authorization: Bearer " + options.token).c_str()));
    if (headers_ == nullptr) {
      throw std::bad_alloc();
    }
    set(CURLOPT_HTTPHEADER, headers_.get());
  }
}

void CurlRequest::require(CURLcode code) {
  if (code == CURLE_OUT_OF_MEMORY) {
    throw std::bad_alloc();
  }
  if (code != CURLE_OK) {
    throw Error(ErrorKind::kInternal,
                std::string("libcurl refuses an option: ") + curl_easy_strerror(code));
  }
}

CurlRequest& CurlRequest::of(CURL* easy) {
  char* self = nullptr;
  curl_easy_getinfo(easy, CURLINFO_PRIVATE, &self);
  return *reinterpret_cast<CurlRequest*>(self);  // as it was given to libcurl
}

void CurlRequest::set_path(const std::string& path) {
  const std::string url = base_url_ + path;
  shown_url_ = printable_url(url);
  reason_[0] = '\0';
  n_header_bytes_ = 0;
  set(CURLOPT_URL, url.c_str());
}

int CurlRequest::status() const {
  long status = 0;
  curl_easy_getinfo(easy_.get(), CURLINFO_RESPONSE_CODE, &status);
  return static_cast<int>(status);
}

std::size_t CurlRequest::on_header(char*, std::size_t size, std::size_t n, void* self) {
  auto& request = *static_cast<CurlRequest*>(self);
  request.n_header_bytes_ += size * n;
  return request.n_header_bytes_ <= kMaxHeaderBytes ? size * n : 0;
}

std::optional<std::string> CurlRequest::header(const char* name) const {
  curl_header* found = nullptr;
  if (curl_easy_header(easy_.get(), name, 0, CURLH_HEADER, -1, &found) != CURLHE_OK) {
    return std::nullopt;
  }
  return found->value;
}

std::int64_t CurlRequest::content_length() const {
  curl_off_t length = -1;
  curl_easy_getinfo(easy_.get(), CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
  return length;
}

HttpProblem CurlRequest::problem(CURLcode code, const std::string& what) const {
  using Kind = HttpProblem::Kind;
  if (n_header_bytes_ > kMaxHeaderBytes) {
    const std::string expected = "at most " + std::to_string(kMaxHeaderBytes) + " bytes of headers";
    const std::string actual = "more than " + std::to_string(kMaxHeaderBytes);
    return {.kind = Kind::kForeign,
            .message = what + ": expected " + expected + ", actual " + actual,
            .fields = {.path = shown_url_, .expected = expected, .actual = actual}};
  }
  // libcurl names some addresses as they were given, such as that of a proxy it cannot use; what
  // may hold a password is not passed on.
  const bool is_told =
      reason_[0] != '\0' && std::string_view(reason_).find('@') == std::string_view::npos;
  const std::string reason = is_told ? reason_ : curl_easy_strerror(code);
  HttpProblem result{.kind = kind_of(code, reason),
                     .message = what + ": " + reason,
                     .fields = {.path = shown_url_, .expected = "an answer", .actual = reason}};
  if (code == CURLE_OUT_OF_MEMORY) {
    // Also what libcurl says of a header beyond its limits: a server is not to end the program
    // with it.
    result.message += " (or a header that is too long)";
  }
  return result;
}

HttpProblem::Kind CurlRequest::kind_of(CURLcode code, const std::string& reason) const {
  using Kind = HttpProblem::Kind;
  switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_CONNECT:
    case CURLE_INTERFACE_FAILED:
      return Kind::kNoConnection;
    case CURLE_SSL_CONNECT_ERROR:
      // Also for a connection that was lost in the handshake, as one to a server that restarts is,
      // or that a server has no place for.
      return is_tls_refusal(reason) ? Kind::kNoTrust : Kind::kNoConnection;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_INVALIDCERTSTATUS:
      return Kind::kNoTrust;
    case CURLE_OPERATION_TIMEDOUT: {
      // A server that is gone without a word, a resolver that hangs and a handshake that never ends
      // are no connection; nothing was asked yet then.
      long n_sent = 0;
      curl_easy_getinfo(easy_.get(), CURLINFO_REQUEST_SIZE, &n_sent);
      return n_sent == 0 ? Kind::kNoConnection : Kind::kTimeout;
    }
    case CURLE_URL_MALFORMAT:
      return Kind::kBadAddress;
    default:
      return Kind::kBroken;
  }
}

}  // namespace furrow
