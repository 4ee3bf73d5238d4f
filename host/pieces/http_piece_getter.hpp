// SPDX-License-Identifier: Apache-2.0
// Pieces from a server over HTTP (docs/formats/piece-http.md).
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <exception>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "furrow/piece_getter.hpp"

#include "host/base/mutex.hpp"
#include "host/pieces/http_source_options.hpp"
#include "host/pieces/piece_validator.hpp"
#include "host/pieces/pooled_piece.hpp"

namespace furrow {

/// Fetches pieces, up to `in_flight` at a time, over connections that are kept. Batches at the same
/// time share them evenly and have at least one request each. What `validator` refuses reaches no
/// sink.
///
/// Answers: not found for status 404; failed with an error of source_errors.hpp, with
/// InvalidBytesLength for a body of another length, ChecksumMismatch for one that is not what its
/// entity tag says, and with what the validator throws. Every message names the address, and none
/// the token or a password. What may be a fault of the moment is tried again, within `piece_time`.
/// When the source as a whole does not answer or refuses, all pieces that are left fail at once
/// with the same error, and so with SourceUnavailable when nothing but a timeout was heard from it.
///
/// Until the first answer, also after it was away, there is one request at a time, so that a server
/// that refuses is asked once. One whose first answer is no piece has to show with its manifest
/// that it is the right one: else it fails with HttpApiAbsent or HistoryMismatch. One that has
/// given pieces and then answers without any is asked for one of those first.
///
/// A stop request takes effect at once, but for the validation of one piece. Thread-safe; batches
/// at the same time have connections of their own.
class HttpPieceGetter : public PieceGetter {
 public:
  /// Connects to nobody yet. Throws InvalidArgument for options that make no sense.
  HttpPieceGetter(HttpSourceOptions options, PieceValidator validator);
  ~HttpPieceGetter() override;

  void get_pieces(std::span<const PieceIndex> indices, const Sink& sink,
                  std::stop_token stop) override;

  [[nodiscard]] const HttpSourceOptions& options() const { return options_; }

 private:
  using Clock = std::chrono::steady_clock;
  struct Given {
    PieceIndex index;
    Clock::time_point at;
  };
  class Session;
  class Batch;
  class BorrowedSession;

  [[nodiscard]] HttpSourceOptions options_now();
  void note_given(PieceIndex piece);
  [[nodiscard]] bool has_given_since(Clock::time_point time);
  [[nodiscard]] std::exception_ptr examine(const HttpSourceOptions& options,
                                           const std::exception_ptr& answer,
                                           const std::stop_token& stop);

  HttpSourceOptions options_;
  PieceValidator validator_;
  PiecePools pools_;
  std::atomic<std::size_t> n_batches_ = 0;
  /// With a piece, or that it lacks one, since it was last away.
  std::atomic<bool> has_answered_ = false;
  Mutex mutex_;
  std::optional<Given> last_given_ FURROW_GUARDED_BY(mutex_);
  bool has_shown_manifest_ FURROW_GUARDED_BY(mutex_) = false;  // the right one
  std::string last_token_ FURROW_GUARDED_BY(mutex_);
  std::vector<std::unique_ptr<Session>> idle_ FURROW_GUARDED_BY(mutex_);
};

}  // namespace furrow
