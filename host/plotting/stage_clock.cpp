// SPDX-License-Identifier: Apache-2.0
#include "host/plotting/stage_clock.hpp"

#include <algorithm>
#include <cmath>

#include "host/base/mutex.hpp"

namespace furrow {
namespace {

constexpr auto kTransferIndex = static_cast<std::size_t>(Stage::kTransfer);
constexpr std::array<const char*, kStages> kNames = {"pieces", "encoder", "transfer", "layout",
                                                     "disk"};

/// What a stage does, for people.
constexpr std::array<const char*, kStages> kDoings = {
    "fetching pieces", "encoding", "copying to and from cards", "laying out", "writing"};

std::string percent(double share) {
  return std::to_string(std::lround(100 * share)) + " %";
}

}  // namespace

double StageShares::waited(Stage stage) const {
  return std::max(0.0, 1 - gate - busy_share(stage));
}

std::string StageShares::limit() const {
  const auto most = std::max_element(busy.begin(), busy.end());
  return gate > *most ? "gate" : kNames[static_cast<std::size_t>(most - busy.begin())];
}

std::string StageShares::line() const {
  const std::string limited_by = limit();
  std::string result = "limited by the pause";
  std::string waits;
  for (std::size_t i = 0; i < kStages; ++i) {
    if (kNames[i] == limited_by) {
      result =
          std::string("limited by ") + kDoings[i] + ", busy " + percent(busy[i]) + " of the time";
    } else if (has_transfers || static_cast<Stage>(i) != Stage::kTransfer) {
      waits += (waits.empty() ? "" : ", ") + std::string(kDoings[i]) + " " +
               percent(waited(static_cast<Stage>(i)));
    }
  }
  return result + "; waiting for the others: " + waits +
         (gate > 0 ? "; paused " + percent(gate) : "");
}

StageClock::StageClock(const StagePlaces& places, const Gate* gate, TransferTime transfer_time,
                       Now now)
    : places_(places), gate_(gate), now_(std::move(now)), transfer_time_(std::move(transfer_time)) {
  totals_.gate = gate_ != nullptr ? gate_->closed_for().count() : 0;
}

StageClock::Totals StageClock::totals() {
  const Lock lock(mutex_);
  advance();
  if (transfer_time_) {
    totals_.busy[kTransferIndex] = transfer_time_().count() / static_cast<double>(places_.encoders);
  }
  return totals_;
}

StageShares StageClock::shares_since(const Totals& then) {
  const Totals now = totals();
  const double seconds = now.elapsed - then.elapsed;
  StageShares shares;
  if (seconds <= 0) {
    return shares;
  }
  shares.has_transfers = now.busy[kTransferIndex] > 0;
  shares.gate = (now.gate - then.gate) / seconds;
  for (std::size_t i = 0; i < kStages; ++i) {
    shares.busy[i] = (now.busy[i] - then.busy[i]) / seconds;
  }
  // Encoders tell of a batch when it is over, so some of it may be from before.
  double& encoder = shares.busy[static_cast<std::size_t>(Stage::kEncoder)];
  double& transfer = shares.busy[kTransferIndex];
  transfer = std::min(transfer, encoder);
  encoder -= transfer;
  return shares;
}

void StageClock::change(Stage stage, int by) {
  const Lock lock(mutex_);
  advance();
  n_working_[static_cast<std::size_t>(stage)] += static_cast<std::size_t>(by);
}

std::size_t StageClock::places(Stage stage) const {
  switch (stage) {
    case Stage::kEncoder:
      return places_.encoders;
    case Stage::kLayout:
      return places_.layouts;
    default:
      return 1;
  }
}

/// While the gate is closed nobody works for long, whatever they are in the middle of.
void StageClock::advance() {
  const double elapsed = std::chrono::duration<double>(now_() - start_).count();
  const double gate = gate_ != nullptr ? gate_->closed_for().count() : 0;
  const double open = std::max(0.0, (elapsed - totals_.elapsed) - (gate - totals_.gate));
  for (std::size_t i = 0; i < kStages; ++i) {
    const std::size_t most = places(static_cast<Stage>(i));
    totals_.busy[i] +=
        open * static_cast<double>(std::min(n_working_[i], most)) / static_cast<double>(most);
  }
  totals_.elapsed = elapsed;
  totals_.gate = gate;
}

}  // namespace furrow
