// SPDX-License-Identifier: Apache-2.0
// What PieceSources does for one call: rounds over its sources until every piece has an answer.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <iterator>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "host/pieces/piece_sources.hpp"
#include "host/pieces/source_asking.hpp"

namespace furrow {

/// One call of get_pieces.
class PieceSources::Batch {
 public:
  Batch(PieceSources& owner, std::span<const PieceIndex> indices, const Sink& sink,
        std::stop_token stop)
      : owner_(owner),
        sink_(sink),
        stop_(std::move(stop)),
        n_missing_(indices.size()),
        watch_(owner.options_.on_stall, owner.options_.stall_time, indices.size()) {
    for (const PieceIndex index : indices) {
      left_.push_back({index, std::vector<SourceVerdict>(owner.sources_.size())});
    }
  }

  void run() {
    while (true) {
      const std::uint64_t n_changes = changes_so_far();
      for (std::size_t i = 0; i < owner_.sources_.size(); ++i) {
        if (left_.empty() || stop_.stop_requested()) {
          return;
        }
        if (may_ask(i)) {
          ask(i);
        }
      }
      if (stop_.stop_requested()) {
        return;
      }
      const Clock::time_point next = answer_what_is_settled();
      if (left_.empty()) {
        return;
      }
      owner_.wait_until(next, n_changes, stop_);
    }
  }

 private:
  [[nodiscard]] std::uint64_t changes_so_far() const {
    const Lock lock(owner_.mutex_);
    return owner_.n_changes_;
  }

  [[nodiscard]] std::uint64_t generation_of(std::size_t i) const {
    const Lock lock(owner_.mutex_);
    return owner_.states_[i].generation();
  }
  [[nodiscard]] std::optional<PieceIndex> last_found_of(std::size_t i) const {
    const Lock lock(owner_.mutex_);
    return owner_.states_[i].last_found();
  }

  /// False, and noted with the pieces, when the source is away or given up.
  bool may_ask(std::size_t i) {
    const Lock lock(owner_.mutex_);
    const SourceState& state = owner_.states_[i];
    if (state.may_be_asked(owner_.options_.now())) {
      return true;
    }
    for (UngivenPiece& piece : left_) {
      SourceVerdict& said = piece.said[i];
      if (said.kind == SourceVerdict::Kind::kOpen) {
        said.text = "not asked, because " + state.last_failure();
      }
    }
    return false;
  }

  /// Gives the answers that no waiting would change. When to ask again for the rest.
  Clock::time_point answer_what_is_settled() {
    std::vector<UngivenPiece> settled;
    Clock::time_point next = Clock::time_point::max();
    {
      const Lock lock(owner_.mutex_);
      if (left_.empty()) {
        return next;
      }
      throw_if_none_is_left();
      const Clock::time_point now = owner_.options_.now();
      std::vector<UngivenPiece> open;
      for (UngivenPiece& piece : left_) {
        const Clock::time_point again = ask_again_at(piece, now);
        next = std::min(next, again);
        (again == Clock::time_point::max() ? settled : open).push_back(std::move(piece));
      }
      left_ = std::move(open);
    }
    for (const UngivenPiece& piece : settled) {
      watch_.hears(--n_missing_);
      sink_(piece.index, answer_for(piece));
    }
    return next;
  }

  /// The farthest time for a piece that is not to be asked for again.
  [[nodiscard]] Clock::time_point ask_again_at(const UngivenPiece& piece,
                                               Clock::time_point now) const
      FURROW_REQUIRES(owner_.mutex_) {
    const bool has_answer = std::any_of(
        piece.said.begin(), piece.said.end(),
        [](const SourceVerdict& said) { return said.kind != SourceVerdict::Kind::kOpen; });
    Clock::time_point result = Clock::time_point::max();
    for (std::size_t i = 0; i < piece.said.size(); ++i) {
      const SourceState& state = owner_.states_[i];
      if (piece.said[i].kind != SourceVerdict::Kind::kOpen || state.is_given_up()) {
        continue;
      }
      if (!state.is_away()) {
        return now;  // it has come back meanwhile
      }
      const Clock::time_point patient_until = state.away_since() + owner_.options_.patience;
      if (!has_answer) {
        result = std::min(result, state.retry_at());
      } else if (now < patient_until) {
        result = std::min({result, state.retry_at(), patient_until});
      }
    }
    return result;
  }

  void throw_if_none_is_left() const FURROW_REQUIRES(owner_.mutex_) {
    std::string said;
    for (const SourceState& state : owner_.states_) {
      if (!state.is_given_up()) {
        return;
      }
      said += (said.empty() ? "" : "; ") + state.source().name + ": " + state.last_failure();
    }
    throw NoSourceLeft(owner_.states_.front().given_up_for(),
                       "no source of pieces is left: " + said);
  }

  [[nodiscard]] PieceAnswer answer_for(const UngivenPiece& piece) const {
    std::string text;
    bool is_lacking = true;
    for (std::size_t i = 0; i < piece.said.size(); ++i) {
      const SourceVerdict& said = piece.said[i];
      is_lacking = is_lacking && said.kind == SourceVerdict::Kind::kLacks;
      text += (text.empty() ? "" : "; ") + owner_.name(i) + ": " + said.text;
    }
    return is_lacking
               ? PieceAnswer::not_found()
               : PieceAnswer::failed(std::make_exception_ptr(AllSourcesFailed(piece.index, text)));
  }

  void ask(std::size_t i) {
    SourceAsking asking(owner_.sources_[i], i, generation_of(i), left_,
                        owner_.options_.on_bad_answer);
    if (asking.is_empty()) {
      return;
    }
    watch_.asks(owner_.name(i));
    asking.ask([this](PieceIndex index, PieceAnswer answer) { pass_on(index, std::move(answer)); },
               stop_);
    watch_.asks({});
    if (stop_.stop_requested()) {
      return;
    }
    asking.conclude([this, i] { return last_found_of(i); }, stop_);
    std::vector<UngivenPiece> rest = asking.take_rest();
    std::move(rest.begin(), rest.end(), std::back_inserter(left_));
    owner_.settle(i, asking.outcome());
  }

  void pass_on(PieceIndex index, PieceAnswer answer) {
    if (answer.piece == nullptr) {
      watch_.hears(n_missing_);  // another source may have it
      return;
    }
    watch_.hears(--n_missing_);
    sink_(index, std::move(answer));
  }

  PieceSources& owner_;
  const Sink& sink_;
  std::stop_token stop_;
  std::size_t n_missing_;
  StallWatch watch_;
  std::vector<UngivenPiece> left_;
};

}  // namespace furrow
