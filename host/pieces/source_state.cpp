// SPDX-License-Identifier: Apache-2.0
#include "host/pieces/source_state.hpp"

#include <algorithm>
#include <utility>

#include "host/base/foreign_error.hpp"

namespace furrow {

std::string faults_text(const PieceSourceCounters& counters) {
  std::string text;
  for (std::size_t i = 0; i < kPieceFaults; ++i) {
    if (counters.faults[i] != 0) {
      text += (text.empty() ? "" : ", ") + std::to_string(counters.faults[i]) + " " +
              words_for(static_cast<PieceFault>(i));
    }
  }
  return text;
}

std::optional<PieceSourceEvent> SourceState::take(const Outcome& outcome, Clock::time_point now,
                                                  const Backoff& backoff) {
  counters_.asked += outcome.counted.asked;
  counters_.found += outcome.counted.found;
  counters_.not_found += outcome.counted.not_found;
  counters_.failed += outcome.counted.failed;
  counters_.bytes += outcome.counted.bytes;
  for (std::size_t i = 0; i < kPieceFaults; ++i) {
    counters_.faults[i] += outcome.counted.faults[i];
  }
  if (outcome.last_found.has_value()) {
    last_found_ = outcome.last_found;
  }
  if (outcome.whole_failure != nullptr) {
    return fail(outcome, now, backoff);
  }
  if (is_away() && outcome.has_answered && outcome.generation == generation_) {
    n_failures_ = 0;
    ++generation_;
    return PieceSourceEvent{source_.name, PieceSourceEvent::Change::kBack, {}};
  }
  return std::nullopt;
}

std::optional<PieceSourceEvent> SourceState::fail(const Outcome& outcome, Clock::time_point now,
                                                  const Backoff& backoff) {
  const std::exception_ptr& failure = outcome.whole_failure;
  const PieceFault fault = fault_of(failure);
  if (!is_passing(fault)) {  // those were counted piece by piece
    ++counters_.faults[static_cast<std::size_t>(fault)];
  }
  const bool is_refused = is_refusal(fault);
  if (!source_.may_return || (is_refused && !last_found_.has_value())) {
    last_failure_ = message_of(failure);
    given_up_for_ = kind_of(failure);
    if (std::exchange(is_given_up_, true)) {
      return std::nullopt;
    }
    ++generation_;
    return PieceSourceEvent{source_.name, PieceSourceEvent::Change::kGivenUp, last_failure_};
  }
  if (outcome.generation != generation_) {
    return std::nullopt;  // of batches that failed together, one counts
  }
  if (outcome.counted.found + outcome.counted.not_found != 0) {
    n_failures_ = 0;  // it was back meanwhile
  }
  const bool is_new = n_failures_ == 0 || last_fault_ != fault;
  if (n_failures_ == 0) {
    away_since_ = now;
  }
  last_failure_ = message_of(failure);
  last_fault_ = fault;
  retry_at_ = now + std::min(backoff.first * (1U << std::min(n_failures_, 20U)), backoff.longest);
  ++n_failures_;
  ++generation_;
  return is_new ? std::optional(PieceSourceEvent{source_.name,
                                                 is_refused ? PieceSourceEvent::Change::kRefuses
                                                            : PieceSourceEvent::Change::kAway,
                                                 last_failure_})
                : std::nullopt;
}

}  // namespace furrow
