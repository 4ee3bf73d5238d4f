// SPDX-License-Identifier: Apache-2.0
// Several encoders behind one: sectors go to whichever is free, and one stands in for another.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "furrow/records_encoder.hpp"

#include "host/base/gate.hpp"
#include "host/base/mutex.hpp"
#include "host/base/observer.hpp"

namespace furrow {

/// One encoder of a pool at one moment.
struct EncoderStatus {
  enum class State { kIdle, kWorking, kLost };
  std::string name;
  State state = State::kIdle;
  std::uint64_t records_done = 0;
  std::chrono::duration<double> transfer_time{};  ///< RecordsEncoder::transfer_time
};

/// Runs each encoder on a thread of its own, or on as many as it takes calls at the same time when
/// there are so many. An encoder that is free takes the oldest sector that
/// nobody works on; when there is none it helps with another one's, so that unequal encoders
/// balance themselves and the last sector is shared. One that throws DeviceLost is retired for good
/// and the others take its records, also those that were idle. When none is left, a fallback takes
/// over.
///
/// One that throws another EncoderError or UnencodableRecord has nothing to do with this sector any more
/// and the others take its records; when all have failed, the sector has. A sector that comes again
/// goes first to those that have not failed with it. One that fails with kMostFailures sectors one
/// after another, with none that succeeds in between, is retired like one that is lost.
///
/// Thread-safe, unlike other encoders: several sectors may be under way at once.
class EncoderPool final : public RecordsEncoder {
 public:
  /// Sectors that an encoder may fail with, one after another.
  static constexpr unsigned kMostFailures = 3;

  struct Options {
    /// At least one, unless there is a fallback.
    std::vector<std::unique_ptr<RecordsEncoder>> encoders = {};
    /// Makes the encoder that is left when all others are lost; called once at most, on a thread of
    /// the pool. May be empty: then losing the last one is DeviceLost.
    std::function<std::unique_ptr<RecordsEncoder>()> make_fallback = {};
    /// When set, each claim of records waits here first. Must outlive the encoder.
    Gate* gate = nullptr;
    /// When set, called after each record, from any thread, possibly several at once.
    Observer<> on_record_done = {};
    /// When set, gets one line for each failure of an encoder, for each that is lost or
    /// quarantined, and one when the fallback takes over. Calls do not overlap.
    Observer<const std::string&> on_warning = {};
  };

  /// Throws InvalidArgument for no encoder and no fallback, and ResourceExhausted when the system
  /// starts a thread for none of them; those that have none count as lost.
  explicit EncoderPool(Options options);
  /// Pre: no call is under way.
  ~EncoderPool() override;

  /// Throws what the last encoder failed with when each of them has failed with these records, and
  /// DeviceLost when nobody is left. After WrongEncoding the encoder that was wrong is retired, and
  /// the others stop where they are: the records have to be supplied again. So they have to after
  /// any exception of an encoder that RecordsEncoder::encode does not know.
  EncodeOutcome encode(EncodingJob& job, std::stop_token stop) override;
  /// Of all encoders together, those that are lost included.
  [[nodiscard]] std::chrono::duration<double> transfer_time() const override;
  /// Names of those that are not lost.
  [[nodiscard]] std::string name() const override;

  /// All that there ever were, in their order, a fallback last.
  [[nodiscard]] std::vector<EncoderStatus> encoders() const;
  /// False when all encoders are lost or retired, and no fallback is left: nothing will be encoded
  /// any more.
  [[nodiscard]] bool has_encoders() const;
  /// Sectors that can be encoded at the same time without sharing an encoder; at least 1.
  [[nodiscard]] std::size_t size() const;

 private:
  class Run;
  struct Attempt;
  struct Member;

  void start_members();
  void start_thread_of(Member& member) FURROW_REQUIRES(mutex_);
  void add_threads() FURROW_REQUIRES(mutex_);
  void serve(Member& member);
  [[nodiscard]] bool make_ready(Member& member) FURROW_REQUIRES(mutex_);
  void retire(Member& member) FURROW_REQUIRES(mutex_);
  void work_on(Run& run, Member& member) FURROW_REQUIRES(mutex_);
  [[nodiscard]] Attempt encode_some(Run& run, Member& member, RecordsEncoder& encoder)
      FURROW_EXCLUDES(mutex_);
  void take_note(Attempt& attempt, Run& run, Member& member) FURROW_REQUIRES(mutex_);
  [[nodiscard]] bool is_wanted(const Member& member) const FURROW_REQUIRES(mutex_);
  [[nodiscard]] bool can_work(const Member& member) const FURROW_REQUIRES(mutex_);
  [[nodiscard]] bool may_join(const Member& member, const Run& run) const FURROW_REQUIRES(mutex_);
  [[nodiscard]] bool can_be_finished(const Run& run) const FURROW_REQUIRES(mutex_);
  [[nodiscard]] Run* run_to_join(const Member& member) const FURROW_REQUIRES(mutex_);
  [[nodiscard]] std::size_t n_alive() const FURROW_REQUIRES(mutex_);
  void warn(const std::string& line);

  Options options_;
  mutable Mutex mutex_;  // also of runs and members; not held while an encoder works
  ConditionVariable changed_;
  std::vector<Run*> runs_ FURROW_GUARDED_BY(mutex_);  // calls of encode, oldest first
  bool nobody_is_left_ FURROW_GUARDED_BY(mutex_) = false;
  std::string last_loss_ FURROW_GUARDED_BY(mutex_);
  bool is_closing_ FURROW_GUARDED_BY(mutex_) = false;
  Mutex warning_mutex_;
  std::vector<std::unique_ptr<Member>> members_;  // last: their threads use all of the above
};

}  // namespace furrow
