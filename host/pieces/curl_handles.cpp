// SPDX-License-Identifier: Apache-2.0
#include "host/pieces/curl_handles.hpp"

#include <algorithm>
#include <array>
#include <climits>
#include <cstdint>
#include <new>
#include <string_view>
#include <utility>

#include "host/base/url.hpp"
#include "host/pieces/source_errors.hpp"

namespace furrow {
namespace {

constexpr std::chrono::milliseconds kLongestWait = std::chrono::seconds(60);
constexpr long kReceiveBuffer = 256 * 1024;
/// A server of pieces says what it has to say in a few hundred bytes.
constexpr std::size_t kMaxHeaderBytes = 64 * 1024;

/// Once in a process. What libcurl took is given back by the system.
void initialise_curl() {
  static const CURLcode code = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (code != CURLE_OK) {
    throw Error(ErrorKind::kInternal,
                std::string("libcurl cannot start: ") + curl_easy_strerror(code));
  }
}

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

/// What of the options a request shows to the server, as it is sent and as it is meant.
std::vector<std::string> secrets_of(const HttpSourceOptions& options) {
  constexpr std::size_t kShortest = 4;  // fewer characters are in every text
  std::vector<std::string> secrets;
  if (!options.token.empty()) {
    secrets.push_back(options.token);
  }
  const auto [url, code] = parse(options.url);
  const std::string user = code == CURLUE_OK ? part_of(url, CURLUPART_USER) : std::string();
  const std::string password = code == CURLUE_OK ? part_of(url, CURLUPART_PASSWORD) : std::string();
  if (!user.empty() || !password.empty()) {
    secrets.push_back(base64(user + ':' + password));
  }
  if (password.size() >= kShortest) {
    secrets.push_back(password);
  }
  return secrets;
}

}  // namespace

void require_readable_url(const std::string& url) {
  require_http_url(url, "pieces over HTTP");
  const CURLUcode code = parse(url).second;
  if (code != CURLUE_OK) {
    const std::string shown = printable_url(url);
    throw InvalidArgument("pieces over HTTP: expected an address, actual '" + shown +
                              "': " + curl_url_strerror(code) +
                              " (in a user or password, '@', ':' and '/' are written as %40, %3A "
                              "and %2F)",
                          {.path = shown, .expected = "an address", .actual = shown});
  }
}

CurlRequest::CurlRequest(const HttpSourceOptions& options)
    : options_(options), secrets_(secrets_of(options)) {
  initialise_curl();
  easy_.reset(curl_easy_init());
  if (easy_ == nullptr) {
    throw std::bad_alloc();
  }
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

void CurlRequest::set_path(const std::string& path) {
  url_ = without_slash(options_.url) + path;
  shown_url_ = printable_url(url_);
  reason_[0] = '\0';
  n_header_bytes_ = 0;
  set(CURLOPT_URL, url_.c_str());
}

long CurlRequest::status() const {
  long status = 0;
  curl_easy_getinfo(easy_.get(), CURLINFO_RESPONSE_CODE, &status);
  return status;
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

std::exception_ptr CurlRequest::error(CURLcode code, const std::string& what) const {
  if (n_header_bytes_ > kMaxHeaderBytes) {
    const std::string expected = "at most " + std::to_string(kMaxHeaderBytes) + " bytes of headers";
    const std::string actual = "more than " + std::to_string(kMaxHeaderBytes);
    return std::make_exception_ptr(
        HttpNotAPiece(what + ": expected " + expected + ", actual " + actual,
                      {.path = shown_url_, .expected = expected, .actual = actual}));
  }
  // libcurl names some addresses as they were given, such as that of a proxy it cannot use; what
  // may hold a password is not passed on.
  const bool is_told =
      reason_[0] != '\0' && std::string_view(reason_).find('@') == std::string_view::npos;
  const std::string reason = is_told ? reason_ : curl_easy_strerror(code);
  const std::string message = what + ": " + reason;
  const ErrorFields fields{.path = shown_url_, .expected = "an answer", .actual = reason};
  switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_CONNECT:
    case CURLE_INTERFACE_FAILED:
      return std::make_exception_ptr(HttpConnectionFailed(message, fields));
    case CURLE_SSL_CONNECT_ERROR:
      // Also for a connection that was lost in the handshake, as one to a server that restarts is,
      // or that a server has no place for.
      return is_tls_refusal(reason)
                 ? std::make_exception_ptr(HttpTlsFailed(message, fields))
                 : std::make_exception_ptr(HttpConnectionFailed(message, fields));
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_INVALIDCERTSTATUS:
      return std::make_exception_ptr(HttpTlsFailed(message, fields));
    case CURLE_OPERATION_TIMEDOUT: {
      // A server that is gone without a word, a resolver that hangs and a handshake that never ends
      // are no connection; nothing was asked yet then.
      long n_sent = 0;
      curl_easy_getinfo(easy_.get(), CURLINFO_REQUEST_SIZE, &n_sent);
      return n_sent == 0 ? std::make_exception_ptr(HttpConnectionFailed(message, fields))
                         : std::make_exception_ptr(HttpTimeout(message, fields));
    }
    case CURLE_URL_MALFORMAT:
      return std::make_exception_ptr(InvalidArgument(message));
    case CURLE_OUT_OF_MEMORY:
      // Also what libcurl says of a header beyond its limits: a server is not to end the program
      // with it.
      return std::make_exception_ptr(
          HttpTransferFailed(message + " (or a header that is too long)", fields));
    default:
      return std::make_exception_ptr(HttpTransferFailed(message, fields));
  }
}

CurlRequests::CurlRequests(std::size_t max_connections) {
  initialise_curl();
  multi_.reset(curl_multi_init());
  if (multi_ == nullptr) {
    throw std::bad_alloc();
  }
  require(
      curl_multi_setopt(multi_.get(), CURLMOPT_MAXCONNECTS, static_cast<long>(max_connections)));
}

void CurlRequests::require(CURLMcode code) {
  if (code == CURLM_OUT_OF_MEMORY) {
    throw std::bad_alloc();
  }
  if (code != CURLM_OK) {
    throw Error(ErrorKind::kInternal, std::string("libcurl: ") + curl_multi_strerror(code));
  }
}

void CurlRequests::perform() {
  int n_running = 0;
  require(curl_multi_perform(multi_.get(), &n_running));
}

CURLMsg* CurlRequests::next_ended() {
  int n_left = 0;
  CURLMsg* message = nullptr;
  do {
    message = curl_multi_info_read(multi_.get(), &n_left);
  } while (message != nullptr && message->msg != CURLMSG_DONE);
  return message;
}

void CurlRequests::wait(std::chrono::milliseconds most) {
  const auto limited = std::clamp<std::int64_t>(most.count(), 0, INT_MAX);
  require(curl_multi_poll(multi_.get(), nullptr, 0, static_cast<int>(limited), nullptr));
}

std::optional<CURLcode> perform_alone(CurlRequest& request, const std::stop_token& stop) {
  CurlRequests requests(1);
  requests.add(request);
  std::optional<CURLcode> code;
  {
    const std::stop_callback wake(stop, [&] { requests.wake(); });
    while (!code.has_value() && !stop.stop_requested()) {
      requests.perform();
      if (const CURLMsg* message = requests.next_ended()) {
        code = message->data.result;
      } else {
        requests.wait(kLongestWait);
      }
    }
  }
  requests.remove(request);
  return code;
}

}  // namespace furrow
