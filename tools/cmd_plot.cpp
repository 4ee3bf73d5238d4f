#include <chrono>
#include <memory>
#include <optional>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "host/farm/farm.hpp"
#include "host/farm/piece_locator.hpp"
#include "host/pieces/segment_download.hpp"
#include "host/pieces/store_piece_getter.hpp"
#include "host/plotting/encoder_choice.hpp"
#include "host/plotting/plotting.hpp"
#include "host/primitives/sector_id.hpp"
#include "nlohmann/json.hpp"
#include "tools/cli_support.hpp"
#include "tools/progress.hpp"

namespace furrow::cli {
namespace {

struct Arguments {
  std::string farm;
  std::string pieces;
  std::optional<std::uint64_t> sectors;
  std::optional<std::string> size;
  bool until_covered = false;
  std::optional<std::uint64_t> pieces_in_sector;
  unsigned threads = 0;
  std::string encoder = "auto";
  std::vector<std::string> devices;
  std::optional<std::string> vram_limit;
  std::size_t verify_records = 1;
  bool json = false;
};

/// Pieces in sector when neither the farm nor the user says otherwise: the protocol's maximum.
constexpr std::uint16_t kDefaultPiecesInSector = kMaxPiecesInSector;

std::uint16_t checked(std::uint64_t value, std::uint64_t most, const char* what) {
  if (value == 0 || value > most) {
    throw InvalidArgument(fmt::format("{}: expected 1 to {}, actual {}", what, most, value));
  }
  return static_cast<std::uint16_t>(value);
}

/// The size that the user wants, as far as it is known before the farm is open.
struct WantedSize {
  std::optional<std::uint16_t> sectors;
  std::optional<std::uint64_t> allocated_space;
};

/// The info file is written last, so an empty one is what an interrupted creation leaves.
bool farm_exists(const std::filesystem::path& directory) {
  std::error_code absent;
  const std::uintmax_t size = std::filesystem::file_size(directory / kFarmInfoFileName, absent);
  return !absent && size != 0;
}

FarmOptions farm_options(const Arguments& arguments, const Manifest& manifest) {
  FarmOptions options;
  options.directory = arguments.farm;
  options.mode = FarmMode::kPlot;
  options.genesis_root = manifest.genesis_root();
  if (arguments.pieces_in_sector.has_value()) {
    options.pieces_in_sector =
        checked(*arguments.pieces_in_sector, kMaxPiecesInSector, "--pieces-in-sector");
  }
  return options;
}

FarmerProtocolInfo protocol_info(const Manifest& manifest) {
  FarmerProtocolInfo info;
  info.history_size = manifest.history_size();
  return info;
}

std::uint16_t sectors_to_cover(const Farm& farm, const FarmerProtocolInfo& info) {
  std::vector<std::optional<PlottedSectorId>> existing;
  for (std::uint16_t i = 0; i < farm.sector_count(); ++i) {
    const SectorIndex index(i);
    existing.push_back(farm.sector_state(index) == SectorState::kPlotted
                           ? std::optional(PlottedSectorId{
                                 farm.sector_id(index), farm.sector_metadata(index)->history_size})
                           : std::nullopt);
  }
  return sectors_to_cover_history(farm.identity().public_key_hash(),
                                  farm.shard_commitments_root(info.history_size), info,
                                  farm.pieces_in_sector(), existing);
}

/// An open farm and how many sectors it shall have in the end.
struct Target {
  std::unique_ptr<Farm> farm;
  std::uint16_t sectors;
};

/// Opens the farm with room for `sectors`; a farm that is larger stays so.
std::unique_ptr<Farm> open_with_room(FarmOptions options, std::uint16_t sectors) {
  if (farm_exists(options.directory)) {
    std::unique_ptr<Farm> farm = Farm::open(options);
    if (farm->target_sector_count() >= sectors) {
      return farm;
    }
    options.allocated_space = allocated_space_for_sectors(sectors, farm->pieces_in_sector());
  } else {
    options.allocated_space = allocated_space_for_sectors(
        sectors, options.pieces_in_sector.value_or(kDefaultPiecesInSector));
  }
  return Farm::open(options);
}

/// How many sectors cover the history depends on the key, so a new farm gets room for one sector
/// first; if it then cannot grow, it is removed again.
Target open_until_covered(const FarmOptions& options, const FarmerProtocolInfo& info) {
  const bool is_new = !farm_exists(options.directory);
  const bool directory_is_new = !std::filesystem::exists(options.directory);
  const std::uint16_t sectors = sectors_to_cover(*open_with_room(options, 1), info);
  try {
    return {open_with_room(options, sectors), sectors};
  } catch (...) {
    if (is_new) {
      std::error_code ignored;
      for (const char* name :
           {kPlotFileName, kMetadataFileName, kFarmInfoFileName, kIdentityFileName}) {
        std::filesystem::remove(options.directory / name, ignored);
      }
      if (directory_is_new) {
        std::filesystem::remove(options.directory, ignored);
      }
    }
    throw;
  }
}

Target open_farm(const Arguments& arguments, const Manifest& manifest) {
  FarmOptions options = farm_options(arguments, manifest);
  if (arguments.until_covered) {
    return open_until_covered(options, protocol_info(manifest));
  }
  if (arguments.sectors.has_value()) {
    const std::uint16_t sectors = checked(*arguments.sectors, kMaxSectors, "--sectors");
    return {open_with_room(options, sectors), sectors};
  }
  if (arguments.size.has_value()) {
    options.allocated_space = parse_size(*arguments.size);
  } else if (!farm_exists(options.directory)) {
    throw InvalidArgument("a new farm needs a size: --sectors, --size or --until-covered");
  }
  std::unique_ptr<Farm> farm = Farm::open(options);
  const std::uint16_t sectors = farm->target_sector_count();
  return {std::move(farm), sectors};
}

/// Sectors that are not there or lost, among the first `count`.
std::vector<SectorIndex> sectors_to_plot(const Farm& farm, std::uint16_t count) {
  std::vector<SectorIndex> result;
  for (std::uint16_t i = 0; i < count; ++i) {
    if (farm.sector_state(SectorIndex(i)) != SectorState::kPlotted) {
      result.emplace_back(i);
    }
  }
  return result;
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

/// Plots sectors one after another and keeps count.
class PlotRun {
 public:
  PlotRun(const Arguments& arguments, const EncoderChoice& choice, StorePieceGetter& store,
          Farm& farm, std::uint16_t sectors, std::stop_token stop)
      : arguments_(arguments),
        store_(store),
        farm_(farm),
        todo_(sectors_to_plot(farm, sectors)),
        total_(sectors),
        stop_(std::move(stop)),
        progress_("plot", "records", todo_.size() * std::uint64_t{farm.pieces_in_sector()}),
        erasure_(choice.mode),
        encoder_(make_records_encoder(choice, encoder_settings())) {}

  void plot_all() {
    say(fmt::format(
        "farm {}: {} of {} sectors to plot, {} pieces in each ({}), history of {} "
        "segments, encoder {}",
        farm_.directory().native(), todo_.size(), total_, farm_.pieces_in_sector(),
        size_text(farm_.sector_size()), store_.manifest().segments.size(), encoder_->name()));
    for (const SectorIndex index : todo_) {
      plot_one(index);
    }
  }

  [[nodiscard]] std::size_t plotted() const { return plotted_; }
  /// Pieces of the store that are damaged; they were rebuilt.
  [[nodiscard]] const std::vector<std::string>& damaged() const { return damaged_; }

 private:
  void say(const std::string& line) {
    if (!arguments_.json) {
      progress_.print_line(line);
    }
  }

  EncoderSettings encoder_settings() {
    return {
        .cpu = {.threads = thread_count(arguments_.threads),
                .on_record_done = [this] { progress_.add(1); }},
        .vram_limit = arguments_.vram_limit.has_value() ? parse_size(*arguments_.vram_limit) : 0,
        .verify_records = arguments_.verify_records,
        .on_warning = [](const std::string& line) { spdlog::warn("{}", line); }};
  }

  void plot_one(SectorIndex index) {
    const auto start = std::chrono::steady_clock::now();
    const FarmerProtocolInfo info = protocol_info(store_.manifest());
    const std::optional<ModificationMark> mark = farm_.begin_modifying(index);
    const SectorPlan plan{.public_key_hash = farm_.identity().public_key_hash(),
                          .shard_commitments_root = farm_.shard_commitments_root(info.history_size),
                          .sector_index = index,
                          .protocol_info = info,
                          .pieces_in_sector = farm_.pieces_in_sector()};
    const PlotOptions options{.download = download_options(),
                              .encoder = *encoder_,
                              .on_event = [this](const PlottingEvent& event) {
                                if (std::holds_alternative<Encoding>(event)) {
                                  // Not where the count is, if this sector is encoded again because
                                  // a device was wrong.
                                  progress_.set(plotted_ * std::uint64_t{farm_.pieces_in_sector()});
                                }
                              }};
    const std::optional<PlottedSector> plotted = plot_sector(plan, options, buffer_, stop_);
    if (!plotted.has_value()) {
      throw Interrupted();
    }
    farm_.write_sector(index, buffer_, plotted->sector_metadata);
    ++plotted_;
    say(fmt::format(
        "sector {} finished ({} of {}), {} pieces, {:.1f} s", index.value(),
        total_ - todo_.size() + plotted_, total_, farm_.pieces_in_sector(),
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count()));
  }

  DownloadOptions download_options() {
    return {.piece_getter = store_,
            .recover_piece = [this](PieceIndex index,
                                    std::stop_token stop) { return recover(index, stop); },
            .retry_delays = {.max_attempts = 1},  // what a local store lacks, it lacks for good
            .on_piece_failed =
                [this](PieceIndex index, const std::exception_ptr& error) {
                  const std::string text =
                      fmt::format("piece {}: {}", index.value(), reason_of(error));
                  spdlog::warn("{}; rebuilding it from the rest of its segment", text);
                  if (error != nullptr) {
                    damaged_.push_back(text);
                  }
                }};
  }

  PiecePtr recover(PieceIndex index, std::stop_token stop) {
    PiecePtr piece = recover_missing_piece(
        store_, erasure_, index, store_.manifest().segment_identity(segment_index_of(index)),
        std::move(stop), {.tries = 1}, {.threads = thread_count(arguments_.threads)});
    if (piece == nullptr) {
      throw Interrupted();
    }
    return piece;
  }

  const Arguments& arguments_;
  StorePieceGetter& store_;
  Farm& farm_;
  std::vector<SectorIndex> todo_;
  std::size_t total_;
  std::stop_token stop_;
  Progress progress_;
  ErasureCoding erasure_;
  std::unique_ptr<RecordsEncoder> encoder_;
  std::vector<std::uint8_t> buffer_;
  std::size_t plotted_ = 0;
  std::vector<std::string> damaged_;
};

void run(const Arguments& arguments, const std::stop_token& stop) {
  const auto start = std::chrono::steady_clock::now();
  // Unknown names and sizes are refused before anything is created.
  const EncoderChoice choice = choose_encoder(arguments.encoder, arguments.devices);
  if (arguments.vram_limit.has_value()) {
    parse_size(*arguments.vram_limit);
  }
  if (!choice.note.empty()) {
    spdlog::info("{}", choice.note);
  }
  StorePieceGetter store(arguments.pieces,
                         {.on_warning = [](const std::string& line) { spdlog::warn("{}", line); }});
  const Target target = open_farm(arguments, store.manifest());
  for (const std::string& warning : target.farm->warnings()) {
    spdlog::warn("{}", warning);
  }
  std::size_t plotted = 0;
  std::vector<std::string> damaged;
  {
    PlotRun plot(arguments, choice, store, *target.farm, target.sectors, stop);
    plot.plot_all();
    plotted = plot.plotted();
    damaged = plot.damaged();
  }
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  if (arguments.json) {
    const nlohmann::ordered_json result = {
        {"farm", arguments.farm},    {"sectors", target.farm->sector_count()},
        {"plotted_now", plotted},    {"pieces_in_sector", target.farm->pieces_in_sector()},
        {"damaged_pieces", damaged}, {"seconds", seconds}};
    fmt::print("{}\n", result.dump());
  } else {
    fmt::print("farm {} has {} sectors; {} plotted now in {:.1f} s\n", arguments.farm,
               target.farm->sector_count(), plotted, seconds);
  }
  if (!damaged.empty()) {
    throw DamagedStore(
        fmt::format("the store {} is damaged: {} {} rebuilt, the first one was {}; "
                    "the farm is complete",
                    arguments.pieces, damaged.size(),
                    damaged.size() == 1 ? "piece was" : "pieces were", damaged.front()));
  }
}

}  // namespace

void add_plot_command(CLI::App& app, std::stop_token stop) {
  const auto arguments = std::make_shared<Arguments>();
  CLI::App* command =
      app.add_subcommand("plot", "Plot sectors of a farm from the pieces of a store");
  command->add_option("--farm", arguments->farm, "Directory of the farm; created when absent")
      ->required();
  command->add_option("--pieces", arguments->pieces, "Store made by furrow archive")->required();
  CLI::Option* sectors = command->add_option(
      "--sectors", arguments->sectors, "Sectors that the farm shall have in all; more are kept");
  CLI::Option* size =
      command->add_option("--size", arguments->size,
                          "Space for the farm instead, such as 100GiB; all of it is plotted");
  CLI::Option* covered =
      command->add_flag("--until-covered", arguments->until_covered,
                        "As many sectors as rebuild the whole history from the farm alone");
  sectors->excludes(size)->excludes(covered);
  size->excludes(covered);
  command->add_option("--pieces-in-sector", arguments->pieces_in_sector,
                      "1 to 1000, fixed when the farm is created; 1000 if not given");
  command->add_option("--threads", arguments->threads, "Threads; 0 means one for each processor");
  add_simd_option(*command);
  command
      ->add_option("--encoder", arguments->encoder,
                   "auto (CUDA devices, the CPU if there are none), cuda, cpu or cpu-scalar")
      ->capture_default_str();
  command
      ->add_option("--device", arguments->devices,
                   "CUDA device to use, by index or UUID; may be given several times; all that "
                   "are supported if not given")
      ->allow_extra_args(false);
  command->add_option("--vram-limit", arguments->vram_limit,
                      "Most memory to use on each device, such as 6GiB; what is free if not given");
  command
      ->add_option("--verify-records", arguments->verify_records,
                   "Records of each sector that are encoded on the CPU as well, to verify devices")
      ->capture_default_str();
  command->add_flag("--json", arguments->json, "Print the summary as JSON and nothing else");
  command->callback([arguments, stop = std::move(stop)] { run(*arguments, stop); });
}

}  // namespace furrow::cli
