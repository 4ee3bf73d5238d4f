// SPDX-License-Identifier: Apache-2.0
#include "host/pieces/source_asking.hpp"

#include <algorithm>
#include <span>

#include "host/base/foreign_error.hpp"

namespace furrow {
namespace {

/// How often a piece may meet with faults of the moment, in rounds in which its source gave
/// nothing, before the source has to show that it gives others. Each round is several tries of a
/// server.
constexpr unsigned kMostPassing = 5;

/// Whether what a getter threw is the fault of the source as a whole. Servers that throw something
/// unknown may have come to themselves by the next time; a store would be asked again in vain.
bool is_whole_failure(const PieceSource& source, const std::exception_ptr& thrown) {
  return is_of_the_source(fault_of(thrown)) || source.may_return;
}

}  // namespace

SourceAsking::SourceAsking(const PieceSource& source, std::size_t number, std::uint64_t generation,
                           std::vector<UngivenPiece>& pieces, const OnBadAnswer& on_bad_answer)
    : source_(source), number_(number), on_bad_answer_(on_bad_answer) {
  std::vector<UngivenPiece> others;
  for (UngivenPiece& piece : pieces) {
    if (verdict_on(piece).kind == SourceVerdict::Kind::kOpen) {
      indices_.push_back(piece.index);
      open_.emplace(piece.index.value(), std::move(piece));
    } else {
      others.push_back(std::move(piece));
    }
  }
  pieces = std::move(others);
  outcome_.generation = generation;
  outcome_.counted.asked = indices_.size();
}

void SourceAsking::ask(const PieceGetter::Sink& sink, const std::stop_token& stop) {
  bool has_sink_thrown = false;
  try {
    source_.getter->get_pieces(
        indices_,
        [&](PieceIndex index, PieceAnswer answer) {
          has_sink_thrown = true;
          take_answer(index, std::move(answer), sink);
          has_sink_thrown = false;
        },
        stop);
  } catch (...) {
    if (has_sink_thrown) {
      throw;
    }
    thrown_ = std::current_exception();
  }
}

void SourceAsking::take_answer(PieceIndex index, PieceAnswer answer,
                               const PieceGetter::Sink& sink) {
  const auto found = open_.find(index.value());
  if (found == open_.end()) {
    return;  // not asked for
  }
  UngivenPiece piece = std::move(found->second);
  open_.erase(found);
  if (answer.piece == nullptr) {
    take_refusal(std::move(piece), answer.error);
  } else {
    ++outcome_.counted.found;
    outcome_.counted.bytes += kPieceSize;
    outcome_.has_answered = true;
    outcome_.last_found = index;
  }
  sink(index, std::move(answer));
}

void SourceAsking::take_refusal(UngivenPiece piece, const std::exception_ptr& error) {
  SourceVerdict& verdict = verdict_on(piece);
  if (error == nullptr) {
    ++outcome_.counted.not_found;
    outcome_.has_answered = true;
    verdict.kind = SourceVerdict::Kind::kLacks;
    verdict.text = "not there";
    rest_.push_back(std::move(piece));
    return;
  }
  ++outcome_.counted.failed;
  verdict.text = message_of(error);
  const PieceFault fault = fault_of(error);
  if (is_of_the_source(fault)) {
    outcome_.whole_failure = error;
    rest_.push_back(std::move(piece));
    return;
  }
  ++outcome_.counted.faults[static_cast<std::size_t>(fault)];
  if (is_passing(fault)) {
    passing_.emplace_back(std::move(piece), error);
    return;
  }
  outcome_.has_answered = true;
  fails(piece, error);
  rest_.push_back(std::move(piece));
}

void SourceAsking::fails(UngivenPiece& piece, const std::exception_ptr& error) const {
  verdict_on(piece).kind = SourceVerdict::Kind::kFails;
  on_bad_answer_(source_, piece.index, error);
}

void SourceAsking::conclude(const KnownPiece& known, const std::stop_token& stop) {
  if (thrown_ != nullptr && is_whole_failure(source_, thrown_)) {
    outcome_.whole_failure = thrown_;
  }
  take_silence();
  // Faults of the moment and nothing else: it is away. Else those pieces are what is wrong, unless
  // the source went away after it had answered others.
  bool is_there =
      outcome_.whole_failure == nullptr && outcome_.counted.found + outcome_.counted.not_found != 0;
  if (!is_there && outcome_.whole_failure == nullptr && has_long_passing()) {
    is_there = gives_known(known, stop);
    outcome_.has_answered = outcome_.has_answered || is_there;
  }
  for (auto& [piece, error] : passing_) {
    if (is_there) {
      fails(piece, error);
    } else {
      ++verdict_on(piece).n_passing;
      if (outcome_.whole_failure == nullptr) {
        outcome_.whole_failure = error;
      }
    }
    rest_.push_back(std::move(piece));
  }
}

/// Of those the source did not say a word about.
void SourceAsking::take_silence() {
  const std::exception_ptr why =
      thrown_ != nullptr ? thrown_
      : outcome_.whole_failure != nullptr
          ? outcome_.whole_failure
          : std::make_exception_ptr(Error(ErrorKind::kUnavailable, "no answer"));
  for (auto& [index, piece] : open_) {
    ++outcome_.counted.failed;
    verdict_on(piece).text = message_of(why);
    if (outcome_.whole_failure == nullptr) {
      ++outcome_.counted.faults[static_cast<std::size_t>(fault_of(why))];
      fails(piece, why);
    }
    rest_.push_back(std::move(piece));
  }
  open_.clear();
}

/// Whether a piece has met with faults of the moment so often that it may be its own fault.
bool SourceAsking::has_long_passing() const {
  return std::any_of(passing_.begin(), passing_.end(), [&](const auto& passing) {
    return passing.first.said[number_].n_passing + 1 >= kMostPassing;
  });
}

/// Whether the source gives a piece that it gave before. It is not counted, as nobody wants it.
bool SourceAsking::gives_known(const KnownPiece& known, const std::stop_token& stop) const {
  const std::optional<PieceIndex> index = known();
  bool is_given = false;
  if (index.has_value()) {
    try {
      source_.getter->get_pieces(
          std::span(&*index, 1),
          [&](PieceIndex, const PieceAnswer& answer) {
            is_given = is_given || answer.piece != nullptr;
          },
          stop);
    } catch (...) {
      // What the source says of pieces that are wanted says why.
    }
  }
  return is_given;
}

}  // namespace furrow
