// SPDX-License-Identifier: Apache-2.0
#include "host/pieces/piece_sources.hpp"

#include <algorithm>
#include <unordered_map>
#include <utility>

#include "host/archive/piece_validation.hpp"

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

AllSourcesFailed::AllSourcesFailed(PieceIndex piece, const std::string& said)
    : Error(ErrorKind::kUnavailable, describe_piece(piece) + ": " + said,
            {.piece_index = piece.value()}) {}

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
      left_.push_back({index, std::vector<Said>(owner.sources_.size())});
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
  /// What a source said of a piece in this batch.
  struct Said {
    enum class Verdict { kOpen, kLacks, kFails };
    Verdict verdict = Verdict::kOpen;
    unsigned n_passing = 0;
    std::string text;
  };
  /// A piece that no source gave so far.
  struct Left {
    PieceIndex index;
    std::vector<Said> said;  // by source
  };

  [[nodiscard]] std::uint64_t changes_so_far() const {
    const std::lock_guard lock(owner_.mutex_);
    return owner_.n_changes_;
  }

  /// False, and noted with the pieces, when the source is away or given up.
  bool may_ask(std::size_t i) {
    const SourceState& state = owner_.sources_[i];
    const std::lock_guard lock(owner_.mutex_);
    if (state.may_be_asked(owner_.options_.now())) {
      return true;
    }
    for (Left& piece : left_) {
      Said& said = piece.said[i];
      if (said.verdict == Said::Verdict::kOpen) {
        said.text = "not asked, because " + state.last_failure();
      }
    }
    return false;
  }

  /// Gives the answers that no waiting would change. When to ask again for the rest.
  Clock::time_point answer_what_is_settled() {
    std::vector<Left> settled;
    Clock::time_point next = Clock::time_point::max();
    {
      const std::lock_guard lock(owner_.mutex_);
      if (left_.empty()) {
        return next;
      }
      throw_if_none_is_left();
      const Clock::time_point now = owner_.options_.now();
      std::vector<Left> open;
      for (Left& piece : left_) {
        const Clock::time_point again = ask_again_at(piece, now);
        next = std::min(next, again);
        (again == Clock::time_point::max() ? settled : open).push_back(std::move(piece));
      }
      left_ = std::move(open);
    }
    for (const Left& piece : settled) {
      watch_.hears(--n_missing_);
      sink_(piece.index, answer_for(piece));
    }
    return next;
  }

  /// The farthest time for a piece that is not to be asked for again. Holds the lock.
  [[nodiscard]] Clock::time_point ask_again_at(const Left& piece, Clock::time_point now) const {
    const bool has_answer = std::any_of(piece.said.begin(), piece.said.end(), [](const Said& said) {
      return said.verdict != Said::Verdict::kOpen;
    });
    Clock::time_point result = Clock::time_point::max();
    for (std::size_t i = 0; i < piece.said.size(); ++i) {
      const SourceState& state = owner_.sources_[i];
      if (piece.said[i].verdict != Said::Verdict::kOpen || state.is_given_up()) {
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

  /// Holds the lock.
  void throw_if_none_is_left() const {
    std::string said;
    for (const SourceState& state : owner_.sources_) {
      if (!state.is_given_up()) {
        return;
      }
      said += (said.empty() ? "" : "; ") + state.source().name + ": " + state.last_failure();
    }
    throw NoSourceLeft(owner_.sources_.front().given_up_for(),
                       "no source of pieces is left: " + said);
  }

  [[nodiscard]] PieceAnswer answer_for(const Left& piece) const {
    std::string text;
    bool is_lacking = true;
    for (std::size_t i = 0; i < piece.said.size(); ++i) {
      const Said& said = piece.said[i];
      is_lacking = is_lacking && said.verdict == Said::Verdict::kLacks;
      text += (text.empty() ? "" : "; ") + owner_.name(i) + ": " + said.text;
    }
    return is_lacking
               ? PieceAnswer::not_found()
               : PieceAnswer::failed(std::make_exception_ptr(AllSourcesFailed(piece.index, text)));
  }

  /// What one source is asked for at a time, and what came of it.
  struct Asking {
    std::size_t source = 0;
    std::unordered_multimap<std::uint64_t, Left> open;
    SourceState::Outcome outcome;
    std::vector<std::pair<Left, std::exception_ptr>> passing;
  };

  void ask(std::size_t i) {
    const PieceSource& source = owner_.sources_[i].source();
    Asking asking;
    asking.source = i;
    std::vector<PieceIndex> indices;
    std::vector<Left> others;
    for (Left& piece : left_) {
      if (piece.said[i].verdict == Said::Verdict::kOpen) {
        indices.push_back(piece.index);
        asking.open.emplace(piece.index.value(), std::move(piece));
      } else {
        others.push_back(std::move(piece));
      }
    }
    left_ = std::move(others);
    if (indices.empty()) {
      return;
    }
    watch_.asks(source.name);
    asking.outcome.generation = owner_.generation_of(i);
    asking.outcome.counted.asked = indices.size();
    bool has_sink_thrown = false;
    std::exception_ptr thrown;
    try {
      source.getter->get_pieces(
          indices,
          [&](PieceIndex index, PieceAnswer answer) {
            const auto found = asking.open.find(index.value());
            if (found == asking.open.end()) {
              return;  // not asked for
            }
            Left piece = std::move(found->second);
            asking.open.erase(found);
            if (answer.piece == nullptr) {
              take_refusal(asking, std::move(piece), answer.error);
              return;
            }
            ++asking.outcome.counted.found;
            asking.outcome.counted.bytes += kPieceSize;
            asking.outcome.has_answered = true;
            asking.outcome.last_found = index;
            watch_.hears(--n_missing_);
            has_sink_thrown = true;
            sink_(index, std::move(answer));
            has_sink_thrown = false;
          },
          stop_);
    } catch (...) {
      if (has_sink_thrown) {
        throw;
      }
      thrown = std::current_exception();
    }
    watch_.asks({});
    if (stop_.stop_requested()) {
      return;
    }
    end(asking, thrown);
  }

  /// An answer without a piece.
  void take_refusal(Asking& asking, Left piece, const std::exception_ptr& error) {
    watch_.hears(n_missing_);
    Said& said = piece.said[asking.source];
    if (error == nullptr) {
      ++asking.outcome.counted.not_found;
      asking.outcome.has_answered = true;
      said.verdict = Said::Verdict::kLacks;
      said.text = "not there";
    } else {
      ++asking.outcome.counted.failed;
      said.text = message_of(error);
      const PieceFault fault = fault_of(error);
      if (is_of_the_source(fault)) {
        asking.outcome.whole_failure = error;
      } else {
        ++asking.outcome.counted.faults[static_cast<std::size_t>(fault)];
        if (is_passing(fault)) {
          asking.passing.emplace_back(std::move(piece), error);
          return;
        }
        asking.outcome.has_answered = true;
        fails(asking, piece, error);
      }
    }
    left_.push_back(std::move(piece));
  }

  void fails(const Asking& asking, Left& piece, const std::exception_ptr& error) {
    piece.said[asking.source].verdict = Said::Verdict::kFails;
    if (owner_.options_.on_bad_answer) {
      owner_.options_.on_bad_answer(owner_.sources_[asking.source].source(), piece.index, error);
    }
  }

  void end(Asking& asking, const std::exception_ptr& thrown) {
    const PieceSource& source = owner_.sources_[asking.source].source();
    if (thrown != nullptr && is_whole_failure(source, thrown)) {
      asking.outcome.whole_failure = thrown;
    }
    // The source did not say a word about these.
    const std::exception_ptr why =
        thrown != nullptr ? thrown
        : asking.outcome.whole_failure != nullptr
            ? asking.outcome.whole_failure
            : std::make_exception_ptr(Error(ErrorKind::kUnavailable, "no answer"));
    for (auto& [index, piece] : asking.open) {
      ++asking.outcome.counted.failed;
      piece.said[asking.source].text = message_of(why);
      if (asking.outcome.whole_failure == nullptr) {
        ++asking.outcome.counted.faults[static_cast<std::size_t>(fault_of(why))];
        fails(asking, piece, why);
      }
      left_.push_back(std::move(piece));
    }
    // Faults of the moment and nothing else: it is away. Else those pieces are what is wrong,
    // unless the source went away after it had answered others.
    SourceState::Outcome& outcome = asking.outcome;
    bool is_there =
        outcome.whole_failure == nullptr && outcome.counted.found + outcome.counted.not_found != 0;
    if (!is_there && outcome.whole_failure == nullptr && is_one_for_long(asking)) {
      is_there = gives_others(asking.source);
      outcome.has_answered = outcome.has_answered || is_there;
    }
    for (auto& [piece, error] : asking.passing) {
      if (is_there) {
        fails(asking, piece, error);
      } else {
        ++piece.said[asking.source].n_passing;
        if (outcome.whole_failure == nullptr) {
          outcome.whole_failure = error;
        }
      }
      left_.push_back(std::move(piece));
    }
    owner_.settle(owner_.sources_[asking.source], outcome);
  }

  /// Whether a piece has met with faults of the moment so often that it may be its own fault.
  [[nodiscard]] static bool is_one_for_long(const Asking& asking) {
    return std::any_of(asking.passing.begin(), asking.passing.end(), [&](const auto& passing) {
      return passing.first.said[asking.source].n_passing + 1 >= kMostPassing;
    });
  }

  /// Whether the source gives a piece that it gave before. It is not counted, as nobody wants it.
  [[nodiscard]] bool gives_others(std::size_t i) {
    std::optional<PieceIndex> known;
    {
      const std::lock_guard lock(owner_.mutex_);
      known = owner_.sources_[i].last_found();
    }
    bool is_given = false;
    if (known.has_value()) {
      try {
        owner_.sources_[i].source().getter->get_pieces(
            std::span(&*known, 1),
            [&](PieceIndex, const PieceAnswer& answer) {
              is_given = is_given || answer.piece != nullptr;
            },
            stop_);
      } catch (...) {
        // What the source says of pieces that are wanted says why.
      }
    }
    return is_given;
  }

  PieceSources& owner_;
  const Sink& sink_;
  std::stop_token stop_;
  std::size_t n_missing_;
  StallWatch watch_;
  std::vector<Left> left_;
};

PieceSources::PieceSources(std::vector<PieceSource> sources, PieceSourcesOptions options)
    : options_(std::move(options)) {
  if (sources.empty()) {
    throw InvalidArgument("expected at least one source of pieces, actual 0");
  }
  for (PieceSource& source : sources) {
    sources_.emplace_back(std::move(source));
  }
}
PieceSources::~PieceSources() = default;

void PieceSources::get_pieces(std::span<const PieceIndex> indices, const Sink& sink,
                              std::stop_token stop) {
  if (!indices.empty()) {
    Batch(*this, indices, sink, std::move(stop)).run();
  }
}

void PieceSources::settle(SourceState& state, const SourceState::Outcome& outcome) {
  std::optional<PieceSourceEvent> event;
  {
    const std::lock_guard lock(mutex_);
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

std::uint64_t PieceSources::generation_of(std::size_t source) const {
  const std::lock_guard lock(mutex_);
  return sources_[source].generation();
}

void PieceSources::report_faults() {
  {
    const std::lock_guard lock(mutex_);
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
  std::unique_lock lock(mutex_);
  changed_.wait_until(lock, stop, until, [&] { return n_changes_ != n_changes; });
}

const std::string& PieceSources::name(std::size_t source) const {
  return sources_.at(source).source().name;
}

PieceSourceCounters PieceSources::counters(std::size_t source) const {
  const std::lock_guard lock(mutex_);
  return sources_.at(source).counters();
}

bool PieceSources::may_change() const {
  const std::lock_guard lock(mutex_);
  return std::any_of(sources_.begin(), sources_.end(),
                     [](const SourceState& state) { return state.may_change(); });
}

}  // namespace furrow
