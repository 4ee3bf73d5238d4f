// SPDX-License-Identifier: Apache-2.0
#include "host/node/plotting_elements.hpp"

#include <algorithm>
#include <span>
#include <utility>

namespace furrow::node {

using cluster::Bytes;
using cluster::PlottingProgress;

PlottingElements::PlottingElements(cluster::BusClock& clock,
                                   std::chrono::milliseconds ping_interval,
                                   std::size_t longest_chunk)
    : clock_(clock),
      ping_interval_(ping_interval),
      longest_chunk_(longest_chunk),
      next_ping_(clock.now()) {}

/// Changes something, and wakes who waits for it. The clock has no lock of ours, so the waking is what
/// ends its sleep: a stop request.
void PlottingElements::change(const auto& how) {
  std::stop_source changed;
  {
    const Lock lock(mutex_);
    how();
    changed = changed_;
  }
  changed.request_stop();
}

void PlottingElements::tell(const PlottingProgress& progress) {
  change([&]() FURROW_REQUIRES(mutex_) { told_.push_back(encode_message(progress)); });
}

void PlottingElements::finish(PlottingProgress::Finished finished, SectorBytes sector) {
  change([&]() FURROW_REQUIRES(mutex_) {
    told_.push_back(encode_message(PlottingProgress{std::move(finished)}));
    sector_ = std::move(sector);
    sent_ = 0;
  });
}

void PlottingElements::fail(std::string error) {
  tell({PlottingProgress::Failed{std::move(error)}});
}

void PlottingElements::end() {
  change([this]() FURROW_REQUIRES(mutex_) { has_ended_ = true; });
}

void PlottingElements::drop() {
  const Lock lock(mutex_);
  told_.clear();
  sector_ = {};
}

cluster::ElementSource::Polled PlottingElements::take() {
  if (clock_.now() >= next_ping_ && !(has_ended_ && told_.empty() && sector_.bytes.empty())) {
    next_ping_ = clock_.after(ping_interval_);
    return {.element = encode_message(PlottingProgress{PlottingProgress::Ping{}})};
  }
  if (!told_.empty()) {
    Bytes element = std::move(told_.front());
    told_.pop_front();
    return {.element = std::move(element)};
  }
  if (!sector_.bytes.empty()) {
    const auto chunk = std::span<const std::uint8_t>(sector_.bytes)
                           .subspan(sent_, std::min(longest_chunk_, sector_.bytes.size() - sent_));
    Bytes element = cluster::encode_sector_chunk(chunk);
    sent_ += chunk.size();
    if (sent_ == sector_.bytes.size()) {
      sector_ = {};
    }
    return {.element = std::move(element)};
  }
  return {.element = {}, .has_ended = has_ended_};
}

std::optional<Bytes> PlottingElements::next(const std::stop_token& stop) {
  while (true) {
    std::stop_source changed;
    cluster::BusClock::TimePoint ping;
    {
      const Lock lock(mutex_);
      Polled polled = take();
      if (polled.element.has_value() || polled.has_ended) {
        return std::move(polled.element);
      }
      changed_ = changed;
      ping = next_ping_;
    }
    if (stop.stop_requested()) {
      return std::nullopt;
    }
    const std::stop_callback on_stop(stop, [&changed] { changed.request_stop(); });
    clock_.sleep_until(ping, changed.get_token());
  }
}

cluster::ElementSource::Polled PlottingElements::poll() {
  const Lock lock(mutex_);
  return take();
}

}  // namespace furrow::node
