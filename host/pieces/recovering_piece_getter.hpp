// SPDX-License-Identifier: Apache-2.0
// Pieces that a source lacks or cannot give, rebuilt from the others of their segment.
//
//   cache ── RecoveringPieceGetter ── sources
//
// Pieces of a segment that are fetched for a rebuilding go from the sources into memory, past the
// cache: they would drive out what is wanted again. What was rebuilt goes into it like any answer.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "furrow/piece_getter.hpp"

#include "host/archive/segment_reconstruction.hpp"
#include "host/base/mutex.hpp"
#include "host/base/observer.hpp"
#include "host/erasure/erasure_coding.hpp"
#include "host/pieces/segment_download.hpp"

namespace furrow {

/// A piece was missing and could not be rebuilt.
class PieceNotRebuilt : public Error {
 public:
  PieceNotRebuilt(PieceIndex piece, ErrorKind kind, const std::string& reason);
};

/// Delays between attempts: `first`, doubling, at most `longest` (docs/spec/03, section 6.1).
struct RetryDelays {
  std::chrono::milliseconds first = std::chrono::seconds(15);
  std::chrono::milliseconds longest = std::chrono::minutes(10);
  /// 0 means without end, which is right for sources that may come back. A local store does not.
  unsigned max_attempts = 0;
};

struct RecoveringPieceGetterOptions {
  /// What rebuilt pieces of a segment are verified against.
  std::function<SegmentIdentity(SegmentIndex)> identity;
  RetryDelays retry_delays = {};
  /// Whether time may change what the source says: when it does not, there is no further attempt
  /// and no second try. None: it may. Called on the threads that ask.
  std::function<bool()> may_change = {};
  /// Of the download of a segment, within one attempt.
  RetryPolicy segment_policy = {};
  ComputeOptions compute = {};
  /// The observers are called on the threads that ask, also several at once.
  /// A piece that is going to be rebuilt, with the error of the source, or null when it lacks it.
  Observer<PieceIndex, const std::exception_ptr&> on_rebuild = {};
  /// An attempt failed; the next one follows after the delay.
  Observer<const std::exception_ptr&, std::chrono::milliseconds> on_failed_attempt = {};
  /// Waits, but not beyond a stop request; tests have another one.
  std::function<void(std::chrono::milliseconds, const std::stop_token&)> pause = {};
};

/// One attempt asks the source for everything, then, unless the first attempt is the only one, once
/// more for what it did not give, and rebuilds the rest, segment by segment. What is found is
/// passed on at once. What is missing then is asked for again in the next attempt.
///
/// One rebuilding is under way at a time, and serves every piece of its segment that any batch is
/// waiting for until it ends. Others may have been under way before it for long: the pieces are
/// asked for again when it begins, and after each pause of its download.
///
/// Answers: found; failed, after the last attempt, with what rebuilding the piece failed with.
/// Throws, after the last attempt, what the source threw, and NoSourceLeft at once. Thread-safe.
class RecoveringPieceGetter : public PieceGetter {
 public:
  /// The source outlives it.
  RecoveringPieceGetter(PieceGetter& source, const ErasureCoding& erasure,
                        RecoveringPieceGetterOptions options);
  ~RecoveringPieceGetter() override;

  void get_pieces(std::span<const PieceIndex> indices, const Sink& sink,
                  std::stop_token stop) override;

 private:
  class Batch;
  /// A piece that a batch waits for.
  struct Wanted {
    PieceIndex index;
    PiecePtr piece;  // once it is rebuilt; touched with the mutex while in wanted_
  };
  class Turn;

  void rebuild(SegmentIndex segment, const std::stop_token& stop);
  [[nodiscard]] bool may_change() const;
  [[nodiscard]] bool is_still_missing(SegmentIndex segment, const std::stop_token& stop);
  [[nodiscard]] std::vector<PieceIndex> missing_of(SegmentIndex segment);

  PieceGetter& source_;
  ErasureCoding erasure_;
  RecoveringPieceGetterOptions options_;
  Mutex mutex_;
  ConditionVariable changed_;
  bool is_rebuilding_ FURROW_GUARDED_BY(mutex_) = false;
  std::multimap<SegmentIndex, Wanted*> wanted_ FURROW_GUARDED_BY(mutex_);  // of all batches
};

}  // namespace furrow
