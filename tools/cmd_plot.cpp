#include <chrono>
#include <memory>
#include <optional>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <spdlog/spdlog.h>

#include "host/farm/plot_farm.hpp"
#include "host/pieces/segment_download.hpp"
#include "host/pieces/store_piece_getter.hpp"
#include "host/store/buffer_pool.hpp"
#include "tools/cli_support.hpp"
#include "tools/engine_options.hpp"
#include "tools/plot_progress.hpp"
#include "tools/plot_target.hpp"

namespace furrow::cli {
namespace {

struct Arguments {
  PlotTargetOptions target;
  EngineOptions engine;
  std::string pieces;
  std::string progress = "auto";
  bool json = false;
};

ProgressStyle style_of(const Arguments& arguments) {
  return arguments.progress == "json" ? ProgressStyle::kJson
         : arguments.json             ? ProgressStyle::kQuiet
                                      : ProgressStyle::kText;
}

std::string reason_of(const std::exception_ptr& error) {
  if (error == nullptr) {
    return "not in the store";
  }
  try {
    std::rethrow_exception(error);
  } catch (const std::exception& e) {
    return e.what();
  }
}

/// Where pieces come from, and how they are rebuilt.
class Pieces {
 public:
  Pieces(StorePieceGetter& store, SimdMode mode, unsigned threads)
      : store_(store), erasure_(mode), threads_(threads) {}

  DownloadOptions download_options() {
    return {.piece_getter = store_,
            .recover_piece = [this](PieceIndex index,
                                    const std::stop_token& stop) { return recover(index, stop); },
            .retry_delays = {.max_attempts = 1},  // what a local store lacks, it lacks for good
            .on_piece_failed =
                [this](PieceIndex index, const std::exception_ptr& error) {
                  const std::string text =
                      fmt::format("piece {}: {}", index.value(), reason_of(error));
                  spdlog::warn("{}; rebuilding it from the rest of its segment", text);
                  const std::lock_guard lock(mutex_);
                  if (error != nullptr) {
                    damaged_.push_back(text);
                  }
                }};
  }
  /// Pieces that are damaged; they were rebuilt. Pre: no download is under way.
  [[nodiscard]] const std::vector<std::string>& damaged() const { return damaged_; }

 private:
  PiecePtr recover(PieceIndex index, const std::stop_token& stop) {
    PiecePtr piece = recover_missing_piece(
        store_, erasure_, index, store_.manifest().segment_identity(segment_index_of(index)), stop,
        {.tries = 1}, {.threads = threads_});
    if (piece == nullptr) {
      throw Interrupted();
    }
    return piece;
  }

  StorePieceGetter& store_;
  ErasureCoding erasure_;
  unsigned threads_;
  std::mutex mutex_;
  std::vector<std::string> damaged_;
};

/// Plots what is missing; throws Interrupted when it was asked to stop.
void plot(const Arguments& arguments, const EncoderChoice& choice, const PlotTarget& target,
          const MemoryPlan& plan, const Manifest& manifest, Pieces& pieces, PlotProgress& progress,
          const std::stop_token& stop, Gate& gate) {
  Farm& farm = *target.farm;
  const std::vector<SectorIndex> todo = sectors_to_plot(farm, target.sectors);
  EncoderSettings settings = encoder_settings(arguments.engine, plan);
  settings.gate = &gate;
  settings.on_record_done = [&] { progress.record_done(); };
  const std::unique_ptr<EncoderPool> encoders = make_encoder_pool(choice, std::move(settings));
  progress.say(fmt::format(
      "farm {}: {} of {} sectors to plot, {} pieces in each ({}), history of {} segments, "
      "encoder {}",
      farm.directory().native(), todo.size(), target.sectors, farm.pieces_in_sector(),
      size_text(farm.sector_size()), manifest.segments.size(), encoders->name()));
  progress.plan(plan);
  if (todo.empty()) {
    return;
  }
  StageClock clock(encoders->size(), &gate);
  progress.start({.sectors = todo.size(),
                  .records = todo.size() * std::uint64_t{farm.pieces_in_sector()},
                  .sectors_present = target.sectors - todo.size(),
                  .pieces_in_sector = farm.pieces_in_sector()},
                 *encoders, clock);
  const PlotPipelineOptions options{.download = pieces.download_options(),
                                    .encoders = *encoders,
                                    .sectors_in_memory = plan.settings.sectors_in_memory,
                                    .output_buffers = plan.settings.output_buffers,
                                    .gate = &gate,
                                    .clock = &clock,
                                    .on_event = [&](SectorIndex index, const PlottingEvent& event) {
                                      progress.event(index, event);
                                    }};
  const PlotOutcome outcome = plot_farm(farm, todo, protocol_info(manifest), options, stop);
  progress.finish();
  if (outcome == PlotOutcome::kCancelled) {
    throw Interrupted();
  }
}

void print_summary(const Arguments& arguments, const Farm& farm, const PlotProgress& progress,
                   const std::vector<std::string>& damaged, double seconds) {
  if (!arguments.json && arguments.progress != "json") {
    fmt::print("farm {} has {} sectors; {} plotted now in {:.1f} s\n", arguments.target.farm,
               farm.sector_count(), progress.sectors_done(), seconds);
    return;
  }
  nlohmann::ordered_json result;
  if (arguments.progress == "json") {
    result["event"] = "summary";
  }
  result["farm"] = arguments.target.farm;
  result["sectors"] = farm.sector_count();
  result["plotted_now"] = progress.sectors_done();
  result["pieces_in_sector"] = farm.pieces_in_sector();
  result["damaged_pieces"] = damaged;
  result["seconds"] = seconds;
  fmt::print("{}\n", result.dump());
}

void run(const Arguments& arguments, const std::stop_token& stop, Gate& gate) {
  const auto start = std::chrono::steady_clock::now();
  // Unknown names and sizes, and limits that are too low, are refused before anything is created.
  const EncoderChoice choice = chosen_encoder(arguments.engine);
  StorePieceGetter store(arguments.pieces,
                         {.on_warning = [](const std::string& line) { spdlog::warn("{}", line); }});
  const MemoryPlan plan = memory_plan(
      arguments.engine, choice, planned_pieces_in_sector(arguments.target), BufferPool::kSlots);
  static_cast<void>(encoder_settings(arguments.engine, plan));
  const PlotTarget target = open_plot_target(arguments.target, store.manifest());
  for (const std::string& warning : target.farm->warnings()) {
    spdlog::warn("{}", warning);
  }
  Pieces pieces(store, choice.mode, plan.settings.threads);
  PlotProgress progress(style_of(arguments));
  plot(arguments, choice, target, plan, store.manifest(), pieces, progress, stop, gate);
  print_summary(arguments, *target.farm, progress, pieces.damaged(),
                std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  const std::vector<std::string>& damaged = pieces.damaged();
  if (!damaged.empty()) {
    throw DamagedStore(
        fmt::format("the store {} is damaged: {} {} rebuilt, the first one was {}; "
                    "the farm is complete",
                    arguments.pieces, damaged.size(),
                    damaged.size() == 1 ? "piece was" : "pieces were", damaged.front()));
  }
}

}  // namespace

void add_plot_command(CLI::App& app, std::stop_token stop, Gate& gate) {
  const auto arguments = std::make_shared<Arguments>();
  PlotTargetOptions& target = arguments->target;
  CLI::App* command =
      app.add_subcommand("plot", "Plot sectors of a farm from the pieces of a store");
  command->add_option("--farm", target.farm, "Directory of the farm; created when absent")
      ->required();
  command->add_option("--pieces", arguments->pieces, "Store made by furrow archive")->required();
  CLI::Option* sectors = command->add_option(
      "--sectors", target.sectors, "Sectors that the farm shall have in all; more are kept");
  CLI::Option* size = command->add_option(
      "--size", target.size, "Space for the farm instead, such as 100GiB; all of it is plotted");
  CLI::Option* covered =
      command->add_flag("--until-covered", target.until_covered,
                        "As many sectors as rebuild the whole history from the farm alone");
  sectors->excludes(size)->excludes(covered);
  size->excludes(covered);
  command->add_option("--pieces-in-sector", target.pieces_in_sector,
                      "1 to 1000, fixed when the farm is created; 1000 if not given");
  add_engine_options(*command, arguments->engine);
  command
      ->add_option("--progress", arguments->progress,
                   "auto (a bar on a terminal, else lines), or json: an object a line on stdout")
      ->check(CLI::IsMember({"auto", "json"}))
      ->capture_default_str();
  command->add_flag("--json", arguments->json, "Print the summary as JSON and nothing else");
  command->footer("SIGUSR2 pauses plotting within one batch of records, and lets it go on.");
  command->callback([arguments, stop = std::move(stop), &gate] { run(*arguments, stop, gate); });
}

}  // namespace furrow::cli
