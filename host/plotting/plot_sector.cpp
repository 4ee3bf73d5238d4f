// SPDX-License-Identifier: Apache-2.0
#include "host/plotting/plot_sector.hpp"

#include <chrono>
#include <exception>
#include <utility>

#include "host/base/foreign_error.hpp"
#include "host/plotting/verified_encoder.hpp"

namespace furrow {
namespace {

using Clock = std::chrono::steady_clock;

/// One way through all stages; none when a stop was requested.
class Attempt {
 public:
  Attempt(const SectorPlan& plan, const PlotSectorOptions& options,
          const std::function<void(const EncodedSector&)>& lay_out, const std::stop_token& stop)
      : plan_(plan), options_(options), lay_out_(lay_out), stop_(stop) {}

  std::optional<PlottedSector> run() {
    const Clock::time_point begin = Clock::now();
    options_.on_event(Downloading{});
    if (!gate_is_open()) {
      return std::nullopt;
    }
    std::optional<DownloadedSector> downloaded = download_sector(plan_, options_.download, stop_);
    if (!downloaded.has_value()) {
      return std::nullopt;
    }
    options_.on_event(Downloaded{Clock::now() - begin});
    const Clock::time_point encoding_began = Clock::now();
    options_.on_event(Encoding{});
    std::optional<EncodedSector> encoded =
        encode_sector(*std::move(downloaded), options_.encoder, stop_, options_.on_record_done);
    // The abort flag counts after the last record, too (section 6.2).
    if (!encoded.has_value() || !gate_is_open()) {
      return std::nullopt;
    }
    lay_out_(*encoded);
    options_.on_event(Encoded{Clock::now() - encoding_began});
    return std::move(encoded->plotted_sector);
  }

 private:
  [[nodiscard]] bool gate_is_open() const {
    return options_.gate != nullptr ? options_.gate->wait(stop_) : !stop_.stop_requested();
  }

  const SectorPlan& plan_;
  const PlotSectorOptions& options_;
  const std::function<void(const EncodedSector&)>& lay_out_;
  const std::stop_token& stop_;
};

}  // namespace

std::optional<PlottedSector> plot_sector(const SectorPlan& plan, const PlotSectorOptions& options,
                                         const std::function<void(const EncodedSector&)>& lay_out,
                                         const std::stop_token& stop) {
  const Clock::time_point begin = Clock::now();
  std::optional<Permits::Permit> permit;
  if (options.sectors != nullptr) {
    permit = options.sectors->acquire(stop);
    if (!permit.has_value()) {
      return std::nullopt;
    }
  }
  while (true) {
    try {
      std::optional<PlottedSector> plotted = Attempt(plan, options, lay_out, stop).run();
      if (plotted.has_value()) {
        options.on_event(Finished{Clock::now() - begin});
      }
      return plotted;
    } catch (const WrongEncoding& error) {
      options.on_event(TryingAgain{error.what(), false});
    } catch (...) {
      options.on_event(Failed{message_of(std::current_exception())});
      throw;
    }
  }
}

std::optional<PlottedSector> plot_sector(const SectorPlan& plan, const PlotSectorOptions& options,
                                         std::vector<std::uint8_t>& output,
                                         const std::stop_token& stop) {
  return plot_sector(
      plan, options, [&](const EncodedSector& encoded) { lay_out_sector(encoded, output); }, stop);
}

}  // namespace furrow
