// SPDX-License-Identifier: Apache-2.0
// Where pieces come from.
#pragma once

#include <exception>
#include <functional>
#include <span>
#include <stop_token>
#include <string>

#include "furrow/errors.hpp"
#include "furrow/piece.hpp"

namespace furrow {

/// Answer for one piece: found, not found (both members empty), or failed with an error.
struct PieceAnswer {
  PiecePtr piece;
  std::exception_ptr error;

  static PieceAnswer found(PiecePtr piece) { return {std::move(piece), nullptr}; }
  static PieceAnswer not_found() { return {nullptr, nullptr}; }
  static PieceAnswer failed(std::exception_ptr error) { return {nullptr, std::move(error)}; }
};

/// A source of pieces of archived history. Implementations validate what they return: the plotter
/// does not verify pieces again (docs/spec/03, section 1).
class PieceGetter {
 public:
  using Sink = std::function<void(PieceIndex, PieceAnswer)>;

  PieceGetter() = default;
  PieceGetter(const PieceGetter&) = delete;
  PieceGetter& operator=(const PieceGetter&) = delete;
  virtual ~PieceGetter() = default;

  /// Asks for all of `indices` as one batch and calls `sink` once for each, in any order, as
  /// answers arrive. Calls of `sink` do not overlap and happen before this function returns. Throws
  /// when the request as a whole fails. After a stop request it may return early, leaving indices
  /// unanswered.
  ///
  /// Thread-safe: several batches may be under way at once.
  virtual void get_pieces(std::span<const PieceIndex> indices, const Sink& sink,
                          std::stop_token stop) = 0;
};

}  // namespace furrow
