#include <chrono>
#include <memory>
#include <optional>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "host/archive/file_restore.hpp"
#include "host/farm/farm_piece_getter.hpp"
#include "host/pieces/segment_download.hpp"
#include "host/pieces/store_piece_getter.hpp"
#include "tools/cli_support.hpp"
#include "tools/progress.hpp"

namespace furrow::cli {
namespace {

struct Arguments {
  std::string farm;
  std::string pieces;
  std::string manifest;
  std::string out;
  unsigned threads = 0;
};

/// An archive and where its pieces come from.
struct Source {
  Manifest manifest;
  std::unique_ptr<Farm> farm;  // outlives the getter; null for a store
  std::unique_ptr<PieceGetter> getter;
};

Source farm_source(const Arguments& arguments, unsigned threads) {
  Source source;
  source.manifest = Manifest::load(arguments.manifest);
  source.farm =
      Farm::open({.directory = arguments.farm, .genesis_root = source.manifest.genesis_root()});
  source.getter = std::make_unique<FarmPieceGetter>(
      *source.farm,
      FarmPieceGetter::Options{.threads = threads, .on_remark = [](const std::string& remark) {
                                 spdlog::warn("{}", remark);
                               }});
  return source;
}

Source store_source(const Arguments& arguments) {
  StorePieceGetterOptions options;
  options.on_warning = [](const std::string& line) { spdlog::warn("{}", line); };
  auto getter = std::make_unique<StorePieceGetter>(arguments.pieces, std::move(options));
  Source source;
  source.manifest = getter->manifest();
  source.getter = std::move(getter);
  return source;
}

void run(const Arguments& arguments, const std::stop_token& stop) {
  const auto start = std::chrono::steady_clock::now();
  const unsigned threads = thread_count(arguments.threads);
  const Source source =
      arguments.pieces.empty() ? farm_source(arguments, threads) : store_source(arguments);
  const Manifest& manifest = source.manifest;
  const ErasureCoding erasure;

  std::optional<Progress> progress;
  const SegmentSource segments = [&](SegmentIndex segment) {
    // What farm or store cannot give now, they cannot give later either: one try.
    std::optional<SourceRecords> records =
        download_source_records(*source.getter, erasure, manifest.segment_identity(segment), stop,
                                {.tries = 1}, {.threads = threads});
    if (!records.has_value()) {
      throw Interrupted();
    }
    return *std::move(records);
  };
  RestoreOptions options;
  options.progress = [&](const RestoreProgress& now) {
    if (stop.stop_requested()) {
      throw Interrupted();
    }
    if (!progress.has_value()) {
      progress.emplace("extract", "bytes", now.bytes_total);
    }
    progress->set(now.bytes_done);
  };
  options.log = [](const std::string& remark) { fmt::print(stderr, "furrow: {}\n", remark); };
  restore_files(manifest, segments, arguments.out, options);
  progress.reset();
  fmt::print("extracted {} entries from {} segments to {} in {:.1f} s\n", manifest.entries.size(),
             manifest.segments.size(), arguments.out,
             std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
}

}  // namespace

void add_extract_command(CLI::App& app, std::stop_token stop) {
  const auto arguments = std::make_shared<Arguments>();
  CLI::App* command = app.add_subcommand(
      "extract", "Rebuild the archived files from the farm alone, or from the store");
  CLI::Option_group* source = command->add_option_group("Source of the pieces");
  source->require_option(1);
  CLI::Option* farm = source->add_option("--farm", arguments->farm, "Directory of the farm");
  CLI::Option* pieces =
      source->add_option("--pieces", arguments->pieces, "Store made by furrow archive");
  CLI::Option* manifest =
      command->add_option("--manifest", arguments->manifest,
                          "manifest.json of the archive, with --farm; a store has its own");
  farm->needs(manifest);
  manifest->excludes(pieces);
  command->add_option("--out", arguments->out, "Directory to create, or an empty one")->required();
  command->add_option("--threads", arguments->threads,
                      "Threads; 0 means one for each processor that may be used");
  add_simd_option(*command);
  command->callback([arguments, stop = std::move(stop)] { run(*arguments, stop); });
}

}  // namespace furrow::cli
