// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "host/archive/file_restore.hpp"
#include "host/base/counted.hpp"
#include "host/base/printable.hpp"
#include "host/farm/data_directories.hpp"
#include "host/farm/farm_piece_getter.hpp"
#include "host/pieces/segment_download.hpp"
#include "host/pieces/source_errors.hpp"
#include "host/pieces/store_piece_getter.hpp"
#include "tools/commands.hpp"
#include "tools/compute_options.hpp"
#include "tools/create_option.hpp"
#include "tools/exit_code.hpp"
#include "tools/genesis_root_option.hpp"
#include "tools/interrupt_watch.hpp"
#include "tools/open_farm.hpp"
#include "tools/progress.hpp"
#include "tools/standard_output.hpp"
#include "tools/terminal.hpp"

namespace furrow::cli {
namespace {

struct ExtractArguments {
  std::string farm;
  std::string pieces;
  std::string manifest;
  std::string out;
  MakeDirectory create = MakeDirectory::kLastOnly;
  std::optional<Hash> genesis_root;
  unsigned threads = 0;
};

/// Counts the pieces that another getter gives.
class CountingGetter final : public PieceGetter {
 public:
  explicit CountingGetter(PieceGetter& getter) : getter_(getter) {}
  void get_pieces(std::span<const PieceIndex> indices, const Sink& sink,
                  std::stop_token stop) override {
    getter_.get_pieces(
        indices,
        [&](PieceIndex index, PieceAnswer answer) {
          const bool is_found = answer.piece != nullptr;
          sink(index, std::move(answer));
          if (is_found && on_piece) {
            on_piece();
          }
        },
        std::move(stop));
  }

  std::function<void()> on_piece;

 private:
  PieceGetter& getter_;
};

/// An archive and where its pieces come from.
struct Source {
  Manifest manifest;
  std::unique_ptr<Farm> farm;  // outlives the getter; null for a store
  std::unique_ptr<PieceGetter> getter;
  const StorePieceGetter* store = nullptr;  // the getter, when it is one
};

/// What of a farm or store is broken although everything could be had without it.
class Damage {
 public:
  void add(const std::string& text) {
    spdlog::warn("{}", text);
    ++n_;
    first_ = first_.empty() ? text : first_;
  }
  void throw_if_any(const std::string& what) const {
    if (n_ != 0) {
      throw DoneButBroken(
          fmt::format("{} is damaged in {} {}, the first one was {}; all files were "
                      "extracted",
                      what, n_, n_ == 1 ? "place" : "places", first_));
    }
  }

 private:
  std::size_t n_ = 0;
  std::string first_;
};

Source farm_source(const ExtractArguments& arguments, unsigned threads) {
  Source source;
  source.manifest = Manifest::load(arguments.manifest);
  source.farm = open_farm({.directory = arguments.farm,
                           .genesis_root = source.manifest.genesis_root(arguments.genesis_root)});
  source.getter = std::make_unique<FarmPieceGetter>(
      *source.farm,
      FarmPieceGetter::Options{.threads = threads, .on_remark = [](const std::string& remark) {
                                 spdlog::warn("{}", remark);
                               }});
  return source;
}

Source store_source(const ExtractArguments& arguments) {
  StorePieceGetterOptions options;
  options.on_warning = [](const std::string& line) { spdlog::warn("{}", line); };
  auto getter = std::make_unique<StorePieceGetter>(arguments.pieces, std::move(options));
  Source source;
  source.manifest = getter->manifest();
  source.store = getter.get();
  source.getter = std::move(getter);
  return source;
}

void run_extract(const ExtractArguments& arguments, const std::stop_token& stop) {
  const auto start = std::chrono::steady_clock::now();
  require_outside_data("--out", arguments.out);
  const unsigned threads = thread_count(arguments.threads);
  const Source source =
      arguments.pieces.empty() ? farm_source(arguments, threads) : store_source(arguments);
  const Manifest& manifest = source.manifest;
  const ErasureCoding erasure;

  Damage damage;
  const OnPieceFailed on_failed = [&](PieceIndex index, const std::exception_ptr& error) {
    damage.add(
        fmt::format("piece {}: {}; it is rebuilt from others", index.value(), message_of(error)));
  };
  std::optional<Progress> progress(std::in_place, "extract", "file");
  CountingGetter getter(*source.getter);
  // Getting the pieces is what takes time: those of segments before, and of the one under way.
  RestoreProgress restored;
  std::uint64_t pieces_of_segment = 0;
  const auto show = [&] {
    const std::uint64_t pieces =
        restored.segments_read * kNumRawRecords + std::min(pieces_of_segment, kNumRawRecords);
    progress->set({.share = share_of(pieces, manifest.segments.size() * kNumRawRecords),
                   .bytes_total = restored.bytes_total,
                   .items_done = restored.files_done,
                   .items_total = restored.files_total});
  };
  getter.on_piece = [&] {
    ++pieces_of_segment;
    show();
  };
  const SegmentSource segments = [&](SegmentIndex segment) {
    // What farm or store cannot give now, they cannot give later either: one try.
    std::optional<SourceRecords> records =
        download_source_records(getter, erasure, manifest.segment_identity(segment), stop,
                                {.tries = 1}, {.threads = threads}, on_failed);
    if (!records.has_value()) {
      throw Interrupted();
    }
    return *std::move(records);
  };
  RestoreOptions options;
  options.make_directory = arguments.create;
  options.stop = stop;
  options.progress = [&](const RestoreProgress& now) {
    if (now.segments_read != restored.segments_read) {
      pieces_of_segment = 0;
    }
    restored = now;
    show();
  };
  options.log = [](const std::string& remark) { terminal().line("furrow: " + remark); };
  const bool is_restored = restore_files(manifest, segments, arguments.out, options);
  progress.reset();
  if (!is_restored) {
    throw Interrupted();
  }
  print_result("extracted {} from {} to {} in {:.1f} s\n",
               counted(manifest.entries.size(), "entry", "entries"),
               counted(manifest.segments.size(), "segment"), printable(arguments.out),
               std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  if (source.store != nullptr) {
    // What was not needed may be lost as well: half of a pack is enough for its files.
    for (const SegmentPackProblem& problem : source.store->check_files()) {
      damage.add(problem.message);
    }
  }
  damage.throw_if_any(source.store != nullptr ? "the store " + arguments.pieces
                                              : "the farm " + arguments.farm);
}

}  // namespace

void add_extract_command(Command app, InterruptWatch& interrupts) {
  const auto arguments = std::make_shared<ExtractArguments>();
  const Command command = app.add_command(
      "extract", "Rebuild the archived files from the farm alone, or from the store");
  const Command source = command.add_choice("Source of the pieces");
  const Option farm = source.add_option("--farm", arguments->farm, "Directory of the farm");
  const Option pieces =
      source.add_option("--pieces", arguments->pieces, "Store made by furrow archive");
  const Option manifest =
      command.add_option("--manifest", arguments->manifest,
                         "manifest.json of the archive, with --farm; a store has its own");
  farm.needs(manifest);
  manifest.excludes(pieces);
  command.add_option("--out", arguments->out, "Directory to create, or an empty one").required();
  add_create_option(command, arguments->create);
  command.add_option("--threads", arguments->threads,
                     "Threads; 0 means one for each processor that may be used");
  add_genesis_root_option(command, arguments->genesis_root)
      .excludes(pieces);  // a store is of the history it says
  add_simd_option(command);
  command.run([arguments, &interrupts] { run_extract(*arguments, interrupts.take_token()); });
}

}  // namespace furrow::cli
