// SPDX-License-Identifier: Apache-2.0
#include <memory>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "host/base/byte_size.hpp"
#include "host/base/counted.hpp"
#include "host/base/hex.hpp"
#include "host/base/printable.hpp"
#include "host/store/pack_check.hpp"
#include "host/store/piece_pack.hpp"
#include "nlohmann/json.hpp"
#include "tools/commands.hpp"
#include "tools/exit_code.hpp"
#include "tools/interrupt_watch.hpp"
#include "tools/json_text.hpp"
#include "tools/progress.hpp"
#include "tools/standard_output.hpp"

namespace furrow::cli {
namespace {

struct PackArguments {
  std::string file;
  bool json = false;
};

void list(const PackArguments& arguments) {
  const PiecePack pack = PiecePack::open(arguments.file);
  nlohmann::ordered_json chunks = nlohmann::ordered_json::array();
  for (const PackEntry& entry : pack.table().entries()) {
    const PackFrameHeader& header = entry.header;
    if (arguments.json) {
      chunks.push_back({{"key", header.key.value()},
                        {"codec", name_of(header.codec())},
                        {"original_size", header.original_size.value()},
                        {"stored_size", header.stored_size.value()},
                        {"offset", entry.offset},
                        {"hash", to_hex(header.hash.bytes)}});
    } else {
      print_result("{:>20}  {:<9}  {:>9}  {:>9}  {}\n", header.key.value(), name_of(header.codec()),
                   header.original_size.value(), header.stored_size.value(),
                   to_hex(header.hash.bytes));
    }
  }
  if (arguments.json) {
    const nlohmann::ordered_json result = {{"file", arguments.file}, {"chunks", chunks}};
    print_result("{}\n", json_line(result));
  }
}

/// How many bytes stand for one stored byte.
double ratio(const PackStatistics& statistics) {
  return statistics.stored_size == 0 ? 1.0
                                     : static_cast<double>(statistics.original_size) /
                                           static_cast<double>(statistics.stored_size);
}

void stat(const PackArguments& arguments) {
  const PiecePack pack = PiecePack::open(arguments.file);
  const PackStatistics& statistics = pack.statistics();
  if (arguments.json) {
    const nlohmann::ordered_json result = {{"file", arguments.file},
                                           {"file_size", pack.file_size()},
                                           {"chunks", statistics.chunks},
                                           {"references", statistics.references},
                                           {"raw_frames", statistics.raw_frames},
                                           {"zstd_frames", statistics.zstd_frames},
                                           {"original_size", statistics.original_size},
                                           {"unique_size", statistics.unique_size},
                                           {"stored_size", statistics.stored_size},
                                           {"ratio", ratio(statistics)}};
    print_result("{}\n", json_line(result));
    return;
  }
  print_result("pack     {}, {}\n", printable(arguments.file), size_text(pack.file_size()));
  print_result("chunks   {}, {}\n", statistics.chunks, size_text(statistics.original_size));
  print_result("unique   {}, {}\n", statistics.chunks - statistics.references,
               size_text(statistics.unique_size));
  print_result("stored   {} ({} compressed, {} raw), ratio {:.2f}\n",
               size_text(statistics.stored_size), statistics.zstd_frames, statistics.raw_frames,
               ratio(statistics));
}

void print(const PackReport& report, const PackArguments& arguments) {
  if (arguments.json) {
    nlohmann::ordered_json broken = nlohmann::ordered_json::array();
    for (const PackFinding& finding : report.broken) {
      broken.push_back({{"thing", finding.thing}, {"reason", finding.reason}});
    }
    const nlohmann::ordered_json result = {{"file", arguments.file},
                                           {"finished", report.is_finished},
                                           {"frames", report.statistics.chunks},
                                           {"intact", report.intact_frames},
                                           {"broken", broken},
                                           {"bytes_read", report.bytes_read}};
    print_result("{}\n", json_line(result));
    return;
  }
  for (const PackFinding& finding : report.broken) {
    print_result("BROKEN {}: {}\n", printable(finding.thing), printable(finding.reason));
  }
  print_result("{}: {} intact; the pack is {}; {} read\n",
               counted(report.statistics.chunks, "frame"), report.intact_frames,
               report.is_finished ? "finished" : "not finished", size_text(report.bytes_read));
}

void verify(const PackArguments& arguments, const std::stop_token& stop, int& exit_code) {
  std::optional<Progress> progress(std::in_place, "pack verify", "chunk");
  const PackReport report = verify_pack(
      arguments.file,
      [&](const PackProgress& now) {
        progress->set(
            {.share = share_of(now.bytes_done, now.bytes_total), .bytes_total = now.bytes_total});
      },
      stop);
  progress.reset();
  if (report.stopped) {
    throw Interrupted();
  }
  print(report, arguments);
  exit_code = report.broken.empty() ? kSuccess : kCheckFailed;
}

}  // namespace

void add_pack_command(Command app, InterruptWatch& interrupts, int& exit_code) {
  const auto arguments = std::make_shared<PackArguments>();
  const Command command = app.add_command("pack", "Look into piece packs: list, verify, stat");
  command.require_command();
  const auto add = [&](const char* name, const char* description) {
    const Command part = command.add_command(name, description);
    part.add_option("FILE", arguments->file, "The pack").required();
    part.add_flag("--json", arguments->json, "Print the result as JSON");
    return part;
  };
  add("list", "List the chunks: key, codec, original and stored bytes, hash").run([arguments] {
    list(*arguments);
  });
  add("verify", "Verify every byte; changes nothing, exit code 1 when something is bad")
      .run([arguments, &interrupts, &exit_code] {
        verify(*arguments, interrupts.take_token(), exit_code);
      });
  add("stat", "Count chunks, duplicates and bytes").run([arguments] { stat(*arguments); });
}

}  // namespace furrow::cli
