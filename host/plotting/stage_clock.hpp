// SPDX-License-Identifier: Apache-2.0
// How long each stage of plotting works and waits, and which of them the others wait for.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <functional>
#include <string>
#include <utility>

#include "host/base/gate.hpp"
#include "host/base/mutex.hpp"

namespace furrow {

enum class Stage : std::size_t {
  kPieces,   ///< a sector is being downloaded, rebuilt pieces and pauses between tries included
  kEncoder,  ///< records are being encoded
  /// The part of encoding in which copies between host and device held an encoder up. Nobody works
  /// in it: encoders measure it (RecordsEncoder::transfer_time), and the rest stays with kEncoder.
  kTransfer,
  kLayout,  ///< encoded records become the bytes of a sector, on a core of the host
  kDisk,    ///< a sector is being written
};
inline constexpr std::size_t kStages = 5;

/// How many may work at once in the stages in which several do: each counts for that part of one, so
/// that the share tells how well all are used.
struct StagePlaces {
  std::size_t encoders = 1;
  std::size_t layouts = 1;
};

/// Where the time of a stretch of plotting went: shares of it, 0 to 1. A stage that works all the
/// time is what the others wait for.
struct StageShares {
  std::array<double, kStages> busy{};
  double gate = 0;  ///< the gate was closed; counted for no stage
  /// Whether an encoder has copied anything yet; without, the line does not speak of it.
  bool has_transfers = false;

  [[nodiscard]] double busy_share(Stage stage) const {
    return busy[static_cast<std::size_t>(stage)];
  }
  /// Neither working nor held up by the gate.
  [[nodiscard]] double waited(Stage stage) const;
  /// "pieces", "encoder", "transfer", "layout", "disk" or "gate": whatever took the greatest share.
  [[nodiscard]] std::string limit() const;
  /// "limited by writing, busy 97 % of the time; waiting for the others: fetching pieces 80 %, ...;
  /// paused 1 %".
  [[nodiscard]] std::string line() const;
};

/// Thread-safe. Time in which several work in one stage counts once, but for those of StagePlaces.
class StageClock {
 public:
  using Clock = std::chrono::steady_clock;
  using Now = Gate::Now;
  /// For how long copies have held encoders up so far, all of them together.
  using TransferTime = std::function<std::chrono::duration<double>()>;

  /// Somebody works in a stage while this lives. Move-only; must not outlive the clock.
  class Work {
   public:
    Work(StageClock& clock, Stage stage) : clock_(&clock), stage_(stage) { clock.change(stage, 1); }
    Work(Work&& other) noexcept
        : clock_(std::exchange(other.clock_, nullptr)), stage_(other.stage_) {}
    Work& operator=(Work&&) = delete;
    Work(const Work&) = delete;
    Work& operator=(const Work&) = delete;
    ~Work() {
      if (clock_ != nullptr) {
        clock_->change(stage_, -1);
      }
    }

   private:
    StageClock* clock_;
    Stage stage_;
  };

  /// Seconds since the clock was made. Those of kEncoder are with transfers here.
  struct Totals {
    double elapsed = 0;
    double gate = 0;
    std::array<double, kStages> busy{};
  };

  /// `gate` may be null, else it must outlive the clock, and so must what `transfer_time` asks;
  /// empty means that there are no transfers. `now` is that of the gate. Pre: no places are 0.
  explicit StageClock(const StagePlaces& places = {}, const Gate* gate = nullptr,
                      TransferTime transfer_time = {}, Now now = Clock::now);

  /// Pre: not kTransfer.
  [[nodiscard]] Work work(Stage stage) { return {*this, stage}; }
  [[nodiscard]] Totals totals();
  /// Shares between an earlier moment and now; all zero when no time has passed.
  [[nodiscard]] StageShares shares_since(const Totals& then);

 private:
  void change(Stage stage, int by);
  void advance() FURROW_REQUIRES(mutex_);
  [[nodiscard]] std::size_t places(Stage stage) const;

  const StagePlaces places_;
  const Gate* gate_;
  const Now now_;
  const TransferTime transfer_time_;
  Mutex mutex_;
  std::array<std::size_t, kStages> n_working_ FURROW_GUARDED_BY(mutex_){};
  Totals totals_ FURROW_GUARDED_BY(mutex_);
  const Clock::time_point start_ = now_();
};

}  // namespace furrow
