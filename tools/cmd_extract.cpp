#include <chrono>
#include <memory>
#include <optional>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "host/archive/file_restore.hpp"
#include "host/farm/farm_piece_getter.hpp"
#include "host/pieces/segment_download.hpp"
#include "tools/cli_support.hpp"
#include "tools/progress.hpp"

namespace furrow::cli {
namespace {

struct Arguments {
  std::string farm;
  std::string manifest;
  std::string out;
  unsigned threads = 0;
};

void run(const Arguments& arguments, const std::stop_token& stop) {
  const auto start = std::chrono::steady_clock::now();
  const unsigned threads = thread_count(arguments.threads);
  const Manifest manifest = Manifest::load(arguments.manifest);
  const std::unique_ptr<Farm> farm =
      Farm::open({.directory = arguments.farm, .genesis_root = manifest.genesis_root()});
  FarmPieceGetter getter(*farm, {.threads = threads, .on_remark = [](const std::string& remark) {
                                   spdlog::warn("{}", remark);
                                 }});
  const ErasureCoding erasure;

  std::optional<Progress> progress;
  const SegmentSource segments = [&](SegmentIndex segment) {
    // What the farm cannot give now, it cannot give later either: one try.
    std::optional<SourceRecords> records =
        download_source_records(getter, erasure, manifest.segment_identity(segment), stop,
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
  CLI::App* command =
      app.add_subcommand("extract", "Rebuild the archived files from the farm alone");
  command->add_option("--farm", arguments->farm, "Directory of the farm")->required();
  command->add_option("--manifest", arguments->manifest, "manifest.json of the archive")
      ->required();
  command->add_option("--out", arguments->out, "Directory to create, or an empty one")->required();
  command->add_option("--threads", arguments->threads, "Threads; 0 means one for each processor");
  add_simd_option(*command);
  command->callback([arguments, stop = std::move(stop)] { run(*arguments, stop); });
}

}  // namespace furrow::cli
