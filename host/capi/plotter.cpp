// SPDX-License-Identifier: Apache-2.0
#include "furrow/c/plotter.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "host/base/foreign_error.hpp"
#include "host/base/mutex.hpp"
#include "host/base/permits.hpp"
#include "host/capi/abort_watch.hpp"
#include "host/capi/encoder.hpp"
#include "host/capi/farm.hpp"
#include "host/capi/gate.hpp"
#include "host/capi/last_error.hpp"
#include "host/capi/piece_source.hpp"
#include "host/capi/sector_plan.hpp"
#include "host/capi/structs.hpp"
#include "host/pieces/recovering_piece_getter.hpp"
#include "host/plotter/plot_farm.hpp"
#include "host/plotting/plot_sector.hpp"
#include "host/sector/sector_layout.hpp"
#include "host/sector/sector_writer.hpp"

struct furrow_plotter final : furrow::capi::Handle {
  furrow_plotter(std::shared_ptr<furrow::capi::Library> library,
                 const furrow_plotter_options& options);

  const std::shared_ptr<furrow::capi::SharedEncoder> encoder;
  const std::shared_ptr<furrow::capi::SharedPieceSource> source;
  const std::shared_ptr<furrow::Gate> gate;
  const std::size_t sectors_in_memory;
  furrow::Permits sectors;
  std::unique_ptr<furrow::RecoveringPieceGetter> pieces;
};

namespace furrow::capi {
namespace {

constexpr std::uint32_t kMostSectorsInMemory = 1024;

furrow_plotter_options default_plotter_options() {
  furrow_plotter_options options{};
  options.sectors_in_memory = 3;
  options.first_delay_ms = 15'000;
  options.longest_delay_ms = 600'000;
  return options;
}

template <class T>
auto core_of(T* handle, const char* name) {
  const Call call(handle, name);
  return handle->core;
}

std::size_t checked_sectors(std::uint32_t sectors) {
  if (sectors < 1 || sectors > kMostSectorsInMemory) {
    refuse("furrow_plotter_options: sectors_in_memory",
           "1 to " + std::to_string(kMostSectorsInMemory), sectors);
  }
  return sectors;
}

/// Pieces of the source, and those that it lacks rebuilt.
std::unique_ptr<RecoveringPieceGetter> recovering(const furrow_plotter_options& options,
                                                  const SharedPieceSource& source,
                                                  const std::shared_ptr<Library>& library) {
  RecoveringPieceGetterOptions recovery;
  if (const Manifest* const manifest = source.manifest) {
    recovery.identity = [manifest](SegmentIndex segment) {
      return manifest->segment_identity(segment);
    };
  }
  recovery.retry_delays = {.first = std::chrono::milliseconds(options.first_delay_ms),
                           .longest = std::chrono::milliseconds(options.longest_delay_ms),
                           .max_attempts = options.attempts};
  recovery.may_change = [may_change = source.may_change && options.attempts != 1] {
    return may_change;
  };
  // An attempt says what became of it no later than a caller who wants short delays expects.
  recovery.segment_policy.delay =
      std::min(recovery.segment_policy.delay, recovery.retry_delays.first);
  if (options.attempts == 1) {
    recovery.segment_policy.tries = 1;
  }
  recovery.on_rebuild = [library](PieceIndex index, const std::exception_ptr& error) {
    library->warn("piece " + std::to_string(index.value()) +
                  (error != nullptr ? " failed (" + message_of(error) + ")" : " is missing") +
                  "; others of its segment are asked for, to rebuild it");
  };
  recovery.on_failed_attempt = [library](const std::exception_ptr& error,
                                         std::chrono::milliseconds delay) {
    library->warn("pieces are missing (" + message_of(error) + "); next attempt in " +
                  std::to_string(delay.count()) + " ms");
  };
  return std::make_unique<RecoveringPieceGetter>(*source.getter, ErasureCoding(),
                                                 std::move(recovery));
}

/// Tells a caller of the sectors of one call.
class Teller {
 public:
  Teller(furrow_on_plot_event on_event, void* user) : on_event_(on_event), user_(user) {}

  void tell(SectorIndex sector, const PlottingEvent& event) {
    if (on_event_ == nullptr) {
      return;
    }
    if (std::holds_alternative<Encoding>(event)) {
      const Lock lock(mutex_);
      records_done_[sector] = 0;
    }
    furrow_plot_event told{};
    std::visit([&](const auto& one) { describe(one, told); }, event);
    tell(sector, told);
  }
  void tell_record(SectorIndex sector) {
    if (on_event_ == nullptr) {
      return;
    }
    furrow_plot_event told{};
    told.stage = FURROW_PLOT_RECORD;
    {
      const Lock lock(mutex_);
      told.records_done = ++records_done_[sector];
    }
    tell(sector, told);
  }

 private:
  static void describe(const Downloading&, furrow_plot_event& told) {
    told.stage = FURROW_PLOT_DOWNLOADING;
  }
  static void describe(const Downloaded& event, furrow_plot_event& told) {
    told.stage = FURROW_PLOT_DOWNLOADED;
    told.seconds = event.duration.count();
  }
  static void describe(const Encoding&, furrow_plot_event& told) {
    told.stage = FURROW_PLOT_ENCODING;
  }
  static void describe(const Encoded& event, furrow_plot_event& told) {
    told.stage = FURROW_PLOT_ENCODED;
    told.seconds = event.duration.count();
  }
  static void describe(const Writing&, furrow_plot_event& told) {
    told.stage = FURROW_PLOT_WRITING;
  }
  static void describe(const Finished& event, furrow_plot_event& told) {
    told.stage = FURROW_PLOT_FINISHED;
    told.seconds = event.duration.count();
  }
  static void describe(const Failed& event, furrow_plot_event& told) {
    told.stage = FURROW_PLOT_FAILED;
    told.message = event.error.c_str();
  }
  static void describe(const TryingAgain& event, furrow_plot_event& told) {
    told.stage = FURROW_PLOT_TRYING_AGAIN;
    told.message = event.error.c_str();
  }

  void tell(SectorIndex sector, furrow_plot_event told) const {
    told.size = sizeof(told);
    told.sector_index = sector.value();
    told.message = told.message != nullptr ? told.message : "";
    on_event_(user_, &told);
  }

  furrow_on_plot_event on_event_;
  void* user_;
  Mutex mutex_;
  std::map<SectorIndex, std::uint64_t> records_done_ FURROW_GUARDED_BY(mutex_);
};

/// An output that is wanted has its size, one that is not has none.
void check_output(const void* output, std::size_t actual, std::size_t expected, const char* name) {
  if (output == nullptr && actual == 0) {
    return;
  }
  check_pointer(output, name);
  if (actual != expected) {
    refuse(std::string("furrow_plot_sector_request: size of ") + name, std::to_string(expected),
           actual);
  }
}

void check_outputs(const furrow_plot_sector_request& request, std::uint16_t pieces) {
  if (request.sector == nullptr && request.metadata == nullptr &&
      request.piece_indices == nullptr && request.plotted_sector == nullptr) {
    throw InvalidArgument("furrow_plot_sector_request: no output is set");
  }
  check_output(request.sector, request.sector_size, sector_size(Network::kAbundance, pieces),
               "sector");
  check_output(request.metadata, request.metadata_size, FURROW_SECTOR_METADATA_SIZE, "metadata");
  check_output(request.piece_indices, request.piece_index_count, pieces, "piece_indices");
  check_output(request.plotted_sector, request.plotted_sector_size,
               furrow_plotted_sector_size(pieces), "plotted_sector");
  check_apart({{"sector", request.sector, request.sector_size, true},
               {"metadata", request.metadata, request.metadata_size, true},
               {"piece_indices", request.piece_indices,
                request.piece_index_count * sizeof(std::uint64_t), true},
               {"plotted_sector", request.plotted_sector, request.plotted_sector_size, true}});
}

/// A store knows how much history it has: pieces of more would be missing one by one.
void check_history(const SharedPieceSource& source, HistorySize wanted, const char* name) {
  if (source.manifest != nullptr && wanted > source.manifest->history_size()) {
    refuse(name,
           "at most " + std::to_string(source.manifest->history_size().count()) +
               ", as many segments as the source has",
           wanted.count());
  }
}

void copy_out(const std::vector<std::uint8_t>& from, std::uint8_t* to) {
  std::copy(from.begin(), from.end(), to);
}

furrow_status plot_sector(furrow_plotter* plotter, const furrow_plot_sector_request& request) {
  const Call call(plotter, "plotter");
  const SectorPlan plan = read_sector_plan(request.plan);
  check_outputs(request, plan.pieces_in_sector);
  check_history(*plotter->source, plan.protocol_info.history_size,
                "furrow_sector_plan: history_size");
  const AbortWatch abort(request.abort_flag, plotter->end());
  Teller teller(request.on_event, request.user);
  const PlotSectorOptions options{
      .download = {.piece_getter = *plotter->pieces},
      .encoder = *plotter->encoder->pool,
      .sectors = &plotter->sectors,
      .gate = plotter->gate.get(),
      .on_event = [&](const PlottingEvent& event) { teller.tell(plan.sector_index, event); },
      .on_record_done = [&] { teller.tell_record(plan.sector_index); }};
  const std::optional<PlottedSector> plotted = furrow::plot_sector(
      plan, options,
      [&](const EncodedSector& encoded) {
        if (request.sector != nullptr) {
          assemble_sector(encoded.contents_map, encoded.raw_sector.all_records(),
                          encoded.raw_sector.all_metadata(), {request.sector, request.sector_size});
        }
      },
      abort.token());
  if (!plotted.has_value()) {
    return FURROW_CANCELLED;
  }
  if (request.metadata != nullptr) {
    copy_out(plotted->sector_metadata.encode(), request.metadata);
  }
  for (std::size_t i = 0; i < request.piece_index_count; ++i) {
    const std::uint64_t index = plotted->piece_indexes[i].value();
    std::memcpy(reinterpret_cast<std::uint8_t*>(request.piece_indices) + i * sizeof(index), &index,
                sizeof(index));  // they may be misaligned
  }
  if (request.plotted_sector != nullptr) {
    copy_out(plotted->encode(), request.plotted_sector);
  }
  return FURROW_OK;
}

furrow_status plot_farm(furrow_plotter* plotter, const furrow_plot_farm_request& request,
                        std::size_t* given_up) {
  const Call call(plotter, "plotter");
  const Call farm_call(request.farm, "farm");
  if (given_up != nullptr) {
    *given_up = 0;
  }
  const std::shared_ptr<SharedFarm> farm = request.farm->core;
  if (farm->farm->mode() != FarmMode::kPlot) {
    throw InvalidArgument(
        "furrow: the farm in " + farm->farm->directory().native() + " is open for reading only",
        {.path = farm->farm->directory().native()});
  }
  check_reserved("furrow_plot_farm_request", "reserved0", request.reserved0);
  const HistorySize history_size =
      segments(request.history_size, "furrow_plot_farm_request: history_size");
  check_history(*plotter->source, history_size, "furrow_plot_farm_request: history_size");
  std::vector<SectorIndex> sectors =
      sectors_to_plot(*farm->farm, farm->farm->target_sector_count());
  if (request.most_sectors != 0 && request.most_sectors < sectors.size()) {
    sectors.resize(request.most_sectors);
  }
  const AbortWatch abort(request.abort_flag, plotter->end());
  std::stop_source stop;
  const std::stop_callback on_abort(abort.token(), [&] { stop.request_stop(); });
  const std::stop_callback on_farm_end(request.farm->end(), [&] { stop.request_stop(); });
  Teller teller(request.on_event, request.user);
  const PlotResult result = furrow::plot_farm(
      *farm->farm, sectors, history_size,
      {.download = {.piece_getter = *plotter->pieces},
       .encoders = *plotter->encoder->pool,
       .sectors_in_memory = plotter->sectors_in_memory,
       .gate = plotter->gate.get(),
       .on_event = [&](SectorIndex sector,
                       const PlottingEvent& event) { teller.tell(sector, event); },
       .on_record_done = [&](SectorIndex sector) { teller.tell_record(sector); }},
      stop.get_token());
  if (given_up != nullptr) {
    *given_up = result.given_up.size();
  }
  return result.outcome == PlotOutcome::kFinished ? FURROW_OK : FURROW_CANCELLED;
}

}  // namespace
}  // namespace furrow::capi

furrow_plotter::furrow_plotter(std::shared_ptr<furrow::capi::Library> of,
                               const furrow_plotter_options& options)
    : Handle("plotter", std::move(of)),
      encoder(furrow::capi::core_of(options.encoder, "encoder")),
      source(furrow::capi::core_of(options.source, "source")),
      gate(furrow::capi::gate_of(options.gate)),
      sectors_in_memory(furrow::capi::checked_sectors(options.sectors_in_memory)),
      sectors(sectors_in_memory),
      pieces(furrow::capi::recovering(options, *source, library())) {}

using furrow::capi::Call;
using furrow::capi::check_pointer;
using furrow::capi::guarded;

extern "C" {

void furrow_plotter_options_init(furrow_plotter_options* options, size_t size) {
  furrow::capi::init_struct(options, size, furrow::capi::default_plotter_options());
}

furrow_status furrow_plotter_create(furrow_library* library, const furrow_plotter_options* options,
                                    furrow_plotter** plotter) {
  return guarded([&] {
    check_pointer(plotter, "plotter");
    *plotter = nullptr;
    const Call call(library, "library");
    *plotter = new furrow_plotter(library->library(),
                                  furrow::capi::read_struct(options, "furrow_plotter_options"));
    return FURROW_OK;
  });
}

void furrow_plotter_destroy(furrow_plotter* plotter) {
  furrow::capi::destroy(plotter);
}

void furrow_plot_sector_request_init(furrow_plot_sector_request* request, size_t size) {
  furrow::capi::init_struct(request, size, furrow_plot_sector_request{});
}

furrow_status furrow_plotter_plot_sector(furrow_plotter* plotter,
                                         const furrow_plot_sector_request* request) {
  return guarded([&] {
    return furrow::capi::plot_sector(
        plotter, furrow::capi::read_struct(request, "furrow_plot_sector_request"));
  });
}

void furrow_plot_farm_request_init(furrow_plot_farm_request* request, size_t size) {
  furrow::capi::init_struct(request, size, furrow_plot_farm_request{});
}

furrow_status furrow_plotter_plot_farm(furrow_plotter* plotter,
                                       const furrow_plot_farm_request* request, size_t* given_up) {
  return guarded([&] {
    return furrow::capi::plot_farm(
        plotter, furrow::capi::read_struct(request, "furrow_plot_farm_request"), given_up);
  });
}

}  // extern "C"
