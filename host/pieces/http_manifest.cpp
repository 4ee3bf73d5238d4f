#include "host/pieces/http_manifest.hpp"

#include <exception>

#include "furrow/errors.hpp"

#include "host/crypto/blake3.hpp"
#include "host/crypto/hex.hpp"
#include "host/pieces/curl_handles.hpp"
#include "host/pieces/piece_etag.hpp"
#include "host/pieces/piece_url.hpp"
#include "host/pieces/source_errors.hpp"

namespace furrow {
namespace {

constexpr std::chrono::milliseconds kLongestWait = std::chrono::seconds(60);
constexpr std::size_t kMaxText = 200;

struct Received {
  std::string text;
  std::size_t most;
};

std::size_t on_body(char* data, std::size_t size, std::size_t n, void* self) {
  auto& received = *static_cast<Received*>(self);
  try {
    received.text.append(data, size * n);
  } catch (const std::bad_alloc&) {
    return 0;
  }
  return received.text.size() <= received.most ? size * n : 0;
}

/// The result of the one request; none when stopped.
std::optional<CURLcode> perform(CurlRequest& request, const std::stop_token& stop) {
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

}  // namespace

std::optional<std::string> fetch_manifest_text(const HttpSourceOptions& options,
                                               const std::stop_token& stop) {
  require_piece_url(options.url);
  CurlRequest request(options);
  Received received{{}, options.max_manifest_bytes};
  request.set_path("/v1/manifest");
  request.set(CURLOPT_TIMEOUT_MS, static_cast<long>(options.piece_time.count()));
  request.set(CURLOPT_WRITEFUNCTION, &on_body);
  request.set(CURLOPT_WRITEDATA, &received);
  const std::string what = "manifest from " + request.shown_url();
  const std::optional<CURLcode> code = perform(request, stop);
  if (!code.has_value()) {
    return std::nullopt;
  }
  if (received.text.size() > received.most) {
    throw InvalidBytesLength(what, received.most, received.text.size());
  }
  if (*code != CURLE_OK) {
    std::rethrow_exception(request.error(*code, what));
  }
  const long status = request.status();
  if (status == 401 || status == 403) {
    throw HttpUnauthorized(what + ": expected status 200, actual " + std::to_string(status));
  }
  if (status != 200) {
    throw HttpStatusError(what, status, received.text.substr(0, kMaxText));
  }
  curl_header* etag = nullptr;
  if (curl_easy_header(request.get(), "ETag", 0, CURLH_HEADER, -1, &etag) == CURLHE_OK) {
    const std::optional<Hash> expected = hash_in_etag(etag->value);
    const Hash actual =
        blake3({reinterpret_cast<const std::uint8_t*>(received.text.data()), received.text.size()});
    if (expected.has_value() && actual != *expected) {
      throw ChecksumMismatch(what, to_hex(expected->bytes), to_hex(actual.bytes));
    }
  }
  return std::move(received.text);
}

}  // namespace furrow
