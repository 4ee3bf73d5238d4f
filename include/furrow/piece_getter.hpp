// SPDX-License-Identifier: Apache-2.0
// Where pieces come from.
#pragma once

#include <exception>
#include <functional>
#include <span>
#include <stop_token>
#include <string>
#include <variant>

#include "furrow/errors.hpp"
#include "furrow/piece.hpp"

namespace furrow {

/// Answer for one piece of type P: found, not found (both members empty), or failed with an error.
template <class P>
struct PieceAnswerOf {
  std::shared_ptr<const P> piece;
  std::exception_ptr error;

  static PieceAnswerOf found(std::shared_ptr<const P> piece) { return {std::move(piece), nullptr}; }
  static PieceAnswerOf not_found() { return {nullptr, nullptr}; }
  static PieceAnswerOf failed(std::exception_ptr error) { return {nullptr, std::move(error)}; }
};

/// A source of pieces of archived history, of type P. Implementations validate what they return: the plotter
/// does not verify pieces again (docs/spec/03, section 1).
template <class P>
class PieceGetterOf {
 public:
  using Sink = std::function<void(PieceIndex, PieceAnswerOf<P>)>;

  PieceGetterOf() = default;
  PieceGetterOf(const PieceGetterOf&) = delete;
  PieceGetterOf& operator=(const PieceGetterOf&) = delete;
  virtual ~PieceGetterOf() = default;

  /// Asks for all of `indices` as one batch and calls `sink` once for each, in any order, as
  /// answers arrive. Calls of `sink` do not overlap and happen before this function returns. Throws
  /// when the request as a whole fails. After a stop request it may return early, leaving indices
  /// unanswered.
  ///
  /// Thread-safe: several batches may be under way at once.
  virtual void get_pieces(std::span<const PieceIndex> indices, const Sink& sink,
                          std::stop_token stop) = 0;
};

using PieceAnswer = PieceAnswerOf<Piece>;
using PieceGetter = PieceGetterOf<Piece>;
using AutonomysPieceAnswer = PieceAnswerOf<AutonomysPiece>;
using AutonomysPieceGetter = PieceGetterOf<AutonomysPiece>;

/// Where a plotter gets its pieces: from a getter of one of the networks. The getter must outlive it.
class PieceGetterRef {
 public:
  PieceGetterRef(PieceGetter& getter) : getter_(&getter) {}           // NOLINT: it is a getter
  PieceGetterRef(AutonomysPieceGetter& getter) : getter_(&getter) {}  // NOLINT: likewise

  [[nodiscard]] Network network() const noexcept {
    return std::holds_alternative<PieceGetter*>(getter_) ? Network::kAbundance
                                                         : Network::kAutonomys;
  }
  /// Calls `use` with the getter itself.
  template <class Use>
  decltype(auto) visit(const Use& use) const {
    return std::visit([&](auto* getter) -> decltype(auto) { return use(*getter); }, getter_);
  }

 private:
  std::variant<PieceGetter*, AutonomysPieceGetter*> getter_;
};

}  // namespace furrow
