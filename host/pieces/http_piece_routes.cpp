// SPDX-License-Identifier: Apache-2.0
#include "host/pieces/http_piece_routes.hpp"

#include <charconv>
#include <optional>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "host/base/foreign_error.hpp"
#include "host/crypto/blake3.hpp"
#include "host/pieces/http_paths.hpp"
#include "host/pieces/piece_etag.hpp"
#include "host/pieces/piece_frame.hpp"
#include "host/pieces/source_errors.hpp"

namespace furrow {
namespace {

constexpr const char* kBytes = "application/octet-stream";
/// A piece that fails is named again after so long: clients are not to fill the log by asking for
/// it. Pieces beyond the number are forgotten.
constexpr std::chrono::minutes kPieceWarningPause(1);
constexpr std::size_t kMaxWarned = 4096;

std::span<const std::uint8_t> as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}
std::string_view as_text(std::span<const std::uint8_t> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::optional<PieceIndex> parse_index(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() ? std::optional(PieceIndex(value))
                                                                  : std::nullopt;
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

/// An answer with the tag, which is all of it when the client has the rest already.
HttpResponse tagged(const std::string& etag, const HttpRequest& request) {
  HttpResponse response{.headers = {{"ETag", etag}}};
  if (names_etag(request.header("If-None-Match"), etag)) {
    response.status = kStatusNotModified;
  }
  return response;
}

}  // namespace

HttpPieceRoutes::HttpPieceRoutes(PieceGetter& getter, HttpPieceRoutesOptions options)
    : getter_(getter),
      options_(std::move(options)),
      manifest_etag_(etag_of(blake3(as_bytes(options_.manifest_json)))) {}

void HttpPieceRoutes::add_to(HttpRoutes& routes) {
  routes.get(kManifestPath, [this](const HttpRequest& request) { return manifest(request); });
  routes.get_below(kPiecePathPrefix, [this](const HttpRequest& request) { return piece(request); });
  routes.post(kPiecesPath,
              {.max_bytes = options_.max_batch * sizeof(std::uint64_t),
               .name = "a list of pieces",
               .too_large = "too many pieces at once"},
              [this](const HttpRequest& request) { return batch(request); });
}

HttpPieceCounters HttpPieceRoutes::counters() const {
  return {.pieces = n_pieces_, .not_found = n_not_found_, .failed = n_failed_};
}

HttpResponse HttpPieceRoutes::manifest(const HttpRequest& request) const {
  if (options_.manifest_json.empty()) {
    return HttpResponse::line(kStatusNotFound, "there is no manifest");
  }
  HttpResponse response = tagged(manifest_etag_, request);
  if (response.status == kStatusOk) {
    response.content_type = "application/json";
    response.size = options_.manifest_json.size();
    // Not copied for each client: many that take it slowly would fill the memory.
    response.writer = [this](const HttpSink& sink) {
      return write_in_parts(options_.manifest_json, sink);
    };
  }
  return response;
}

HttpResponse HttpPieceRoutes::piece(const HttpRequest& request) {
  const std::optional<PieceIndex> index = parse_index(request.below());
  if (!index.has_value()) {
    return HttpResponse::line(kStatusBadRequest, "not a piece index");
  }
  PieceAnswer got;
  try {
    getter_.get_pieces(
        {&*index, 1}, [&](PieceIndex, PieceAnswer given) { got = std::move(given); },
        request.stop());
  } catch (const std::exception&) {
    got = PieceAnswer::failed(std::current_exception());
  }
  if (got.piece == nullptr) {
    return without_piece(*index, got.error, request);
  }
  HttpResponse response = tagged(etag_of(blake3(bytes_of(*got.piece))), request);
  if (response.status == kStatusOk) {
    response.content_type = kBytes;
    response.size = kPieceSize;
    response.writer = [this, piece = std::move(got.piece)](const HttpSink& sink) {
      if (!sink(as_text(bytes_of(*piece)))) {
        return false;
      }
      ++n_pieces_;
      return true;
    };
  }
  return response;
}

HttpResponse HttpPieceRoutes::without_piece(PieceIndex index, const std::exception_ptr& error,
                                            const HttpRequest& request) {
  const std::string what = "piece " + std::to_string(index.value()) + " ";
  if (request.stop().stop_requested()) {
    return HttpResponse::line(kStatusUnavailable, "the server ends");
  }
  if (error == nullptr) {
    ++n_not_found_;
    return HttpResponse::line(kStatusNotFound, what + "is not here");
  }
  ++n_failed_;
  warn_of(index, error, request.warnings());
  const ErrorKind kind = kind_of(error);
  const bool is_away = kind == ErrorKind::kUnavailable;
  HttpResponse response = HttpResponse::line(is_away ? kStatusUnavailable : kStatusServerError,
                                             what + public_message(kind));
  if (is_away) {
    response.headers.emplace_back("Retry-After", "1");
  }
  return response;
}

HttpResponse HttpPieceRoutes::batch(const HttpRequest& request) {
  std::vector<PieceIndex> indices;
  try {
    indices = decode_piece_request(as_bytes(request.body()), options_.max_batch);
  } catch (const Error& error) {
    return HttpResponse::line(kStatusBadRequest, error.what());
  }
  return {.content_type = kBytes,
          .writer = [this, indices = std::move(indices), stop = request.stop(),
                     &warnings = request.warnings()](const HttpSink& sink) {
            return send_frames(indices, stop, warnings, sink);
          }};
}

/// A frame for each index, as the getter answers. False when client or server want no more.
bool HttpPieceRoutes::send_frames(std::span<const PieceIndex> indices, const std::stop_token& stop,
                                  HttpWarnings& warnings, const HttpSink& sink) {
  std::stop_source ended;
  const std::stop_callback on_stop(stop, [&] { ended.request_stop(); });
  std::unordered_map<std::uint64_t, std::size_t> open;
  for (const PieceIndex index : indices) {
    ++open[index.value()];
  }
  const auto send = [&](PieceIndex index, const PieceAnswer& given) {
    if (!ended.stop_requested() && !send_frame(index, given, warnings, sink)) {
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

bool HttpPieceRoutes::send_frame(PieceIndex index, const PieceAnswer& given, HttpWarnings& warnings,
                                 const HttpSink& sink) {
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
    warn_of(index, given.error, warnings);
    status = PieceFrameStatus::kFailed;
    message = public_message(kind_of(given.error));
    body = as_bytes(message);
  }
  const PieceFrameHeader header = piece_frame_header(index, status, body);
  const bool is_sent = sink(as_text(bytes_of(header))) && write_in_parts(as_text(body), sink);
  n_pieces_ += is_sent && status == PieceFrameStatus::kFound ? 1 : 0;
  return is_sent;
}

void HttpPieceRoutes::warn_of(PieceIndex index, const std::exception_ptr& error,
                              HttpWarnings& warnings) {
  {
    const Lock lock(warned_mutex_);
    const auto now = std::chrono::steady_clock::now();
    if (next_warnings_.size() >= kMaxWarned) {
      next_warnings_.clear();
    }
    auto& next = next_warnings_[index.value()];
    if (now < next) {
      return;
    }
    next = now + kPieceWarningPause;
  }
  warnings.tell("piece " + std::to_string(index.value()) + ": " + message_of(error));
}

}  // namespace furrow
