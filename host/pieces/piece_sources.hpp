// SPDX-License-Identifier: Apache-2.0
// Several sources of pieces behind one getter.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "furrow/piece_getter.hpp"

#include "host/base/mutex.hpp"
#include "host/base/observer.hpp"
#include "host/pieces/source_state.hpp"
#include "host/pieces/stall_watch.hpp"

namespace furrow {

/// No source gave a piece, and at least one did not say that it lacks it. The message names what
/// each of them said.
class AllSourcesFailed : public Error {
 public:
  AllSourcesFailed(PieceIndex piece, const std::string& said);
};

struct PieceSourcesOptions {
  using Clock = std::chrono::steady_clock;
  /// How long a source that did not answer at all is left alone; twice as long each time it does
  /// not answer again, up to the most.
  std::chrono::milliseconds backoff = std::chrono::seconds(1);
  std::chrono::milliseconds max_backoff = std::chrono::minutes(1);
  /// How long a source that is away is waited for when another one that is there lacks the piece,
  /// from when it went away. When none is there, those that may come back are waited for without
  /// end.
  std::chrono::milliseconds patience = std::chrono::minutes(1);
  /// Without an answer for so long, on_stall is called, and again each time as much has passed.
  std::chrono::milliseconds stall_time = std::chrono::seconds(30);
  /// Called on a thread of its own while a batch is under way. None: nobody watches.
  Observer<const PieceStall&> on_stall;
  /// The other observers are called on the threads that ask for pieces, also several at once.
  Observer<const PieceSourceEvent&> on_event;
  /// For each piece that a source could not give, with the error; not when it is the source as a
  /// whole that failed.
  Observer<const PieceSource&, PieceIndex, const std::exception_ptr&> on_bad_answer;
  /// For the first fault of each source, and then once in `fault_report_time` when there were more:
  /// to say so while another source helps. counters() has them.
  Observer<> on_faults;
  std::chrono::milliseconds fault_report_time = std::chrono::minutes(1);
  /// For back-off; tests have others. `sleep_until` returns early on a stop request.
  std::function<Clock::time_point()> now = Clock::now;
  std::function<void(Clock::time_point, const std::stop_token&)> sleep_until;
};

/// Asks sources in order of preference: what the first lacks or fails to give is asked of the next,
/// piece by piece.
///
/// A source that fails as a whole, with SourceUnavailable or with an exception, or that gives
/// nothing but faults of the moment, is away: it is left alone for its back-off, by all batches,
/// and then asked again for the pieces that are still wanted. What it might have is not answered
/// before, unless another source that is there lacks it and the patience is over. Faults of the
/// moment are an answer only for pieces that meet with them again and again while the source gives
/// others; when none are wanted, it is asked once more for one that it gave. A refusal is the same
/// as being away when the source has given a piece before; else, and for a source that cannot
/// return, it is given up.
///
/// Answers: found; not found when every source says so; else failed with AllSourcesFailed. Throws
/// NoSourceLeft. Thread-safe.
class PieceSources : public PieceGetter {
 public:
  /// Throws InvalidArgument without a source.
  explicit PieceSources(std::vector<PieceSource> sources, PieceSourcesOptions options = {});
  ~PieceSources() override;

  void get_pieces(std::span<const PieceIndex> indices, const Sink& sink,
                  std::stop_token stop) override;

  [[nodiscard]] std::size_t n_sources() const { return sources_.size(); }
  [[nodiscard]] const std::string& name(std::size_t source) const;
  [[nodiscard]] PieceSourceCounters counters(std::size_t source) const;
  /// Whether a source is left that may say something else later.
  [[nodiscard]] bool may_change() const;

 private:
  using Clock = PieceSourcesOptions::Clock;
  class Batch;

  void settle(std::size_t source, const SourceState::Outcome& outcome);
  void report_faults();
  void wait_until(Clock::time_point until, std::uint64_t n_changes, const std::stop_token& stop);

  PieceSourcesOptions options_;
  const std::vector<PieceSource> sources_;
  mutable Mutex mutex_;
  ConditionVariable changed_;
  std::vector<SourceState> states_ FURROW_GUARDED_BY(mutex_);  // of the sources
  /// Sources that came back or were given up.
  std::uint64_t n_changes_ FURROW_GUARDED_BY(mutex_) = 0;
  bool has_new_faults_ FURROW_GUARDED_BY(mutex_) = false;
  bool has_first_fault_ FURROW_GUARDED_BY(mutex_) = false;  // of a source
  std::optional<Clock::time_point> last_report_ FURROW_GUARDED_BY(mutex_);
};

}  // namespace furrow
