// SPDX-License-Identifier: Apache-2.0
#include <chrono>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "host/archive/file_archive.hpp"
#include "host/archive/store_layout.hpp"
#include "host/base/byte_size.hpp"
#include "host/base/counted.hpp"
#include "host/farm/data_directories.hpp"
#include "nlohmann/json.hpp"
#include "tools/commands.hpp"
#include "tools/compute_options.hpp"
#include "tools/create_option.hpp"
#include "tools/exit_code.hpp"
#include "tools/genesis_root_option.hpp"
#include "tools/interrupt_watch.hpp"
#include "tools/json_text.hpp"
#include "tools/progress.hpp"
#include "tools/standard_output.hpp"
#include "tools/terminal.hpp"

namespace furrow::cli {
namespace {

struct ArchiveArguments {
  std::string store;
  std::vector<std::string> paths;
  std::optional<Hash> genesis_root;
  unsigned threads = 0;
  int level = kArchiveLevel;
  MakeDirectory create = MakeDirectory::kLastOnly;
  bool json = false;
};

void print_summary(const ArchiveArguments& arguments, const ArchiveSummary& summary,
                   double seconds) {
  const std::uint64_t segments = summary.manifest.segments.size();
  if (arguments.json) {
    const nlohmann::ordered_json result = {
        {"store", arguments.store},
        {"manifest", (std::filesystem::path(arguments.store) / kManifestFileName).native()},
        {"files", summary.n_files},
        {"directories", summary.n_directories},
        {"symlinks", summary.n_symlinks},
        {"bytes", summary.n_bytes},
        {"segments", segments},
        {"pieces", segments * kNumPieces},
        {"seconds", seconds}};
    print_result("{}\n", json_line(result));
    return;
  }
  print_result("archived {}, {} and {} ({}) as {}, {}, in {:.1f} s\n",
               counted(summary.n_files, "file"),
               counted(summary.n_directories, "directory", "directories"),
               counted(summary.n_symlinks, "symbolic link"), size_text(summary.n_bytes),
               counted(segments, "segment"), counted(segments * kNumPieces, "piece"), seconds);
}

void run_archive(const ArchiveArguments& arguments, const std::stop_token& stop) {
  const auto start = std::chrono::steady_clock::now();
  require_own_place("--store", arguments.store, DataKind::kStore);
  std::optional<Progress> progress(std::in_place, "archive", "file");
  ArchiveOptions options;
  options.make_directory = arguments.create;
  options.compute.threads = thread_count(arguments.threads);
  options.level = arguments.level;
  options.chain_genesis_root = arguments.genesis_root;
  options.stop = stop;
  options.progress = [&](const ArchiveProgress& now) {
    // Reading is half of the work, packing the other one.
    const auto halves = static_cast<double>(now.bytes_done + now.bytes_stored);
    progress->set({.share = halves / (2 * static_cast<double>(now.bytes_total)),
                   .bytes_total = now.bytes_total,
                   .items_done = now.files_done,
                   .items_total = now.files_total});
  };
  options.log = [](const std::string& remark) { terminal().line("furrow: " + remark); };
  const std::vector<std::filesystem::path> paths(arguments.paths.begin(), arguments.paths.end());
  const std::optional<ArchiveSummary> summary = archive_files(paths, arguments.store, options);
  progress.reset();
  if (!summary) {
    throw Interrupted();
  }
  print_summary(arguments, *summary,
                std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
}

}  // namespace

void add_archive_command(Command app, InterruptWatch& interrupts) {
  const auto arguments = std::make_shared<ArchiveArguments>();
  const Command command = app.add_command(
      "archive", "Turn files and directories into archived history: segments of pieces in a store");
  command.add_option("--store", arguments->store, "Directory for the pieces and manifest.json")
      .required();
  add_create_option(command, arguments->create);
  command.add_option("paths", arguments->paths, "Files, and directories with all below them")
      .required();
  command.add_option("--threads", arguments->threads,
                     "Threads; 0 means one for each processor that may be used");
  command
      .add_option("--level", arguments->level,
                  "zstd level of the pieces, 1 to 22: smaller packs, slower")
      .with_default();
  add_genesis_root_option(command, arguments->genesis_root);
  add_simd_option(command);
  command.add_flag("--json", arguments->json, "Print the summary as JSON");
  command.run([arguments, &interrupts] { run_archive(*arguments, interrupts.take_token()); });
}

}  // namespace furrow::cli
