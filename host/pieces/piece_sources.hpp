// Several sources of pieces behind one getter.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "furrow/piece_getter.hpp"

#include "host/base/observer.hpp"

namespace furrow {

/// No source gave a piece, and at least one did not say that it lacks it. The message names what
/// each of them said.
class AllSourcesFailed : public Error {
 public:
  explicit AllSourcesFailed(const std::string& message) : Error(ErrorKind::kUnavailable, message) {}
};

struct PieceSource {
  std::string name;
  std::unique_ptr<PieceGetter> getter;
};

/// What a source was asked for, and said.
struct PieceSourceCounters {
  std::uint64_t asked = 0;
  std::uint64_t found = 0;
  std::uint64_t not_found = 0;
  std::uint64_t failed = 0;
  std::uint64_t bytes = 0;
  std::uint64_t skipped = 0;  ///< pieces for which it was not asked, as it had not answered before
};

/// Pieces are missing and none arrives.
struct PieceStall {
  std::size_t n_missing = 0;
  std::string source;  ///< name of the source that is being asked
  std::chrono::milliseconds silent{0};
};

struct PieceSourcesOptions {
  using Clock = std::chrono::steady_clock;
  /// How long a source that did not answer at all is left alone; twice as long each time it does
  /// not answer again, up to the most.
  std::chrono::milliseconds backoff = std::chrono::seconds(1);
  std::chrono::milliseconds max_backoff = std::chrono::minutes(2);
  /// Without an answer for so long, on_stall is called, and again each time as much has passed.
  std::chrono::milliseconds stall_time = std::chrono::seconds(30);
  /// Called on a thread of its own while a batch is under way. None: nobody watches.
  Observer<const PieceStall&> on_stall;
  /// For back-off; tests have another one.
  std::function<Clock::time_point()> now = Clock::now;
};

/// Asks sources in order of preference: what the first lacks or fails to give is asked of the next,
/// piece by piece. A source that fails as a whole, with an exception or SourceUnavailable, is not
/// asked for the rest of the batch, nor by later batches until its back-off is over; unless that is
/// so for all of them.
///
/// Answers: found; not found when every source says so; else failed with AllSourcesFailed.
/// Thread-safe.
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

 private:
  class Batch;
  struct State {
    PieceSource source;
    PieceSourceCounters counters;
    PieceSourcesOptions::Clock::time_point retry_at{};
    unsigned n_failures = 0;  // as a whole, one after the other
    std::string last_failure;
  };

  PieceSourcesOptions options_;
  mutable std::mutex mutex_;  // of what changes in the states
  std::vector<State> sources_;
};

}  // namespace furrow
