// SPDX-License-Identifier: Apache-2.0
#include "host/pieces/http_piece_routes.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <span>
#include <system_error>
#include <unordered_map>
#include <utility>

#include "host/crypto/blake3.hpp"
#include "host/pieces/piece_etag.hpp"
#include "host/pieces/piece_frame.hpp"
#include "host/pieces/source_errors.hpp"

namespace furrow {
namespace {

constexpr const char* kBytes = "application/octet-stream";
constexpr std::string_view kPiecePrefix = "/v1/pieces/";
constexpr std::string_view kManifestPath = "/v1/manifest";
/// A frame is sent in parts of this size, because httplib copies each part twice: that stays in the
/// cache.
constexpr std::size_t kPartSize = 64 * 1024;
/// A piece that fails is named again after so long: clients are not to fill the log by asking for
/// it. Pieces beyond the number are forgotten.
constexpr std::chrono::minutes kWarningPause(1);
constexpr std::size_t kMaxWarned = 4096;

std::span<const std::uint8_t> as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}
std::string_view as_text(std::span<const std::uint8_t> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

void answer(httplib::Response& response, int status, const std::string& text) {
  response.status = status;
  response.set_content(text + "\n", "text/plain");
}

std::optional<PieceIndex> parse_index(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() ? std::optional(PieceIndex(value))
                                                                  : std::nullopt;
}

/// Takes the same time for every token of a length, and hashes hide the length.
bool same_secret(std::string_view a, std::string_view b) {
  const Hash x = blake3(as_bytes(a));
  const Hash y = blake3(as_bytes(b));
  unsigned difference = 0;
  for (std::size_t i = 0; i < kHashSize; ++i) {
    difference |= static_cast<unsigned>(x.bytes[i] ^ y.bytes[i]);
  }
  return difference == 0;
}

/// What a client is told; paths of this machine are none of its business.
const char* public_message(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kIo:
      return "cannot be read";
    case ErrorKind::kCorrupt:
    case ErrorKind::kMismatch:
      return "is damaged";
    case ErrorKind::kUnavailable:
      return "is not available now";
    default:
      return "cannot be served";
  }
}

bool is_batch(const httplib::Request& request) {
  return request.method == "POST" && request.path == HttpPieceRoutes::kPiecesPath;
}

/// True when the client has it already.
bool answers_not_modified(const std::string& etag, const httplib::Request& request,
                          httplib::Response& response) {
  response.set_header("ETag", etag);
  if (names_etag(request.get_header_value("If-None-Match"), etag)) {
    response.status = 304;
    return true;
  }
  return false;
}

}  // namespace

HttpPieceRoutes::HttpPieceRoutes(PieceGetter& getter, const HttpServerOptions& options,
                                 std::stop_token stop)
    : getter_(getter),
      options_(options),
      stop_(std::move(stop)),
      manifest_etag_(etag_of(blake3(as_bytes(options.manifest_json)))) {}

HttpServerCounters HttpPieceRoutes::counters() const {
  return {.requests = n_requests_,
          .pieces = n_pieces_,
          .not_found = n_not_found_,
          .failed = n_failed_,
          .unauthorized = n_unauthorized_};
}

std::optional<std::size_t> HttpPieceRoutes::body_to_read(const httplib::Request& request) {
  ++n_requests_;
  if (refuses_body(request)) {
    return std::nullopt;
  }
  if (is_batch(request)) {
    return request.get_header_value<std::uint64_t>("Content-Length");
  }
  const bool has_body =
      request.has_header("Content-Length") || request.has_header("Transfer-Encoding");
  return has_body ? std::nullopt : std::optional<std::size_t>(0);
}

bool HttpPieceRoutes::refuses_body(const httplib::Request& request) const {
  return !is_authorized(request) || body_problem(request).has_value();
}

std::optional<HttpPieceRoutes::BodyProblem> HttpPieceRoutes::body_problem(
    const httplib::Request& request) const {
  constexpr const char* kLength = "Content-Length";
  const std::size_t n_lengths = request.get_header_value_count(kLength);
  const bool is_coded = request.has_header("Transfer-Encoding");
  if (n_lengths > 1) {
    return BodyProblem{400, "more than one Content-Length"};
  }
  if (n_lengths == 1 && is_coded) {
    return BodyProblem{400, "Content-Length and Transfer-Encoding exclude each other"};
  }
  const std::string length = request.get_header_value(kLength);
  if (n_lengths == 1 &&
      (length.empty() || length.find_first_not_of("0123456789") != std::string::npos)) {
    return BodyProblem{400, "Content-Length is not a number of bytes"};
  }
  if (!is_batch(request)) {
    return std::nullopt;
  }
  // httplib would unpack it, and a few hundred bytes of brotli are gigabytes.
  if (request.has_header("Content-Encoding") ||
      request.get_header_value("Content-Type").starts_with("multipart/")) {
    return BodyProblem{415, "a list of pieces is sent as it is"};
  }
  if (n_lengths == 0) {
    return BodyProblem{411, "a list of pieces needs a Content-Length"};
  }
  std::uint64_t n_bytes = 0;
  const auto [end, error] = std::from_chars(length.data(), length.data() + length.size(), n_bytes);
  if (error != std::errc() || n_bytes > options_.limits.max_batch * sizeof(std::uint64_t)) {
    return BodyProblem{413, "too many pieces at once"};
  }
  return std::nullopt;
}

bool HttpPieceRoutes::is_authorized(const httplib::Request& request) const {
  if (options_.token.empty()) {
    return true;
  }
  constexpr std::string_view kScheme = "Bearer ";
  const std::string value = request.get_header_value("Authorization");
  return value.starts_with(kScheme) &&
         same_secret(std::string_view(value).substr(kScheme.size()), options_.token);
}

HttpPieceRoutes::HandlerResponse HttpPieceRoutes::route(const httplib::Request& request,
                                                        httplib::Response& response) {
  if (!is_authorized(request)) {
    ++n_unauthorized_;
    response.set_header("WWW-Authenticate", "Bearer");
    answer(response, 401, "a token is needed");
    return HandlerResponse::Handled;
  }
  if (const std::optional<BodyProblem> problem = body_problem(request)) {
    answer(response, problem->status, problem->text);
    return HandlerResponse::Handled;
  }
  const bool reads = request.method == "GET" || request.method == "HEAD";
  const std::string_view path = request.path;
  if (path == kManifestPath && reads) {
    serve_manifest(request, response);
  } else if (path.starts_with(kPiecePrefix) && reads) {
    serve_piece(path.substr(kPiecePrefix.size()), request, response);
  } else if (is_batch(request)) {
    return HandlerResponse::Unhandled;
  } else if (path == kPiecesPath || path == kManifestPath || path.starts_with(kPiecePrefix)) {
    response.set_header("Allow", path == kPiecesPath ? "POST" : "GET, HEAD");
    answer(response, 405, request.method + " is not possible here");
  } else {
    answer(response, 404, "there is nothing here");
  }
  return HandlerResponse::Handled;
}

void HttpPieceRoutes::serve_manifest(const httplib::Request& request, httplib::Response& response) {
  if (options_.manifest_json.empty()) {
    answer(response, 404, "there is no manifest");
  } else if (!answers_not_modified(manifest_etag_, request, response)) {
    // Not copied for each client: many that take it slowly would fill the memory.
    response.set_content_provider(
        options_.manifest_json.size(), "application/json",
        [this](std::size_t offset, std::size_t length, httplib::DataSink& sink) {
          const std::string_view part =
              std::string_view(options_.manifest_json).substr(offset, std::min(length, kPartSize));
          return sink.write(part.data(), part.size());
        });
  }
}

void HttpPieceRoutes::serve_piece(std::string_view index_text, const httplib::Request& request,
                                  httplib::Response& response) {
  const std::optional<PieceIndex> index = parse_index(index_text);
  if (!index.has_value()) {
    answer(response, 400, "not a piece index");
    return;
  }
  PieceAnswer got;
  try {
    getter_.get_pieces(
        {&*index, 1}, [&](PieceIndex, PieceAnswer given) { got = std::move(given); }, stop_);
  } catch (const std::exception&) {
    got = PieceAnswer::failed(std::current_exception());
  }
  if (got.piece == nullptr) {
    answer_without_piece(*index, got.error, response);
    return;
  }
  if (answers_not_modified(etag_of(blake3(bytes_of(*got.piece))), request, response)) {
    return;
  }
  response.set_content_provider(
      kPieceSize, kBytes,
      [this, piece = std::move(got.piece)](std::size_t offset, std::size_t length,
                                           httplib::DataSink& sink) {
        const std::string_view part = as_text(bytes_of(*piece)).substr(offset, length);
        if (!sink.write(part.data(), part.size())) {
          return false;
        }
        ++n_pieces_;
        return true;
      });
}

void HttpPieceRoutes::answer_without_piece(PieceIndex index, const std::exception_ptr& error,
                                           httplib::Response& response) {
  const std::string what = "piece " + std::to_string(index.value()) + " ";
  if (stop_.stop_requested()) {
    answer(response, 503, "the server ends");
  } else if (error == nullptr) {
    ++n_not_found_;
    answer(response, 404, what + "is not here");
  } else {
    ++n_failed_;
    warn_of(index, error);
    const ErrorKind kind = kind_of(error);
    if (kind == ErrorKind::kUnavailable) {
      response.set_header("Retry-After", "1");
    }
    answer(response, kind == ErrorKind::kUnavailable ? 503 : 500, what + public_message(kind));
  }
}

void HttpPieceRoutes::serve_batch(const httplib::Request& request, httplib::Response& response) {
  std::vector<PieceIndex> indices;
  try {
    indices = decode_piece_request(as_bytes(request.body), options_.limits.max_batch);
  } catch (const Error& error) {
    answer(response, 400, error.what());
    return;
  }
  response.set_chunked_content_provider(
      kBytes, [this, indices = std::move(indices)](std::size_t, httplib::DataSink& sink) {
        if (!send_frames(indices, sink)) {
          return false;
        }
        sink.done();
        return true;
      });
}

/// A frame for each index, as the getter answers. False when client or server want no more.
bool HttpPieceRoutes::send_frames(const std::vector<PieceIndex>& indices, httplib::DataSink& sink) {
  std::stop_source ended;
  const std::stop_callback on_stop(stop_, [&] { ended.request_stop(); });
  std::unordered_map<std::uint64_t, std::size_t> open;
  for (const PieceIndex index : indices) {
    ++open[index.value()];
  }
  const auto send = [&](PieceIndex index, const PieceAnswer& given) {
    if (!ended.stop_requested() && !send_frame(index, given, sink)) {
      ended.request_stop();
    }
  };
  std::exception_ptr error;
  try {
    getter_.get_pieces(
        indices,
        [&](PieceIndex index, const PieceAnswer& given) {
          --open[index.value()];
          send(index, given);
        },
        ended.get_token());
  } catch (const std::exception&) {
    error = std::current_exception();
  }
  for (const auto& [index, count] : open) {
    for (std::size_t i = 0; error != nullptr && i < count; ++i) {
      send(PieceIndex(index), PieceAnswer::failed(error));
    }
  }
  return !ended.stop_requested();
}

bool HttpPieceRoutes::send_frame(PieceIndex index, const PieceAnswer& given,
                                 httplib::DataSink& sink) {
  PieceFrameStatus status = PieceFrameStatus::kFound;
  std::string message;
  std::span<const std::uint8_t> body;
  if (given.piece != nullptr) {
    body = bytes_of(*given.piece);
  } else if (given.error == nullptr) {
    ++n_not_found_;
    status = PieceFrameStatus::kNotFound;
  } else {
    ++n_failed_;
    warn_of(index, given.error);
    status = PieceFrameStatus::kFailed;
    message = public_message(kind_of(given.error));
    body = as_bytes(message);
  }
  const PieceFrameHeader header = piece_frame_header(index, status, body);
  std::string_view rest = as_text(bytes_of(header));
  bool is_sent = sink.write(rest.data(), rest.size());
  for (rest = as_text(body); is_sent && !rest.empty();) {
    const std::string_view part = rest.substr(0, kPartSize);
    is_sent = sink.write(part.data(), part.size());
    rest.remove_prefix(part.size());
  }
  n_pieces_ += is_sent && status == PieceFrameStatus::kFound ? 1 : 0;
  return is_sent;
}

void HttpPieceRoutes::warn_of(PieceIndex index, const std::exception_ptr& error) {
  {
    const std::lock_guard lock(warning_mutex_);
    const auto now = std::chrono::steady_clock::now();
    if (next_warnings_.size() >= kMaxWarned) {
      next_warnings_.clear();
    }
    auto& next = next_warnings_[index.value()];
    if (now < next) {
      return;
    }
    next = now + kWarningPause;
  }
  warn("piece " + std::to_string(index.value()) + ": " + message_of(error));
}

void HttpPieceRoutes::warn(const std::string& line) {
  const std::lock_guard lock(warning_mutex_);
  options_.on_warning(line);
}

void HttpPieceRoutes::warn_of_current_exception() noexcept {
  try {
    warn(message_of(std::current_exception()));
  } catch (...) {
    // Without memory for a line there is none.
  }
}

}  // namespace furrow
