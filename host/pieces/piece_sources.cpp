// SPDX-License-Identifier: Apache-2.0
#include "host/pieces/piece_sources.hpp"

#include <algorithm>
#include <utility>

#include "host/archive/piece_validation.hpp"
#include "host/pieces/piece_sources_batch.hpp"

namespace furrow {
AllSourcesFailed::AllSourcesFailed(PieceIndex piece, const std::string& said)
    : Error(ErrorKind::kUnavailable, describe_piece(piece) + ": " + said,
            {.piece_index = piece.value()}) {}

PieceSources::PieceSources(std::vector<PieceSource> sources, PieceSourcesOptions options)
    : options_(std::move(options)), sources_(std::move(sources)) {
  if (sources_.empty()) {
    throw InvalidArgument("expected at least one source of pieces, actual 0");
  }
  for (const PieceSource& source : sources_) {
    states_.emplace_back(source);
  }
}
PieceSources::~PieceSources() = default;

void PieceSources::get_pieces(std::span<const PieceIndex> indices, const Sink& sink,
                              std::stop_token stop) {
  if (!indices.empty()) {
    Batch(*this, indices, sink, std::move(stop)).run();
  }
}

void PieceSources::settle(std::size_t source, const SourceState::Outcome& outcome) {
  std::optional<PieceSourceEvent> event;
  {
    const Lock lock(mutex_);
    SourceState& state = states_[source];
    const auto faults_before = state.counters().faults;
    const bool had_faults = state.counters().has_faults();
    const std::uint64_t generation = state.generation();
    const bool was_away = state.is_away();
    event = state.take(outcome, options_.now(), {options_.backoff, options_.max_backoff});
    has_new_faults_ = has_new_faults_ || state.counters().faults != faults_before;
    has_first_fault_ = has_first_fault_ || (!had_faults && state.counters().has_faults());
    const bool is_back = was_away && !state.is_away();
    if (generation != state.generation() && (is_back || state.is_given_up())) {
      ++n_changes_;
    }
  }
  changed_.notify_all();
  if (event.has_value() && options_.on_event) {
    options_.on_event(*event);
  }
  report_faults();
}

void PieceSources::report_faults() {
  {
    const Lock lock(mutex_);
    const Clock::time_point now = options_.now();
    if (!options_.on_faults || !has_new_faults_ ||
        (last_report_.has_value() && !has_first_fault_ &&
         now - *last_report_ < options_.fault_report_time)) {
      return;
    }
    has_new_faults_ = false;
    has_first_fault_ = false;
    last_report_ = now;
  }
  options_.on_faults();
}

/// Until that time, a stop request, or until a source has come back or was given up.
void PieceSources::wait_until(Clock::time_point until, std::uint64_t n_changes,
                              const std::stop_token& stop) {
  if (options_.sleep_until) {
    options_.sleep_until(until, stop);
    return;
  }
  const Lock lock(mutex_);
  changed_.wait_until(mutex_, stop, until,
                      [&]() FURROW_REQUIRES(mutex_) { return n_changes_ != n_changes; });
}

const std::string& PieceSources::name(std::size_t source) const {
  return sources_.at(source).name;
}

PieceSourceCounters PieceSources::counters(std::size_t source) const {
  const Lock lock(mutex_);
  return states_.at(source).counters();
}

bool PieceSources::may_change() const {
  const Lock lock(mutex_);
  return std::any_of(states_.begin(), states_.end(),
                     [](const SourceState& state) { return state.may_change(); });
}

}  // namespace furrow
