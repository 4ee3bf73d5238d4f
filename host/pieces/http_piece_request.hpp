// SPDX-License-Identifier: Apache-2.0
// One request for pieces, from its start to the answers of all of them.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "furrow/piece_getter.hpp"

#include "host/http/curl_loop.hpp"
#include "host/pieces/http_source_options.hpp"
#include "host/pieces/piece_frame.hpp"
#include "host/pieces/piece_validator.hpp"
#include "host/pieces/pooled_piece.hpp"

namespace furrow {

/// A piece that is not here yet.
struct WantedPiece {
  using Clock = std::chrono::steady_clock;
  PieceIndex index;
  unsigned n_tries = 0;  ///< begun so far
  Clock::time_point first_try{};
  Clock::time_point deadline{};
};

/// Asks for one piece with GET, for several with POST. Used for one request after the other; not
/// copied or moved, since libcurl knows its address.
class HttpPieceRequest {
 public:
  /// Called for each piece, when it is here or cannot be had by this request. `may_retry` says
  /// whether another try might end differently.
  using OnAnswer = std::function<void(const WantedPiece&, PieceAnswer, bool may_retry)>;

  /// The parameters outlive it. It keeps the pool until it ends.
  HttpPieceRequest(const HttpSourceOptions& options, const PieceValidator& validator,
                   PiecePools::Lease pool, const OnAnswer& on_answer);
  HttpPieceRequest(const HttpPieceRequest&) = delete;
  HttpPieceRequest& operator=(const HttpPieceRequest&) = delete;

  /// Pre: none is under way; `wanted` is not empty.
  void begin(std::vector<WantedPiece> wanted, CurlLoop& loop);
  /// The request ended with `code`: answers what has no answer yet. To be called once after begin.
  void end(CURLcode code);
  /// Leaves the pieces without an answer; they are put behind `unanswered`.
  void give_up(std::vector<WantedPiece>& unanswered);

  [[nodiscard]] CurlRequest& request() { return request_; }
  [[nodiscard]] bool is_under_way() const { return !wanted_.empty(); }
  /// An exception of `on_answer`, which cannot pass through libcurl; the request is over then.
  [[nodiscard]] std::exception_ptr failure_of_sink() const { return failure_of_sink_; }

 private:
  static std::size_t on_body(char* data, std::size_t size, std::size_t n, void* self);

  void receive(std::span<const std::uint8_t> bytes);
  void receive_piece(std::span<const std::uint8_t> bytes);
  void receive_frames(std::span<const std::uint8_t> bytes);
  /// For a single piece: InvalidBytesLength, unless the body is recognised as something else.
  [[nodiscard]] std::exception_ptr wrong_length(std::uint64_t actual) const;
  void on_frame(PieceIndex index, PieceFrameStatus status, Slice body);
  [[nodiscard]] PieceAnswer checked(PieceIndex index, Slice body) const;
  void end_single(CURLcode code);
  [[nodiscard]] std::exception_ptr why_incomplete(CURLcode code) const;
  void answer(std::size_t i, PieceAnswer given, bool may_retry);
  [[nodiscard]] std::string what() const;

  const HttpSourceOptions& options_;
  const PieceValidator& validator_;
  PiecePools::Lease pool_;
  const OnAnswer& on_answer_;
  CurlRequest request_;

  std::vector<WantedPiece> wanted_;
  std::vector<bool> is_answered_;
  std::size_t n_open_ = 0;
  std::vector<std::uint8_t> body_to_send_;

  // The response so far.
  std::optional<PieceFrameReader> frames_;
  std::span<std::uint8_t> missing_;  // of a single piece
  std::size_t n_received_ = 0;
  std::string text_;           // how the body begins
  std::exception_ptr broken_;  // what is wrong with the bytes
  std::exception_ptr failure_of_sink_;
};

}  // namespace furrow
