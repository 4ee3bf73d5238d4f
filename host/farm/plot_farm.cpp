#include "host/farm/plot_farm.hpp"

#include <map>
#include <mutex>
#include <string>
#include <utility>

namespace furrow {

std::vector<SectorIndex> sectors_to_plot(const Farm& farm, std::uint16_t count) {
  std::vector<SectorIndex> result;
  for (std::uint16_t i = 0; i < count; ++i) {
    if (farm.sector_state(SectorIndex(i)) != SectorState::kPlotted) {
      result.emplace_back(i);
    }
  }
  return result;
}

PlotResult plot_farm(Farm& farm, std::span<const SectorIndex> sectors,
                     const FarmerProtocolInfo& info, const PlotPipelineOptions& options,
                     std::stop_token stop) {
  std::mutex marks_mutex;
  std::map<SectorIndex, ModificationMark> marks;
  auto next = sectors.begin();
  const SectorSource source = [&]() -> std::optional<SectorPlan> {
    if (next == sectors.end()) {
      return std::nullopt;
    }
    const SectorIndex index = *next++;
    std::optional<ModificationMark> mark = farm.begin_modifying(index);
    if (!mark.has_value()) {
      throw InvalidArgument("sector " + std::to_string(index.value()) + " of the farm in " +
                            farm.directory().native() + " is being modified already");
    }
    const std::lock_guard lock(marks_mutex);
    marks.emplace(index, *std::move(mark));
    return SectorPlan{.public_key_hash = farm.identity().public_key_hash(),
                      .shard_commitments_root = farm.shard_commitments_root(info.history_size),
                      .sector_index = index,
                      .protocol_info = info,
                      .pieces_in_sector = farm.pieces_in_sector()};
  };
  const SectorSink sink = [&](const PlottedSector& sector,
                              std::span<const std::uint8_t> sector_bytes) {
    farm.write_sector(sector.sector_index, sector_bytes, sector.sector_metadata);
    const std::lock_guard lock(marks_mutex);
    marks.erase(sector.sector_index);
  };
  PlotPipelineOptions watched = options;
  watched.on_event = [&](SectorIndex index, const PlottingEvent& event) {
    if (std::holds_alternative<Failed>(event)) {
      const std::lock_guard lock(marks_mutex);
      marks.erase(index);
    }
    if (options.on_event) {
      options.on_event(index, event);
    }
  };
  PlotResult result = plot_sectors(source, watched, sink, std::move(stop));
  farm.flush_state();
  return result;
}

}  // namespace furrow
