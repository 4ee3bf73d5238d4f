// SPDX-License-Identifier: Apache-2.0
// One source, asked once for the pieces of a batch that it may have.
#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <optional>
#include <stop_token>
#include <unordered_map>
#include <utility>
#include <vector>

#include "furrow/piece_getter.hpp"

#include "host/base/observer.hpp"
#include "host/pieces/source_state.hpp"
#include "host/pieces/ungiven_piece.hpp"

namespace furrow {

/// To be used in this order: ask(), conclude(), take_rest() and outcome(). For one thread.
class SourceAsking {
 public:
  using OnBadAnswer = Observer<const PieceSource&, PieceIndex, const std::exception_ptr&>;
  /// A piece that the source gave before; none when it has given none.
  using KnownPiece = std::function<std::optional<PieceIndex>()>;

  /// `number` is that of the source, whose state has that generation now. Takes those of `pieces`
  /// of which the source has said nothing final. Source and observer outlive this.
  SourceAsking(const PieceSource& source, std::size_t number, std::uint64_t generation,
               std::vector<UngivenPiece>& pieces, const OnBadAnswer& on_bad_answer);

  /// Whether there is nothing to ask for.
  [[nodiscard]] bool is_empty() const { return indices_.empty(); }
  /// Asks. `sink` gets each answer to what was asked for, also one without a piece; what it throws
  /// comes out, and nothing that the source throws.
  void ask(const PieceGetter::Sink& sink, const std::stop_token& stop);
  /// Decides what the answers, and their absence, say of the pieces and of the source. It may be
  /// asked once more, for the known piece. Not after a stop request.
  void conclude(const KnownPiece& known, const std::stop_token& stop);

  /// The pieces that were not given, each with what was said of it.
  [[nodiscard]] std::vector<UngivenPiece> take_rest() { return std::move(rest_); }
  [[nodiscard]] const SourceState::Outcome& outcome() const { return outcome_; }

 private:
  void take_answer(PieceIndex index, PieceAnswer answer, const PieceGetter::Sink& sink);
  void take_refusal(UngivenPiece piece, const std::exception_ptr& error);
  void fails(UngivenPiece& piece, const std::exception_ptr& error) const;
  void take_silence();
  [[nodiscard]] bool has_long_passing() const;
  [[nodiscard]] bool gives_known(const KnownPiece& known, const std::stop_token& stop) const;
  SourceVerdict& verdict_on(UngivenPiece& piece) const { return piece.said[number_]; }

  const PieceSource& source_;
  const std::size_t number_;
  const OnBadAnswer& on_bad_answer_;
  std::vector<PieceIndex> indices_;
  std::unordered_multimap<std::uint64_t, UngivenPiece> open_;  // without an answer
  /// Met with faults of the moment: theirs or the source's is not known before the end.
  std::vector<std::pair<UngivenPiece, std::exception_ptr>> passing_;
  std::vector<UngivenPiece> rest_;
  std::exception_ptr thrown_;
  SourceState::Outcome outcome_;
};

}  // namespace furrow
