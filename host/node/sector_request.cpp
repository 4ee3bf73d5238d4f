// SPDX-License-Identifier: Apache-2.0
#include "host/node/sector_request.hpp"

#include <optional>
#include <utility>

#include "host/cluster/stream_requester.hpp"
#include "host/sector/sector_layout.hpp"

namespace furrow::node {

using cluster::PlottingProgress;

namespace {

/// Takes the elements of one stream.
class Receipt {
 public:
  Receipt(const cluster::PlotSectorRequest& request, const Observer<const PlottingEvent&>& on_event)
      : on_event_(on_event),
        sector_size_(sector_size(Network::kAbundance, request.pieces_in_sector)) {}

  /// Why no more is wanted; none while more is.
  std::optional<SectorAnswer> take(PlottingProgress& progress) {
    return std::visit([this](auto& event) { return on(event); }, progress.event);
  }
  [[nodiscard]] bool is_finished() const { return is_finished_; }
  /// The stream has ended.
  SectorAnswer end(const cluster::StreamEnd& end) {
    if (end.reason == cluster::StreamEnd::Reason::kStopped) {
      return {SectorAnswer::Stopped{}};
    }
    // An end that went wrong takes nothing from a sector that is complete.
    if (is_finished_ && sector_.bytes.size() == sector_size_) {
      return {std::move(sector_)};
    }
    if (!end.is_complete()) {
      return {SectorAnswer::Lost{end.text}};
    }
    return {SectorAnswer::Lost{"the stream has ended: expected " + std::to_string(sector_size_) +
                               " bytes of a sector, actual " +
                               std::to_string(sector_.bytes.size())}};
  }

 private:
  std::optional<SectorAnswer> on(const PlottingProgress::Occupied&) {
    return SectorAnswer{SectorAnswer::Occupied{}};
  }
  std::optional<SectorAnswer> on(const PlottingProgress::Ping&) { return std::nullopt; }
  std::optional<SectorAnswer> on(const PlottingProgress::Downloading&) {
    on_event_(Downloading{});
    return std::nullopt;
  }
  std::optional<SectorAnswer> on(const PlottingProgress::Downloaded& event) {
    on_event_(Downloaded{event.time.time()});
    return std::nullopt;
  }
  std::optional<SectorAnswer> on(const PlottingProgress::Encoding&) {
    on_event_(Encoding{});
    return std::nullopt;
  }
  std::optional<SectorAnswer> on(const PlottingProgress::Encoded& event) {
    on_event_(Encoded{event.time.time()});
    return std::nullopt;
  }
  std::optional<SectorAnswer> on(PlottingProgress::Finished& event) {
    if (is_finished_) {
      return SectorAnswer{SectorAnswer::Wrong{"the sector is finished a second time"}};
    }
    is_finished_ = true;
    sector_.plotted_sector = std::move(event.plotted_sector);
    sector_.bytes.reserve(sector_size_);
    return std::nullopt;
  }
  std::optional<SectorAnswer> on(const PlottingProgress::SectorChunk& chunk) {
    if (const auto* const failure = std::get_if<cluster::RemoteFailure>(&chunk.data)) {
      return SectorAnswer{SectorAnswer::Refused{failure->text}};
    }
    const auto& data = std::get<cluster::Bytes>(chunk.data);
    if (!is_finished_) {
      return SectorAnswer{
          SectorAnswer::Wrong{"bytes of a sector come before it is said to be finished"}};
    }
    if (data.size() > sector_size_ - sector_.bytes.size()) {
      return SectorAnswer{SectorAnswer::Wrong{"expected " + std::to_string(sector_size_) +
                                              " bytes of a sector, actual at least " +
                                              std::to_string(sector_.bytes.size() + data.size())}};
    }
    sector_.bytes.insert(sector_.bytes.end(), data.begin(), data.end());
    return std::nullopt;
  }
  std::optional<SectorAnswer> on(const PlottingProgress::Failed& event) {
    return SectorAnswer{SectorAnswer::Refused{event.error}};
  }

  const Observer<const PlottingEvent&>& on_event_;
  const std::uint64_t sector_size_;
  ReceivedSector sector_;
  bool is_finished_ = false;
};

}  // namespace

SectorAnswer request_sector(cluster::Bus& bus, const cluster::SubjectToken& plotter,
                            const cluster::PlotSectorRequest& request,
                            const SectorRequestOptions& options, const std::stop_token& stop) {
  cluster::StreamRequest<cluster::PlotSectorRequest> stream(
      bus, plotter, request,
      {.idle_timeout = options.ping_timeout, .draw_ulid = options.draw_ulid});
  Receipt receipt(request, options.on_event);
  std::optional<cluster::BusClock::TimePoint> last_moment;  // once a stop was requested
  while (auto element = stream.next(receipt.is_finished() ? std::stop_token() : stop)) {
    if (std::optional<SectorAnswer> answer = receipt.take(*element)) {
      return *std::move(answer);
    }
    if (stop.stop_requested()) {
      const auto now = bus.clock().now();
      last_moment = last_moment.value_or(bus.clock().after(options.ping_timeout));
      if (now >= *last_moment) {
        return {SectorAnswer::Stopped{}};
      }
    }
  }
  return receipt.end(stream.end().value());
}

}  // namespace furrow::node
