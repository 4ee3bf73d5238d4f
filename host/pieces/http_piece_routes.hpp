// SPDX-License-Identifier: Apache-2.0
// Pieces and their manifest as routes of a server (docs/formats/piece-http.md).
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <span>
#include <stop_token>
#include <string>
#include <unordered_map>

#include "furrow/piece_getter.hpp"

#include "host/base/mutex.hpp"
#include "host/http/http_routes.hpp"

namespace furrow {

struct HttpPieceRoutesOptions {
  /// The text that /v1/manifest gives; nothing there when empty.
  std::string manifest_json = {};
  /// Pieces in one batch.
  std::size_t max_batch = 256;
};

/// What was served.
struct HttpPieceCounters {
  std::uint64_t pieces = 0;     ///< sent as a whole
  std::uint64_t not_found = 0;  ///< pieces that the getter does not have
  std::uint64_t failed = 0;     ///< pieces that the getter failed to give
};

/// Thread-safe.
class HttpPieceRoutes {
 public:
  /// `getter` outlives it and is asked by several threads at once. At most one piece is in memory
  /// for each connection, or a few while the getter reads ahead.
  HttpPieceRoutes(PieceGetter& getter, HttpPieceRoutesOptions options);
  HttpPieceRoutes(const HttpPieceRoutes&) = delete;
  HttpPieceRoutes& operator=(const HttpPieceRoutes&) = delete;

  /// This object outlives the server that gets the routes.
  void add_to(HttpRoutes& routes);
  [[nodiscard]] HttpPieceCounters counters() const;

 private:
  HttpResponse manifest(const HttpRequest& request) const;
  HttpResponse piece(const HttpRequest& request);
  HttpResponse without_piece(PieceIndex index, const std::exception_ptr& error,
                             const HttpRequest& request);
  HttpResponse batch(const HttpRequest& request);
  bool send_frames(std::span<const PieceIndex> indices, const std::stop_token& stop,
                   HttpWarnings& warnings, const HttpSink& sink);
  bool send_frame(PieceIndex index, const PieceAnswer& given, HttpWarnings& warnings,
                  const HttpSink& sink);
  /// Warns of a piece that failed, unless it did so a moment ago.
  void warn_of(PieceIndex index, const std::exception_ptr& error, HttpWarnings& warnings);

  PieceGetter& getter_;
  const HttpPieceRoutesOptions options_;
  const std::string manifest_etag_;
  Mutex warned_mutex_;
  std::unordered_map<std::uint64_t, std::chrono::steady_clock::time_point> next_warnings_
      FURROW_GUARDED_BY(warned_mutex_);
  std::atomic<std::uint64_t> n_pieces_ = 0;
  std::atomic<std::uint64_t> n_not_found_ = 0;
  std::atomic<std::uint64_t> n_failed_ = 0;
};

}  // namespace furrow
