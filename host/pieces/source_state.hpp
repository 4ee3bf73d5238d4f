// SPDX-License-Identifier: Apache-2.0
// One of several sources of pieces: what it gave, and whether it is to be asked now.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <string>

#include "furrow/piece_getter.hpp"

#include "host/pieces/source_errors.hpp"

namespace furrow {

struct PieceSource {
  std::string name;  ///< as it may be shown: without a password
  std::unique_ptr<PieceGetter> getter;
  /// Whether it may come back once it is away, as servers do. A store on a disk that is gone is
  /// gone.
  bool may_return = true;
};

/// What a source was asked for, and said.
struct PieceSourceCounters {
  std::uint64_t asked = 0;
  std::uint64_t found = 0;
  std::uint64_t not_found = 0;
  std::uint64_t failed = 0;
  std::uint64_t bytes = 0;
  /// How often each thing was wrong: once for each piece, or once for a batch where the source as a
  /// whole failed.
  std::array<std::uint64_t, kPieceFaults> faults{};

  [[nodiscard]] bool has_faults() const { return faults != decltype(faults){}; }
};
/// The faults in words, such as "3 damaged, 1 wrong"; empty when there were none.
std::string faults_text(const PieceSourceCounters& counters);

/// Something about a source that is worth one line.
struct PieceSourceEvent {
  enum class Change {
    kAway,     ///< it does not answer; it is asked again after its back-off
    kRefuses,  ///< it refuses, after it has served; it is asked again after its back-off
    kBack,     ///< it answers again
    kGivenUp,  ///< it is not asked again in this run
  };
  std::string name;
  Change change = Change::kAway;
  std::string message;  ///< of the error; empty for kBack
};

/// Whether a source is to be asked, as its answers have shown. Not thread-safe.
class SourceState {
 public:
  using Clock = std::chrono::steady_clock;
  /// How long a source that is away is left alone: the first time, and at most.
  struct Backoff {
    std::chrono::milliseconds first;
    std::chrono::milliseconds longest;
  };
  /// What came of asking once.
  struct Outcome {
    PieceSourceCounters counted;
    /// Whether it said anything about a piece, even that it is damaged.
    bool has_answered = false;
    /// Why it gave nothing more; null when it was there to the end.
    std::exception_ptr whole_failure = {};
    /// generation() when the asking began.
    std::uint64_t generation = 0;
    std::optional<PieceIndex> last_found = {};
  };

  /// The source outlives it.
  explicit SourceState(const PieceSource& source) : source_(source) {}

  [[nodiscard]] const PieceSource& source() const { return source_; }
  [[nodiscard]] const PieceSourceCounters& counters() const { return counters_; }
  /// Changes when it goes away, fails once more, comes back or is given up: what was asked before
  /// says nothing of the time after.
  [[nodiscard]] std::uint64_t generation() const { return generation_; }
  [[nodiscard]] bool is_given_up() const { return is_given_up_; }
  [[nodiscard]] bool is_away() const { return n_failures_ != 0; }
  [[nodiscard]] bool may_be_asked(Clock::time_point now) const {
    return !is_given_up_ && (!is_away() || now >= retry_at_);
  }
  /// Whether time may change what it says.
  [[nodiscard]] bool may_change() const { return source_.may_return && !is_given_up_; }
  [[nodiscard]] Clock::time_point away_since() const { return away_since_; }
  [[nodiscard]] Clock::time_point retry_at() const { return retry_at_; }
  [[nodiscard]] const std::string& last_failure() const { return last_failure_; }
  [[nodiscard]] ErrorKind given_up_for() const { return given_up_for_; }
  /// A piece that it gave; none when it has given none.
  [[nodiscard]] const std::optional<PieceIndex>& last_found() const { return last_found_; }

  /// Takes note of an outcome; what is to be said of it, if that was not said before.
  std::optional<PieceSourceEvent> take(const Outcome& outcome, Clock::time_point now,
                                       const Backoff& backoff);

 private:
  std::optional<PieceSourceEvent> fail(const Outcome& outcome, Clock::time_point now,
                                       const Backoff& backoff);

  const PieceSource& source_;
  PieceSourceCounters counters_;
  std::uint64_t generation_ = 0;
  Clock::time_point away_since_{};
  Clock::time_point retry_at_{};
  unsigned n_failures_ = 0;  // as a whole, one after the other
  PieceFault last_fault_ = PieceFault::kOther;
  std::string last_failure_;
  std::optional<PieceIndex> last_found_;
  bool is_given_up_ = false;
  ErrorKind given_up_for_ = ErrorKind::kUnavailable;
};

}  // namespace furrow
