// SPDX-License-Identifier: Apache-2.0
#include "host/plotter/plot_monitor.hpp"

#include <algorithm>
#include <variant>

namespace furrow {

PlotMonitor::PlotMonitor(const PlotTotals& totals, const EncoderPool& encoders, StageClock& clock,
                         const Gate& gate)
    : totals_(totals),
      encoders_(encoders),
      clock_(clock),
      gate_(gate),
      clock_start_(clock.totals()) {}

void PlotMonitor::record_done(SectorIndex index) {
  const Lock lock(mutex_);
  ++records_encoded_;
  ++records_done_;
  ++records_of_[index];
}

void PlotMonitor::event(SectorIndex index, const PlottingEvent& event) {
  const bool is_finished = std::holds_alternative<Finished>(event);
  const bool is_failed = std::holds_alternative<Failed>(event);
  // Whoever begins with a sector anew, or gives it up, throws away what was encoded of it.
  const bool is_lost = is_failed || std::holds_alternative<TryingAgain>(event) ||
                       std::holds_alternative<Downloading>(event);
  if (!is_lost && !is_finished) {
    return;
  }
  const Lock lock(mutex_);
  sectors_done_ += is_finished ? 1 : 0;
  sectors_failed_ += is_failed ? 1 : 0;
  if (const auto records = records_of_.find(index); records != records_of_.end()) {
    records_done_ -= is_lost ? records->second : 0;
    records_of_.erase(records);
  }
}

std::uint64_t PlotMonitor::sectors_done() const {
  const Lock lock(mutex_);
  return sectors_done_;
}

PlotMoment PlotMonitor::moment() {
  PlotMoment now;
  now.totals = totals_;
  now.is_paused = !gate_.is_open();
  const std::vector<EncoderStatus> encoders = encoders_.encoders();
  {
    const Lock lock(mutex_);
    const std::uint64_t given_up = sectors_failed_ * totals_.pieces_in_sector;
    now.seconds = std::chrono::duration<double>(Clock::now() - start_).count();
    now.sectors = sectors_done_;
    now.records = records_done_;
    now.records_left = totals_.records - std::min(totals_.records, now.records + given_up);
    const auto encoded = static_cast<double>(records_encoded_);
    now.records_per_second = now.seconds > 0 ? encoded / now.seconds : 0;
    record_rate_.add(now.seconds, encoded);
    now.recent_records_per_second = record_rate_.per_second();
  }
  if (now.recent_records_per_second > 0) {
    now.seconds_left = static_cast<double>(now.records_left) / now.recent_records_per_second;
  }
  for (const EncoderStatus& encoder : encoders) {
    now.encoders.push_back(
        {.name = encoder.name,
         .records_per_second =
             now.seconds > 0 ? static_cast<double>(encoder.records_done) / now.seconds : 0,
         .transfer_seconds = encoder.transfer_time.count(),
         .is_lost = encoder.state == EncoderStatus::State::kLost});
  }
  return now;
}

}  // namespace furrow
