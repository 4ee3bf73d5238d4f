// SPDX-License-Identifier: Apache-2.0
#include "tools/plot_text.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <variant>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "host/base/byte_size.hpp"
#include "host/base/counted.hpp"
#include "host/base/printable.hpp"

namespace furrow::cli {
namespace {

constexpr double kRecordBytes = kRecordSize;
constexpr std::size_t kMostNamed = 16;

/// "4 min", "5 h 12 min", "2 d 3 h": as exact as an estimate is.
std::string about(double seconds) {
  const auto minutes = static_cast<std::uint64_t>(std::ceil(seconds / 60));
  if (minutes < 60) {
    return fmt::format("{} min", minutes);
  }
  return minutes < 24 * 60
             ? fmt::format("{} h {} min", minutes / 60, minutes % 60)
             : fmt::format("{} d {} h", minutes / (24 * 60), minutes % (24 * 60) / 60);
}

std::string counts_text(const PieceSourceCounters& counters) {
  const std::string faults = faults_text(counters);
  return fmt::format("{} ({}), {} not found, {} failed{}", counted(counters.found, "piece"),
                     size_text(counters.bytes), counters.not_found, counters.failed,
                     faults.empty() ? "" : ": " + faults);
}

std::string cache_line(const PlotSummary::Cache& cache) {
  const PieceCacheCounters& counters = cache.counters;
  return fmt::format(
      "{}: {}, {}, {} damaged{}", cache.path.native(), counted(counters.hits, "hit"),
      counted(counters.misses, "miss", "misses"), counters.damaged,
      counters.io_errors == 0
          ? ""
          : fmt::format("; {} by the system, so that the cache did not help as it could",
                        counted(counters.io_errors, "read or write was refused",
                                "reads and writes were refused")));
}

std::string given_up_text(const std::vector<GivenUpSector>& sectors) {
  std::vector<unsigned> names;
  for (const GivenUpSector& sector : sectors) {
    names.push_back(sector.sector_index.value());
  }
  return fmt::format(
      "{} not plotted, because no encoder could encode {}: {}; the last error was: {}",
      sectors.size() == 1 ? "a sector was" : fmt::format("{} sectors were", sectors.size()),
      sectors.size() == 1 ? "it" : "them", fmt::join(names, ", "), sectors.back().error);
}

std::string lost_text(const PlotSummary::FarmFacts& farm) {
  std::vector<unsigned> named;
  for (std::size_t i = 0; i < std::min(farm.lost.size(), kMostNamed); ++i) {
    named.push_back(farm.lost[i].value());
  }
  return fmt::format(
      "farm {}: {} of {} {} nothing: {}{}; plot with --sectors {} or more to make them",
      printable(farm.directory.native()), farm.lost.size(), counted(farm.sectors, "sector"),
      farm.lost.size() == 1 ? "holds" : "hold", fmt::join(named, ", "),
      farm.lost.size() > kMostNamed ? ", ..." : "", farm.lost.back().value() + 1);
}

}  // namespace

std::vector<std::string> forecast_lines(const PlotForecast& forecast) {
  std::vector<std::string> lines;
  if (forecast.disk.has_value()) {
    const DiskForecast& disk = *forecast.disk;
    lines.push_back(
        fmt::format("disk: {} for {} sectors, at most {} beside them for state and index",
                    size_text(disk.farm_bytes), disk.sectors, size_text(disk.beside_bytes)));
    lines.push_back(fmt::format("disk: {} more at most, {} are free{}",
                                size_text(disk.needed_bytes()), size_text(disk.free_bytes),
                                disk.fits() ? "" : ": too little"));
  }
  if (forecast.records_per_second > 0) {
    std::string line = fmt::format("time: {:.2f} records/s with {}", forecast.records_per_second,
                                   forecast.encoder);
    if (const std::optional<double> seconds = forecast.seconds()) {
      line += fmt::format("; about {} for {} sectors, unless pieces or the disk are slower",
                          about(*seconds), forecast.disk->sectors_to_plot());
    }
    lines.push_back(std::move(line));
  }
  return lines;
}

std::string beginning_line(const PlotBeginning& beginning) {
  return fmt::format("farm {}: {} of {} to plot, {} in each ({}), history of {}, encoder {}",
                     beginning.farm.native(), beginning.sectors_to_plot,
                     counted(beginning.sectors, "sector"),
                     counted(beginning.pieces_in_sector, "piece"), size_text(beginning.sector_size),
                     counted(beginning.segments, "segment"), beginning.encoder);
}

std::string event_line(SectorIndex index, const PlottingEvent& event, const PlotMonitor& monitor) {
  if (const auto* finished = std::get_if<Finished>(&event)) {
    const PlotTotals& totals = monitor.totals();
    return fmt::format("sector {} finished ({} of {}), {}, {:.1f} s", index.value(),
                       totals.sectors_present + monitor.sectors_done(),
                       totals.sectors_present + totals.sectors,
                       counted(totals.pieces_in_sector, "piece"), finished->duration.count());
  }
  if (const auto* again = std::get_if<TryingAgain>(&event)) {
    return fmt::format("sector {} is made again{}: {}", index.value(),
                       again->is_at_the_end ? " at the end" : "", again->error);
  }
  if (const auto* failed = std::get_if<Failed>(&event)) {
    return fmt::format("sector {} is given up: {}", index.value(), failed->error);
  }
  return "";
}

Standing standing_of(const PlotMoment& moment) {
  const PlotTotals& totals = moment.totals;
  Standing result{
      .task = "plot",
      .share = share_of(moment.records, totals.records),
      .counts = {fmt::format("{} of {}", moment.sectors, counted(totals.sectors, "sector")),
                 fmt::format("{} of {}", moment.records, counted(totals.records, "piece"))},
      .bytes_per_second = moment.recent_records_per_second * kRecordBytes,
      .seconds_left = moment.seconds_left};
  if (moment.is_paused) {
    result.state = "paused";
  } else if (moment.records_left == 0) {
    result.state = "writing what is encoded";
  }
  if (moment.encoders.size() > 1) {
    for (const PlotMoment::Encoder& encoder : moment.encoders) {
      result.remarks.push_back(
          encoder.name + " " +
          (encoder.is_lost ? "lost" : rate_text(encoder.records_per_second * kRecordBytes)));
    }
  }
  return result;
}

std::vector<std::string> source_lines(const PlotSummary& summary) {
  std::vector<std::string> lines;
  for (const PlotSummary::Source& source : summary.sources) {
    lines.push_back(fmt::format("{}: {}", source.name, counts_text(source.counters)));
  }
  if (summary.cache.has_value()) {
    lines.push_back(cache_line(*summary.cache));
  }
  return lines;
}

std::vector<std::string> summary_lines(const PlotSummary& summary) {
  const PlotSummary::FarmFacts& farm = summary.farm;
  const std::string directory = printable(farm.directory.native());
  const std::string farmer =
      farm.farmer_cache_percentage != 0
          ? fmt::format("a farmer with --cache-percentage {}", farm.farmer_cache_percentage)
          : "a farmer in a cluster, as nothing is left for a piece cache of its own";
  return {fmt::format("farm {} has {}; {} plotted now in {:.1f} s", directory,
                      counted(farm.sectors, "sector"), summary.sectors_plotted, summary.seconds),
          fmt::format("path={},size={} opens it for {}", directory, farm.allocated_space, farmer)};
}

std::optional<std::string> what_is_broken(const PlotSummary& summary) {
  if (!summary.given_up.empty()) {
    return given_up_text(summary.given_up);
  }
  if (!summary.damage.empty()) {
    return fmt::format(
        "a store of pieces is damaged in {}, the first one was {}; the farm is complete",
        counted(summary.damage.size(), "place"), summary.damage.front());
  }
  if (!summary.farm.lost.empty()) {
    return lost_text(summary.farm);
  }
  return std::nullopt;
}

}  // namespace furrow::cli
